"""XMPP over WebSocket: one element in each text message (RFC 7395)."""

import struct
from typing import Final

from picows import WSCloseCode, WSMsgType, WSTransport

from edge_node.backplane.ports import ConnectionFacts
from edge_node.listeners.connection import Connection
from edge_node.listeners.listener import Listener
from xmpp.errors import StreamCondition, StreamError
from xmpp.framing import WebSocketFraming

SUBPROTOCOL: Final = "xmpp"

_FRAMING: Final = WebSocketFraming()
_TEXT: Final = 0x81  # FIN and the opcode (RFC 6455 section 5.2)
_LENGTH_16, _LENGTH_64 = 126, 127
_FRAGMENTS_MAX: Final = 1_024
_FRAME_BYTES: Final = 6


def text_frame(text: bytes) -> bytes:
    """Return a server's text message (RFC 6455 section 5.2): so that many can be written at once."""
    size = len(text)
    if size < _LENGTH_16:
        return bytes((_TEXT, size)) + text
    if size <= 0xFFFF:
        return struct.pack("!BBH", _TEXT, _LENGTH_16, size) + text
    return struct.pack("!BBQ", _TEXT, _LENGTH_64, size) + text


class WebSocketConnection(Connection):
    """One client over WebSocket."""

    __slots__ = ("_fragment_number", "_fragments", "_is_pinged", "_ping_tick", "_transport")

    def __init__(self, listener: Listener, facts: ConnectionFacts, network: str) -> None:
        super().__init__(listener, _FRAMING, facts, network)
        self._transport: WSTransport | None = None
        self._fragments: bytearray | None = None
        self._fragment_number = 0
        self._is_pinged = False
        self._ping_tick = 0

    # --- called by the HTTP port ------------------------------------------------

    def connected(self, transport: WSTransport) -> None:
        """The upgrade has been answered."""
        high = self._listener.settings.connection.write_buffer_bytes
        transport.underlying_transport.set_write_buffer_limits(high=high, low=high // 4)
        self._transport = transport
        self._expect(self._listener.settings.connection.keepalive_idle_seconds)
        self.opened()

    def frame_received(self, kind: WSMsgType, payload: bytes, *, is_last: bool, is_reserved: bool) -> None:
        """Take one frame; messages in several are put together, within the bound of one stanza.

        Args:
            kind: its opcode.
            payload: unmasked.
            is_last: whether it ends its message.
            is_reserved: whether it has the bit that only extensions use (RFC 6455 section 5.2).
        """
        self._is_pinged = False
        if kind is WSMsgType.CLOSE:
            self._closed_by_client()
        elif self._is_over:
            return
        elif kind is WSMsgType.PING or kind is WSMsgType.PONG:
            self._take_control(kind, payload)
        elif kind is WSMsgType.TEXT and is_last and self._fragments is None and not is_reserved:
            self.take(payload)
        else:
            self._take_fragment(kind, payload, is_last=is_last, is_reserved=is_reserved)

    def _take_fragment(self, kind: WSMsgType, payload: bytes, *, is_last: bool, is_reserved: bool) -> None:
        is_first = self._fragments is None
        if kind is not (WSMsgType.TEXT if is_first else WSMsgType.CONTINUATION) or is_reserved:
            self.close(StreamError(StreamCondition.BAD_FORMAT, "only text messages are taken"))
            return
        fragments = self._fragments = bytearray() if self._fragments is None else self._fragments
        fragments += payload
        self._fragment_number = 1 if is_first else self._fragment_number + 1
        size_bytes_max = self._listener.settings.connection.stanza_size_bytes_max
        if len(fragments) > size_bytes_max or self._fragment_number > _FRAGMENTS_MAX:
            self._fragments = None
            self.close(StreamError(StreamCondition.POLICY_VIOLATION, "the message is too big, or in too many pieces"))
        elif is_last:
            self._fragments = None
            self.take(bytes(fragments))

    def _take_control(self, kind: WSMsgType, payload: bytes) -> None:
        """Answer a ping; pings and pongs count against the bounds of what a client may send, as stanzas do."""
        now = self._listener.wheel.now
        if now != self._refilled:
            self._refill(now)
        size = _FRAME_BYTES + len(payload)
        self._bytes_left -= size
        self._stanzas_left -= 1
        if kind is WSMsgType.PING and self._transport is not None:
            self._transport.send_pong(payload)
            self._drop_if_full()
        if self._is_over:
            return
        if self._login is not None:
            self._negotiate(self._login, size)
        elif self._bytes_left < 0 or self._stanzas_left < 0:
            self._exceed()

    def _closed_by_client(self) -> None:
        if not self._is_over:
            self.take_end()
        if self._transport is not None:
            if not self._transport.is_close_frame_sent:
                self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()

    def disconnected(self) -> None:
        """The socket is gone."""
        self._transport = None
        self.lost()

    # --- called by Connection ---------------------------------------------------

    def deliver(self, data: bytes) -> None:
        if not self._is_over:
            self._put(_FRAMING.stanza(data))

    def flush(self) -> None:
        outgoing, transport = self._outgoing, self._transport
        if not outgoing:
            return
        self._listener.metrics.frames_written += len(outgoing)
        data = b"".join(map(text_frame, outgoing))
        outgoing.clear()
        if transport is None or transport.is_close_frame_sent:
            return
        transport.underlying_transport.write(data)
        self._drop_if_full()

    def _drop_if_full(self) -> None:
        """Give up a client that has been slow and for whom too much has gathered."""
        if self._slow_tick and self._transport is not None:
            size = self._transport.underlying_transport.get_write_buffer_size()
            if size > self._listener.settings.connection.write_buffer_bytes_max:
                self.drop("resource-constraint")

    def _finish(self, *, is_clean: bool) -> None:
        if self._transport is not None and not self._transport.is_close_frame_sent:
            self._resume_transport()  # the client's own close frame is awaited, for a bounded time
            self._transport.send_close(WSCloseCode.OK)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _pause_transport(self) -> None:
        if self._transport is not None and not self._transport.underlying_transport.is_closing():
            self._transport.underlying_transport.pause_reading()

    def _resume_transport(self) -> None:
        transport = self._transport
        if transport is None or transport.underlying_transport.is_closing():
            return
        self._is_pinged = False  # an answer may lie there, not read yet
        if not transport.underlying_transport.is_reading():
            transport.underlying_transport.resume_reading()

    # --- keep-alive: the kernel's does not reach beyond a proxy -----------------

    def expired(self) -> None:
        now = self._listener.wheel.now
        if self._is_over or not self._ping_tick or now < self._ping_tick:
            super().expired()
            return
        settings = self._listener.settings.connection
        silent_ticks = self._listener.wheel.tick_after(0) - self._refilled
        idle_ticks = self._listener.wheel.tick_after(settings.keepalive_idle_seconds) - now
        if self._is_pinged and not self._paused:
            self.drop("silent")
            return
        if self._paused or silent_ticks < idle_ticks or self._transport is None:
            self._expect(settings.keepalive_idle_seconds)
        else:
            self._is_pinged = True
            self._transport.send_ping()
            self._expect(settings.keepalive_seconds_max)
        super().expired()

    def _expect(self, seconds: float) -> None:
        self._ping_tick = self._listener.wheel.tick_after(seconds)

    def _ticks(self) -> list[int]:
        return [*super()._ticks(), self._ping_tick]
