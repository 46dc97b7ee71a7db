"""Connections as a stream needs them: bytes out, bytes in, TLS when asked; over TCP or over WebSocket.

Rule: the name in the server's certificate is the account's domain (RFC 6120 section 13.7.2), wherever the server is;
over WebSocket it is the URL's host, as on the web (RFC 7395 section 3.9).
"""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from cryptography import x509

from chappe.client.endpoint import Endpoint, Transport
from chappe.client.errors import LoginRefused, Unreachable
from chassis.tls import server_end_point
from xmpp.framing import Framing, TcpFraming, WebSocketFraming
from xmpp.sasl import TransportFacts

READ_SIZE_BYTES = 65_536
MESSAGE_SIZE_BYTES_MAX = 4 * 1024 * 1024
ALPN = "xmpp-client"  # XEP-0368 section 3
SUBPROTOCOL = "xmpp"  # RFC 7395 section 3.1


class Wire(Protocol):
    """One connection."""

    framing: Framing
    facts: TransportFacts

    async def send(self, messages: Sequence[bytes]) -> None:
        """Write; raises OSError when the connection is gone."""

    async def receive(self) -> bytes:
        """Return what comes next; nothing at the end."""

    async def start_tls(self) -> TransportFacts:
        """Encrypt from here on."""

    async def close(self) -> None:
        """Let go at once."""


class TcpWire:
    """RFC 6120."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trust: ssl.SSLContext, domain: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._trust = trust
        self._domain = domain
        self.framing: Framing = TcpFraming()
        self.facts = facts_of(writer.get_extra_info("ssl_object"))

    async def send(self, messages: Sequence[bytes]) -> None:
        if messages:
            self._writer.write(b"".join(messages))
            await self._writer.drain()

    async def receive(self) -> bytes:
        return await self._reader.read(READ_SIZE_BYTES)

    async def start_tls(self) -> TransportFacts:
        await self._writer.start_tls(self._trust, server_hostname=self._domain)
        self.facts = facts_of(self._writer.get_extra_info("ssl_object"))
        return self.facts

    async def close(self) -> None:
        # Not close(): a peer that takes nothing would hold the connection up.
        self._writer.transport.abort()


class WebSocketWire:
    """RFC 7395."""

    def __init__(self, session: aiohttp.ClientSession, socket: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._session = session
        self._socket = socket
        self.framing: Framing = WebSocketFraming()
        self.facts = facts_of(socket.get_extra_info("ssl_object"))

    async def send(self, messages: Sequence[bytes]) -> None:
        for message in messages:
            await self._socket.send_str(message.decode())

    async def receive(self) -> bytes:
        message = await self._socket.receive()
        return message.data.encode() if message.type is aiohttp.WSMsgType.TEXT else b""

    async def start_tls(self) -> TransportFacts:
        raise AssertionError("a WebSocket is encrypted from its first byte, or never")

    async def close(self) -> None:
        await self._session.close()


def facts_of(tls: ssl.SSLObject | None) -> TransportFacts:
    """What SASL has to know of a connection; its channel binding is that of RFC 5929."""
    certificate = None if tls is None else tls.getpeercert(binary_form=True)
    if certificate is None:
        return TransportFacts(is_encrypted=tls is not None)
    binding = server_end_point(x509.load_der_x509_certificate(certificate))
    return TransportFacts(is_encrypted=True, bindings={} if binding is None else {"tls-server-end-point": binding})


def context_for(transport: Transport, ca: Path | None) -> ssl.SSLContext:
    """Make the context of one connection.

    Raises:
        LoginRefused: the file of authorities cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one
        raise LoginRefused(f"{ca}: cannot be used as a file of authorities: {error.strerror or error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if transport is Transport.TLS:
        context.set_alpn_protocols([ALPN])
    return context


async def connect(endpoint: Endpoint, domain: str, ca: Path | None) -> Wire:
    """Open a connection.

    Raises:
        Unreachable: nobody answers there.
        LoginRefused: somebody else does: the certificate is not the domain's, or not trusted.
    """
    trust = context_for(endpoint.transport, ca)
    try:
        if endpoint.transport in (Transport.WSS, Transport.WS):
            return await _connect_websocket(endpoint, trust)
        return await _connect_tcp(endpoint, domain, trust)
    except (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError) as error:
        raise distrust(endpoint, error) from error
    except (OSError, aiohttp.ClientError) as error:
        raise Unreachable(f"{endpoint}: {getattr(error, 'strerror', None) or error}") from error


def distrust(endpoint: Endpoint, error: Exception) -> LoginRefused:
    """A certificate that does not hold."""
    reason = getattr(error, "verify_message", None) or str(error)
    return LoginRefused(f"{endpoint}: the server's certificate is not trusted: {reason}")


async def _connect_tcp(endpoint: Endpoint, domain: str, trust: ssl.SSLContext) -> TcpWire:
    tls: dict[str, Any] = {"ssl": trust, "server_hostname": domain} if endpoint.transport is Transport.TLS else {}
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, **tls)
    return TcpWire(reader, writer, trust, domain)


async def _connect_websocket(endpoint: Endpoint, trust: ssl.SSLContext) -> WebSocketWire:
    session = aiohttp.ClientSession()
    try:
        socket = await session.ws_connect(
            str(endpoint), protocols=[SUBPROTOCOL], ssl=trust, max_msg_size=MESSAGE_SIZE_BYTES_MAX
        )
    except BaseException:
        await session.close()
        raise
    if socket.protocol != SUBPROTOCOL:
        await session.close()
        raise Unreachable(f"{endpoint}: no XMPP there")
    return WebSocketWire(session, socket)
