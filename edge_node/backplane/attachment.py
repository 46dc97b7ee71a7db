"""One connection's way to the core over the backplane, and what is remembered of it.

Rule: while the core is away, the sockets of settled connections stay open and nothing is read from them; a connection
in the middle of a negotiation is closed, because nobody knows how far the lost core had come with it.
"""

from typing import Final, Protocol

from edge_node.backplane import frames
from edge_node.backplane.codec import reattach_frame, receive_frame
from edge_node.backplane.ports import Channel, ConnectionFacts, Reattachment
from edge_node.backplane.settings import BackplaneSettings
from xmpp.jid import JID
from xmpp.stanza import Stanza

_COUNTER: Final = 0xFFFFFFFF
_BY_CORE, _BY_OUTAGE, _BY_CUSTODY, _BY_CONGESTION = 1, 2, 4, 8


class Backplane(Protocol):
    """What an attachment needs of the listener process's connection to the core."""

    settings: BackplaneSettings
    is_away: bool
    """There is no core at the moment."""
    is_congested: bool
    """The core takes less than is written."""

    def put(self, frame: frames.ForConnection) -> None:
        """Write a frame at the end of this turn of the loop; while the core is away, hold it."""

    def hold_back(self, attachment: "RemoteAttachment") -> None:
        """Pause this one until the core takes what is written."""

    def abandon(self, attachment: "RemoteAttachment") -> None:
        """Close a connection that no core could go on with."""

    def detach(self, attachment: "RemoteAttachment", frame: frames.Detach) -> None:
        """Its socket is gone."""


class RemoteAttachment:
    """The core's side of one connection, seen from the listener process."""

    __slots__ = (
        "_bytes_unhandled",
        "_core",
        "_fence",
        "_handled",
        "_jid",
        "_paused",
        "_session_key",
        "_unhandled",
        "_written",
        "channel",
        "connection",
        "detached",
        "facts",
    )

    def __init__(self, core: Backplane, connection: int, channel: Channel, facts: ConnectionFacts) -> None:
        """See `edge_node.backplane.client.RemoteCore.attach`."""
        self._core = core
        self.connection = connection
        self.channel = channel
        self.facts = facts
        self.detached: frames.Detach | None = None
        """Set when the socket went while the core was away: told when it is back."""
        self._jid: JID | None = None
        self._session_key = 0
        self._handled = 0
        self._unhandled: list[frames.Receive] = []
        self._bytes_unhandled = 0
        self._fence: int | None = None  # how many of `_unhandled` came before <enable/>, until that is answered
        self._written = 0
        self._paused = 0

    @property
    def is_settled(self) -> bool:
        """Whether a core that lost its memory could go on with this connection."""
        return self._jid is not None and self._fence is None

    # --- called by the listener ------------------------------------------------------------------------------

    def find_credentials(self, username: str) -> None:
        self._core.put(frames.FindCredentials(self.connection, username))

    def authenticated(self, account: str) -> None:
        self._core.put(frames.Authenticated(self.connection, account))

    def bind(self, resource: str | None) -> None:
        self._core.put(frames.Bind(self.connection, resource))

    def enable_management(self, resume: bool, max_seconds: int | None) -> None:
        self._fence = len(self._unhandled)
        if self._core.is_away:
            self._core.abandon(self)
        else:
            self._core.put(frames.EnableManagement(self.connection, resume, max_seconds))

    def resume(self, previous_id: str, h: int) -> None:
        self._written = h
        self._core.put(frames.Resume(self.connection, previous_id, h))

    def receive(self, stanza: Stanza) -> None:
        frame = receive_frame(self.connection, stanza)
        self._unhandled.append(frame)
        self._bytes_unhandled += len(frame.inner)
        core = self._core
        if not core.is_away:  # else it is among those that are sent after `Reattach`
            core.put(frame)
            if core.is_congested:
                core.hold_back(self)
        if self._bytes_unhandled > core.settings.unhandled_size_bytes_max or (
            len(self._unhandled) >= core.settings.unhandled_stanzas_max
        ):
            self.pause(_BY_CUSTODY)

    def acknowledge(self, h: int) -> None:
        if not self._core.is_away:  # else the next acknowledgement says it all
            self._core.put(frames.Acknowledge(self.connection, h))

    def detach(self, clean: bool, reason: str) -> None:
        self._core.detach(self, frames.Detach(self.connection, clean, reason))

    # --- called by the core ----------------------------------------------------------------------------------

    def bound(self, frame: frames.Bound) -> None:
        """The core has bound a resource."""
        self._jid, self._session_key = JID.parse(frame.jid), frame.session_key
        self.channel.bound(self._jid, frame.session_key)

    def resumed(self, frame: frames.Resumed) -> None:
        """The core goes on with a session; both counts continue."""
        self._jid, self._session_key = JID.parse(frame.jid), frame.session_key
        self._handled = frame.h
        self.channel.resumed(frame.previous_id, frame.h, self._jid, frame.session_key)

    def management_enabled(self, frame: frames.ManagementEnabled) -> None:
        """Both counts start anew; what came before `<enable/>` is out of them."""
        if self._fence is not None:
            self._release(self._fence)
            self._fence = None
        self._session_key = frame.session_key
        self._handled = self._written = 0
        self.channel.management_enabled(frame.resumption_id, frame.max_seconds, frame.session_key)

    def management_refused(self) -> None:
        """Both counts go on."""
        self._fence = None
        self.channel.management_refused()

    def deliver(self, data: bytes) -> None:
        """Write a stanza to the client, and remember how far that is."""
        self._written = (self._written + 1) & _COUNTER
        self.channel.deliver(data)

    def handled(self, h: int) -> None:
        """Let go of what the core has taken custody of."""
        released = (h - self._handled) & _COUNTER
        self._handled = h
        self._release(released)
        if self._fence is not None:
            self._fence = max(0, self._fence - released)
        self.channel.handled(h)

    def _release(self, number: int) -> None:
        unhandled = self._unhandled
        if number >= len(unhandled):
            unhandled.clear()
            self._bytes_unhandled = 0
        else:
            self._bytes_unhandled -= sum(len(frame.inner) for frame in unhandled[:number])
            del unhandled[:number]
        if self._paused & _BY_CUSTODY and (
            self._bytes_unhandled * 2 <= self._core.settings.unhandled_size_bytes_max
            and len(unhandled) * 2 <= self._core.settings.unhandled_stanzas_max
        ):
            self.unpause(_BY_CUSTODY)

    # --- away and back ---------------------------------------------------------------------------------------

    def paused_by_core(self) -> None:
        """The core wants no more from this client."""
        self.pause(_BY_CORE)

    def unpaused_by_core(self) -> None:
        """Undo `paused_by_core`."""
        self.unpause(_BY_CORE)

    def held_back(self) -> None:
        """Too much is on its way to the core."""
        self.pause(_BY_CONGESTION)

    def let_go(self) -> None:
        """Undo `held_back`."""
        self.unpause(_BY_CONGESTION)

    def pause(self, reason: int) -> None:
        """Stop reading from the client; each reason must end before reading goes on."""
        if not self._paused:
            self.channel.pause_reading()
        self._paused |= reason

    def unpause(self, reason: int) -> None:
        """End one reason."""
        if self._paused and not (paused := self._paused & ~reason):
            self._paused = paused
            self.channel.resume_reading()
        else:
            self._paused &= ~reason

    def core_lost(self) -> None:
        """Read no more until the core is back; what the lost core wanted is void."""
        self.pause(_BY_OUTAGE)
        self._paused &= ~(_BY_CORE | _BY_CONGESTION)

    def core_back(self) -> None:
        """Tell the new core what it needs, in its order, and go on."""
        if self._jid is None:
            return  # new since the core was lost: its questions are among the held frames
        state = Reattachment(self._jid, self._session_key, self._handled, self._written)
        self._core.put(reattach_frame(self.connection, self.facts, state))
        for frame in self._unhandled:
            self._core.put(frame)
        if self.detached is not None:
            self._core.detach(self, self.detached)
        else:
            self.unpause(_BY_OUTAGE)
