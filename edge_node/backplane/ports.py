"""The seam between listeners and the core.

Both sides are plain synchronous calls that never block and never raise; what needs time is answered by a call
on the other side.  In one process (N = 0) they are direct calls; with listener processes they are frames on
a Unix socket.  The order of calls on one connection is kept in both directions.

How stanzas are counted, both ways: as XEP-0198 counts them.  From the binding on, numbers start at 1; with
`enable_management` they start again at 1 (with `management_enabled` for deliveries); on a resumed stream they continue,
inbound from the `h` of `resumed`, deliveries from the `h` of `resume`.  A stanza's number is implied by the order of
the calls.  Counters wrap at 2^32.
"""

from dataclasses import dataclass
from typing import Protocol

from xmpp.errors import StanzaError, StreamError
from xmpp.jid import JID
from xmpp.sasl import Credentials
from xmpp.stanza import Stanza


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """What the core may know of a connection."""

    remote_address: str
    transport: str
    """tcp, tls or websocket."""
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Reattachment:
    """What a listener remembers of a bound connection, for a core that has lost it all but its stores."""

    jid: JID
    session_key: int
    """What `Channel.bound`, `management_enabled` or `resumed` gave last."""
    handled: int
    """The last `h` of `Channel.handled`: the next stanza received is number `handled` + 1."""
    written: int
    """Number of the last delivery written to the client."""


class Channel(Protocol):
    """The listener's side of one connection, called by the core."""

    def credentials_found(self, credentials: Credentials | None) -> None:
        """Answer to `Attachment.find_credentials`; None: no such account, or it is disabled."""

    def redirect(self, host: str, port: int) -> None:
        """Answer to `Attachment.find_credentials`: the account's home is elsewhere (`<see-other-host/>`)."""

    def bound(self, jid: JID, session_key: int) -> None:
        """Answer to `Attachment.bind`; `session_key` finds the session again at `Core.reattach` (64-bit, 0: never)."""

    def binding_refused(self, error: StanzaError) -> None:
        """Answer to `Attachment.bind`."""

    def management_enabled(self, resumption_id: str, max_seconds: int, session_key: int) -> None:
        """Answer to `Attachment.enable_management`; an empty id: acknowledgements only, no resumption.

        The session has a new key; inbound numbers start again after the request, those of deliveries after this answer.
        """

    def management_refused(self) -> None:
        """Answer to `Attachment.enable_management`."""

    def resumed(self, previous_id: str, h: int, jid: JID, session_key: int) -> None:
        """Answer to `Attachment.resume`; what the client missed follows as deliveries."""

    def resumption_refused(self, h: int | None) -> None:
        """Answer to `Attachment.resume`; `h` when the core still knows how much it had taken."""

    def deliver(self, data: bytes) -> None:
        """Write one rendered stanza (TCP form).  Both sides count these: see `Core.reattach`."""

    def nonza(self, data: bytes) -> None:
        """Write one top-level element that is no stanza and declares its own namespace."""

    def handled(self, h: int) -> None:
        """The core has taken custody of all stanzas received up to number `h`."""

    def close(self, error: StreamError | None) -> None:
        """End the stream, after what was delivered before."""

    def pause_reading(self) -> None:
        """Take no more from this client for now."""

    def resume_reading(self) -> None:
        """Undo `pause_reading`."""


class Attachment(Protocol):
    """The core's side of one connection, called by the listener."""

    def find_credentials(self, username: str) -> None:
        """Look up the verifiers of a local part."""

    def authenticated(self, account: str) -> None:
        """The client has proved that it is this account (local part)."""

    def bind(self, resource: str | None) -> None:
        """Bind a resource; None: the core chooses."""

    def enable_management(self, resume: bool, max_seconds: int | None) -> None:
        """Client's `<enable/>` (XEP-0198)."""

    def resume(self, previous_id: str, h: int) -> None:
        """Client's `<resume/>`, instead of `bind`."""

    def receive(self, stanza: Stanza) -> None:
        """One stanza of a bound session.  Its `sender` is what the client claimed."""

    def acknowledge(self, h: int) -> None:
        """Client's `<a/>`."""

    def detach(self, clean: bool, reason: str) -> None:
        """The socket is gone; `clean` when the client closed its stream."""


class Core(Protocol):
    """What listeners see of the core."""

    def attach(self, channel: Channel, facts: ConnectionFacts) -> Attachment:
        """A connection has been accepted and its stream opened."""


class LastingCore(Core, Protocol):
    """A core whose sessions outlive it: what the backplane needs of it for listeners in other processes."""

    def reattach(self, channel: Channel, facts: ConnectionFacts, state: Reattachment) -> Attachment | None:
        """A bound connection has outlived the core that bound it.

        The core rebuilds the session from its stores, then delivers what comes after number `state.written`.
        The stanzas that were not `handled` are received again, with their numbers from `state.handled` + 1 on:
        the core drops those that it had taken custody of, and tells `handled` for them too.

        Returns:
            None: no such session any more; the listener closes the connection and the client starts anew.
        """
