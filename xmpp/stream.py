"""What both roles of a stream share: bytes in, events out, bytes out, and the end (RFC 6120 section 4).

Rule: `receive_data` never raises on what a peer sends; a peer's fault becomes a stream error, which is sent, and an
event.  What only the world knows is asked by an event and answered by a method; a method called out of turn raises
StreamMisuse.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar, cast

from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StreamCondition, StreamError
from xmpp.events import StreamClosed
from xmpp.framing import Framing
from xmpp.items import Fault, Item, StreamEnd, StreamHeader
from xmpp.parser import ParserPool, StreamReader
from xmpp.stanza import Stanza
from xmpp.transitions import AWAITING_HEADER, Fact, StreamMisuse, StreamState, Table, after

E = TypeVar("E")

ERROR = f"{{{namespaces.STREAMS}}}error"


class Stream(ABC, Generic[E]):
    """One XML stream without I/O; see ServerStream and ClientStream for its two roles."""

    # Tens of thousands of these are idle at a time: what only the negotiation needs lives elsewhere.
    __slots__ = ("_events", "_framing", "_has_more", "_outgoing", "_reader", "received", "state")

    TRANSITIONS: ClassVar[Table]

    def __init__(self, framing: Framing, pool: ParserPool) -> None:
        """Begin in OPENING."""
        self.state = StreamState.OPENING
        self.received = 0
        """The number of the last stanza received; what belongs to the negotiation is not counted."""
        self._framing = framing
        self._reader = StreamReader(pool)
        self._outgoing: list[bytes] = []
        self._events: list[E | Stanza | StreamClosed] = []
        self._has_more = False
        """Whether something arrived together with the item being taken, behind it."""

    # --- the shell's side ----------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take what arrived: any part of a TCP stream, or one WebSocket message."""
        state = self.state
        if state is StreamState.CLOSED:
            return
        if state is StreamState.UPGRADING:
            self._refuse(StreamCondition.POLICY_VIOLATION)
            return
        items = self._framing.read(self._reader, data)
        if state is StreamState.ONLINE:
            for item in items:
                if item.__class__ is not Stanza:
                    break
            else:
                # Nothing but stanzas: the list is the events.
                self.received += len(items)
                stanzas = cast("list[E | Stanza | StreamClosed]", items)
                self._events = self._events + stanzas if self._events else stanzas
                return
        self._take_all(items)

    def receive_eof(self) -> None:
        """Take the end of the connection."""
        if self.state is not StreamState.CLOSED:
            self._end(None, is_clean=False)

    def events_received(self) -> list[E | Stanza | StreamClosed]:
        """Hand over what has happened since the last call."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Hand over what must be written, for TCP."""
        return b"".join(self.messages_to_send())

    def messages_to_send(self) -> list[bytes]:
        """Hand over what must be written, one WebSocket message each."""
        outgoing = self._outgoing
        if not outgoing:
            return []
        self._outgoing = []
        return outgoing

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will be read or written."""
        return self.state is StreamState.CLOSED

    def send(self, stanza: Stanza) -> None:
        """Send a stanza."""
        self._outgoing.append(self._framing.stanza(stanza.render()))

    def close(self, error: StreamError | None = None) -> None:
        """End the stream.

        With an error it is over at once; without, what the peer still sends is ignored until its own end
        (RFC 6120 section 4.4): the shell bounds that wait.
        """
        if self.state in (StreamState.CLOSING, StreamState.CLOSED):
            return
        if self.state is StreamState.UPGRADING:
            # Nothing may be written in the clear any more.
            self._end(error, is_clean=False)
            return
        if self.state in AWAITING_HEADER:
            self._open_to_close()
        if error is None:
            self._outgoing.append(self._framing.end())
            self._become(Fact.END_SENT)
            return
        self._write(error.element())
        self._outgoing.append(self._framing.end())
        self._end(error, is_clean=False)

    # --- the roles' side -----------------------------------------------------

    @abstractmethod
    def _open_to_close(self) -> None:
        """Send the header that an error or an end needs before it (RFC 6120 section 4.9.1.2)."""

    @abstractmethod
    def _take(self, item: StreamHeader | Stanza | Element) -> None:
        """Handle one item, in a state in which items are expected."""

    def _take_all(self, items: list[Item]) -> None:
        for position, item in enumerate(items, start=1):
            self._has_more = position < len(items) or not self._reader.is_between_items
            self._take_any(item)

    def _take_any(self, item: Item) -> None:
        if isinstance(item, StreamEnd):
            self._take_end()
        elif self.state in (StreamState.CLOSING, StreamState.CLOSED):
            if isinstance(item, Fault) and self.state is StreamState.CLOSING:
                self._end(item.error, is_clean=False)
        elif isinstance(item, Fault):
            self.close(item.error)
        elif isinstance(item, Element) and item.name == ERROR:
            self._take_error(StreamError.from_element(item))
        else:
            self._take(item)

    def _take_end(self) -> None:
        if self.state is StreamState.CLOSED:
            return
        if self.state is not StreamState.CLOSING:
            self._outgoing.append(self._framing.end())
        self._end(None, is_clean=True)

    def _take_error(self, error: StreamError) -> None:
        """The peer ends the stream with an error; all that is left is to end it, too (RFC 6120 section 4.9.1.1)."""
        self._outgoing.append(self._framing.end())
        self._end(error, is_clean=False)

    def _end(self, error: StreamError | None, *, is_clean: bool) -> None:
        self._become(Fact.END)
        self._reader.close()
        self._report(StreamClosed(error, is_clean))

    def _awaits(self, wanted: StreamState) -> bool:
        """Whether an answer is still of use: the stream may have ended while it was sought."""
        if self.state in (StreamState.CLOSING, StreamState.CLOSED):
            return False
        if self.state is not wanted:
            raise StreamMisuse(f"nobody asked for this while {self.state.name}")
        return True

    def _become(self, fact: Fact) -> None:
        self.state = after(self.TRANSITIONS, self.state, fact)

    def _report(self, event: E | StreamClosed) -> None:
        self._events.append(event)

    def _write(self, element: Element) -> None:
        self._outgoing.append(self._framing.element(element))

    def _refuse(self, condition: StreamCondition, text: str = "") -> None:
        self.close(StreamError(condition, text))
