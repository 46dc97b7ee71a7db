"""Transports without sockets."""

import asyncio
from typing import Any

from edge_node.backplane.ports import ConnectionFacts
from xmpp.errors import StanzaError, StreamError
from xmpp.jid import JID
from xmpp.sasl import Credentials
from xmpp.stanza import Stanza


class FakeTransport(asyncio.Transport):
    """Remembers what is done to it; `unsent` bytes are in its buffer."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 4711)})
        self.written: list[bytes] = []
        self.unsent = 0
        self.reading = True
        self.ended = ""
        self.limits: tuple[int | None, int | None] = (None, None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.ended == "eof":
            raise RuntimeError("real transports refuse this, too")
        self.written.append(bytes(data))

    def write_eof(self) -> None:
        self.ended = self.ended or "eof"

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return self.ended in ("closed", "aborted")

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)


class Recording:
    """A channel, an attachment and a core in one, which write down each call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def take(self) -> list[tuple[Any, ...]]:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls

    # Channel
    def credentials_found(self, credentials: Credentials | None) -> None:
        self.calls.append(("credentials_found", credentials))

    def redirect(self, host: str, port: int) -> None:
        self.calls.append(("redirect", host, port))

    def bound(self, jid: JID, session_key: int) -> None:
        self.calls.append(("bound", jid.full, session_key))

    def binding_refused(self, error: StanzaError) -> None:
        self.calls.append(("binding_refused", error))

    def management_enabled(self, resumption_id: str, max_seconds: int, key: int) -> None:
        self.calls.append(("management_enabled", resumption_id, max_seconds, key))

    def management_refused(self) -> None:
        self.calls.append(("management_refused",))

    def resumed(self, previous_id: str, h: int, jid: JID, session_key: int) -> None:
        self.calls.append(("resumed", previous_id, h, jid.full, session_key))

    def resumption_refused(self, h: int | None) -> None:
        self.calls.append(("resumption_refused", h))

    def deliver(self, data: bytes) -> None:
        self.calls.append(("deliver", data))

    def nonza(self, data: bytes) -> None:
        self.calls.append(("nonza", data))

    def handled(self, h: int) -> None:
        self.calls.append(("handled", h))

    def close(self, error: StreamError | None) -> None:
        self.calls.append(("close", None if error is None else str(error.condition)))

    def pause_reading(self) -> None:
        self.calls.append(("pause_reading",))

    def resume_reading(self) -> None:
        self.calls.append(("resume_reading",))

    # Core
    def attach(self, channel: object, facts: ConnectionFacts) -> "Recording":
        self.calls.append(("attach", facts))
        return self

    # Attachment
    def find_credentials(self, username: str) -> None:
        self.calls.append(("find_credentials", username))

    def authenticated(self, account: str) -> None:
        self.calls.append(("authenticated", account))

    def bind(self, resource: str | None) -> None:
        self.calls.append(("bind", resource))

    def enable_management(self, resume: bool, max_seconds: int | None) -> None:
        self.calls.append(("enable_management", resume, max_seconds))

    def resume(self, previous_id: str, h: int) -> None:
        self.calls.append(("resume", previous_id, h))

    def receive(self, stanza: Stanza) -> None:
        self.calls.append(("receive", stanza.id))

    def acknowledge(self, h: int) -> None:
        self.calls.append(("acknowledge", h))

    def detach(self, clean: bool, reason: str) -> None:
        self.calls.append(("detach", clean, reason))
