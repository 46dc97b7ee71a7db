"""XMPP over TCP: port 5222 with STARTTLS, port 5223 inside TLS (RFC 6120, XEP-0368)."""

import asyncio
import ssl
from dataclasses import replace
from typing import Final, cast

import aiofastnet
import structlog

from edge_node.backplane.ports import ConnectionFacts
from edge_node.listeners.acceptor import TLS_BUFFER_BYTES, TLS_SHUTDOWN_SECONDS, Acceptor, Admitted, connect
from edge_node.listeners.connection import Connection
from edge_node.listeners.listener import Listener
from xmpp.framing import TcpFraming

ALPN: Final = "xmpp-client"
"""Of direct TLS (XEP-0368)."""

_FRAMING: Final = TcpFraming()

log = structlog.get_logger()


class TCPConnection(Connection):
    """One client over TCP; what asyncio calls a protocol, by its methods."""

    __slots__ = ("_is_upgrading", "_transport")

    def __init__(self, listener: Listener, facts: ConnectionFacts, network: str) -> None:
        super().__init__(listener, _FRAMING, facts, network)
        self._transport: asyncio.Transport | None = None
        self._is_upgrading = False

    # --- called by the transport ----------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._adopt(cast("asyncio.Transport", transport))
        self.opened()

    def _adopt(self, transport: asyncio.Transport) -> None:
        high = self._listener.settings.connection.write_buffer_bytes
        transport.set_write_buffer_limits(high=high, low=high // 4)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._is_over:
            self.take(data)

    def eof_received(self) -> bool:
        if not self._is_over:
            self.take_end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._transport = None
            self.lost()

    # --- called by Connection -------------------------------------------------

    def flush(self) -> None:
        outgoing, transport = self._outgoing, self._transport
        if not outgoing:
            return
        self._listener.metrics.frames_written += len(outgoing)
        data = outgoing[0] if len(outgoing) == 1 else b"".join(outgoing)
        outgoing.clear()
        if transport is None or self._is_upgrading:
            return  # gone, or on the way into TLS, where nothing may be written in the clear
        transport.write(data)
        if self._slow_tick and transport.get_write_buffer_size() > (
            self._listener.settings.connection.write_buffer_bytes_max
        ):
            self.drop("resource-constraint")

    def expired(self) -> None:
        transport = self._transport
        if not self._is_over or transport is None or transport.is_closing():
            super().expired()
            return
        # The client has not closed in time.  This ends TLS as well: to some clients a torn connection seems to stand.
        transport.close()
        wheel = self._listener.wheel
        wheel.wait(self, wheel.tick_after(TLS_SHUTDOWN_SECONDS))

    def _finish(self, *, is_clean: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if is_clean or self._is_upgrading:
            transport.close()
            return
        # What the client still sends is read and dropped: to close now would reset the connection, and the client
        # might lose what it has not read yet.
        if not transport.is_reading():
            transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _pause_transport(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_transport(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # --- STARTTLS -------------------------------------------------------------

    def _start_tls(self) -> None:
        transport, tls = self._transport, self._listener.tls
        if transport is None or tls is None:
            return
        transport.pause_reading()  # what comes from here on belongs to TLS
        for message in self._stream.messages_to_send():
            self._put(message)
        self.flush()  # the last bytes in the clear: <proceed/>
        self._is_upgrading = True
        self._listener.tasks.create_task(self._upgrade(transport, tls.context))

    async def _upgrade(self, plain: asyncio.Transport, context: ssl.SSLContext) -> None:
        listener = self._listener
        inlet = TLSInlet(self)
        try:
            encrypted = await aiofastnet.start_tls(
                listener.loop,
                plain,
                cast("asyncio.BaseProtocol", inlet),
                context,
                server_side=True,
                ssl_handshake_timeout=listener.settings.negotiation.tls_seconds,
                ssl_shutdown_timeout=TLS_SHUTDOWN_SECONDS,
                ssl_incoming_bio_size=TLS_BUFFER_BYTES,
                ssl_outgoing_bio_size=TLS_BUFFER_BYTES,
            )
        except Exception as error:  # noqa: BLE001 - whatever a client can do to a handshake ends this connection only
            listener.metrics.refused["handshake"] += 1
            log.debug("handshake_failed", reason=str(error))
            plain.abort()
            self.connection_lost(None)
            return
        if self._is_over:
            encrypted.abort()
            return
        self._is_upgrading = False
        self._adopt(encrypted)
        self._facts = replace(self._facts, encrypted=True)
        self._stream.tls_established(listener.transport_facts(self._facts))
        inlet.open()


class TLSInlet:
    """Between aiofastnet's TLS and a connection: all connections of a process read into one buffer."""

    __slots__ = ("_connection", "_early")

    def __init__(self, connection: TCPConnection) -> None:
        self._connection = connection
        self._early: list[bytes] | None = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection.connection_made(transport)
        self._early = None

    def is_buffered_protocol(self) -> bool:
        """As aiofastnet asks of what is no `asyncio.BufferedProtocol`."""
        return True

    def open(self) -> None:
        """The stream knows of TLS: pass on what came through it before that."""
        early, self._early = self._early or [], None
        for data in early:
            self._connection.data_received(data)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._connection.receive_buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._connection.receive_buffer[:nbytes])
        if self._early is None:
            self._connection.data_received(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool:
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()


class TCPPorts:
    """The listening sockets of XMPP over TCP."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._starttls = Acceptor(listener, self._begin, lambda: listener.refusal)
        self._direct = Acceptor(listener, self._begin_encrypted, bytes)
        self.port: int | None = None
        """Where STARTTLS is spoken, once started."""
        self.tls_port: int | None = None
        """Where direct TLS is spoken, once started."""

    async def start(self, *, reuse_port: bool = False) -> None:
        """Listen; with `reuse_port` beside other processes.  Raises `chassis.binding.BindFailed`."""
        settings = self._listener.settings.tcp
        if settings.port is not None:
            self.port = await self._starttls.start(
                "listeners.tcp.port", settings.host, settings.port, reuse_port=reuse_port
            )
        if settings.tls_port is not None and self._listener.tls is not None:
            self.tls_port = await self._direct.start(
                "listeners.tcp.tls_port", settings.host, settings.tls_port, reuse_port=reuse_port
            )

    def stop(self) -> None:
        """Take no new connections."""
        self._starttls.stop()
        self._direct.stop()

    async def _begin(self, admitted: Admitted) -> None:
        facts = ConnectionFacts(admitted.address, "tcp", encrypted=False)
        connection = TCPConnection(self._listener, facts, admitted.network)
        await connect(self._listener, admitted, cast("asyncio.BaseProtocol", connection), tls=False)

    async def _begin_encrypted(self, admitted: Admitted) -> None:
        facts = ConnectionFacts(admitted.address, "tls", encrypted=True)
        connection = TCPConnection(self._listener, facts, admitted.network)
        await connect(self._listener, admitted, cast("asyncio.BaseProtocol", TLSInlet(connection)), tls=True)
