"""A client's connection: two lanes, with the core's channel at the far end."""

import re
from collections import deque
from collections.abc import Mapping
from random import Random
from typing import Any, Protocol

from edge_node.backplane.ports import ConnectionFacts, Core
from tests.simulation.cluster.network import Lane
from tests.simulation.cluster.records import Message
from tests.support.edge import parse
from xmpp.errors import StanzaError, StreamError
from xmpp.jid import JID
from xmpp.sasl import Credentials

FACTS = ConnectionFacts("192.0.2.1", "tls", encrypted=True)
ID = re.compile(rb'<message [^>]*id="(m\d+)"')
CONDITION = re.compile(rb"<error [^>]*>.*?<([a-z-]+) xmlns=.urn:ietf:params:xml:ns:xmpp-stanzas")


class Device(Protocol):
    """Who holds the near end."""

    is_managed: bool
    messages: Mapping[str, Message]

    def take(self, socket: "Socket", what: str, arguments: tuple[Any, ...]) -> None:
        """Something has come from the server."""

    def accepted(self, message: Message) -> None:
        """The server has taken custody of a message."""


class Socket:
    """Implements `edge_node.backplane.ports.Channel` for one device."""

    def __init__(self, device: Device, core: Core, random: Random, seconds_max: float) -> None:
        self._device = device
        self._up: Lane[tuple[str, tuple[Any, ...], Message | None]] = Lane(random, seconds_max, self._arrive)
        self._down: Lane[tuple[str, tuple[Any, ...]]] = Lane(
            random, seconds_max, lambda item: device.take(self, item[0], item[1])
        )
        self._passed: deque[Message | None] = deque()
        self._unread: deque[tuple[str, tuple[Any, ...], Message | None]] = deque()
        self._is_paused = False
        self._handled = 0
        self.is_over = False
        self.attachment = core.attach(self, FACTS)

    # The device's end.

    def say(self, what: str, *arguments: object, message: Message | None = None) -> None:
        """Call the attachment; `receive` is given bytes."""
        self._up.send((what, arguments, message))

    def cut(self) -> None:
        """The connection is gone; no end knows yet."""
        self._up.is_cut = self._down.is_cut = True

    def notice(self, *, is_clean: bool = False) -> None:
        """The server finds out."""
        if not self.is_over:
            self.is_over = True
            self.cut()
            self.attachment.detach(is_clean, "lost")

    def core_died(self) -> None:
        """The listener sends the next core what this one had not handled."""
        for message in self._passed:
            if message is not None:
                message.was_resent = True

    def die(self) -> None:
        """The server process is dead: nobody is there to find out."""
        self.is_over = True
        self.cut()

    def _arrive(self, item: tuple[str, tuple[Any, ...], Message | None]) -> None:
        what, arguments, message = item
        if self.is_over:
            return
        if self._is_paused:
            self._unread.append(item)
        elif what == "receive":
            self._passed.append(message)
            self.attachment.receive(parse(arguments[0]))
        elif what == "leave":
            self.notice(is_clean=True)
        else:
            getattr(self.attachment, what)(*arguments)

    # The core's end.

    def _tell(self, what: str, *arguments: object) -> None:
        if not self.is_over:
            self._down.send((what, arguments))

    def credentials_found(self, credentials: Credentials | None) -> None:
        self._tell("credentials_found", credentials)

    def redirect(self, host: str, port: int) -> None:
        self._tell("redirect", host, port)

    def bound(self, jid: JID, session_key: int) -> None:
        self._tell("bound", jid)

    def binding_refused(self, error: StanzaError) -> None:
        self._tell("binding_refused", error)

    def management_enabled(self, resumption_id: str, max_seconds: int, session_key: int) -> None:
        self._passed.clear()
        self._handled = 0
        self._tell("management_enabled", resumption_id)

    def management_refused(self) -> None:
        self._tell("management_refused")

    def resumed(self, previous_id: str, h: int, jid: JID, session_key: int) -> None:
        self._handled = h
        self._tell("resumed", h)

    def resumption_refused(self, h: int | None) -> None:
        self._tell("resumption_refused", h)

    def deliver(self, data: bytes) -> None:
        if not self.is_over:
            self.written(data)
            self._tell("deliver", data)

    def written(self, data: bytes) -> None:
        """The core has let go of a stanza, whether the socket is still there or not."""
        found = ID.match(data)
        message = self._device.messages.get(found[1].decode()) if found else None
        if message is not None and b'type="error"' in data.partition(b">")[0]:
            condition = CONDITION.search(data)
            message.refusal = condition[1].decode() if condition else "unknown"
        elif message is not None and not self._device.is_managed:
            message.was_written = True

    def nonza(self, data: bytes) -> None:
        self._tell("nonza")

    def handled(self, h: int) -> None:
        assert 0 <= h - self._handled <= len(self._passed), (self._handled, h, len(self._passed))
        for _ in range(h - self._handled):
            message = self._passed.popleft()
            if message is not None:
                self._device.accepted(message)
        self._handled = h
        self._tell("handled", h)

    def close(self, error: StreamError | None) -> None:
        if not self.is_over:
            self._tell("close", error)
            self.is_over = True
            self.attachment.detach(clean=False, reason="closed")

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        while self._unread and not self._is_paused:
            self._arrive(self._unread.popleft())
