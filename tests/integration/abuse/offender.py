"""Somebody who sends bytes by hand, over any of the three transports, each from an address of his own."""

import asyncio
import base64
import itertools
import re
import ssl
import struct
from collections.abc import Sequence
from enum import Enum
from typing import Self

from tests.integration.abuse.edge_process import DOMAIN, EdgeProcess

PATIENCE_SECONDS = 20.0
ANSWERS_BYTES_MAX = 1 << 26
CONDITION = re.compile(rb'<([a-z-]+) xmlns="urn:ietf:params:xml:ns:xmpp-streams"')
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: corp.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
)
TOO_BIG = struct.pack("!H", 1009)
TEXT, BINARY, CONTINUATION, PING = 1, 2, 0, 9

_addresses = itertools.count(1)


class Way(Enum):
    """How he is connected."""

    TCP = "tcp"
    TLS = "tls"
    WEBSOCKET = "websocket"


def next_address() -> str:
    """An address of the loopback network that nobody has used: bounds count by address."""
    number = next(_addresses)
    return f"127.{1 + number // 65_536}.{number // 256 % 256}.{number % 256}"


def frame(payload: bytes, opcode: int = TEXT, *, is_last: bool = True) -> bytes:
    """A client's WebSocket frame (RFC 6455 section 5.2); the mask is four zeros, which change nothing."""
    first = (0x80 if is_last else 0) | opcode
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + bytes(4) + payload


class Offender:
    """One connection."""

    def __init__(
        self, way: Way, context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.way = way
        self.context = context
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, edge: EdgeProcess, way: Way, context: ssl.SSLContext, address: str | None = None) -> Self:
        """Connect; over WebSocket also upgrade."""
        port = {Way.TCP: edge.tcp, Way.TLS: edge.tls, Way.WEBSOCKET: edge.http}[way]
        is_encrypted = way is not Way.TCP
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            port,
            local_addr=(address or next_address(), 0),
            limit=ANSWERS_BYTES_MAX,
            ssl=context if is_encrypted else None,
            server_hostname=DOMAIN if is_encrypted else None,
        )
        offender = cls(way, context, reader, writer)
        if way is Way.WEBSOCKET:
            writer.write(UPGRADE)
            assert (await offender.read_until(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        return offender

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    def send(self, data: bytes) -> None:
        """Send an element: over WebSocket as a message of its own."""
        self.write(frame(data) if self.way is Way.WEBSOCKET else data)

    def open(self, attributes: str = f"to='{DOMAIN}' version='1.0'", namespace: str = "jabber:client") -> None:
        """Send a stream header."""
        if self.way is Way.WEBSOCKET:
            self.send(f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' {attributes}/>".encode())
        else:
            declarations = f"xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams'"
            self.send(f"<stream:stream {declarations} {attributes}>".encode())

    def stanza(self, text: str) -> bytes:
        """A stanza, given as over TCP, as it is written on this transport."""
        if self.way is Way.WEBSOCKET:
            return re.sub(r"^<(message|presence|iq)\b", r"<\1 xmlns='jabber:client'", text).encode()
        return text.encode()

    async def features(self) -> bytes:
        """Open a stream and read what is offered."""
        self.open()
        return await self.read_until(b"</stream:features>")

    async def start_tls(self) -> None:
        """Encrypt a plain connection."""
        await self.features()
        self.write(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await self.read_until(b"/>")
        await self.writer.start_tls(self.context, server_hostname=DOMAIN)

    def authenticate(self, mechanism: str, data: bytes) -> None:
        """Send `<auth/>`."""
        text = base64.b64encode(data).decode()
        self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{text}</auth>".encode())

    async def log_in(self, account: str = "mallory", resource: str = "crowbar") -> Self:
        """Become an ordinary client, with a resource."""
        if self.way is Way.TCP:
            await self.start_tls()
        await self.features()
        self.authenticate("PLAIN", f"\0{account}\0{account}".encode())
        await self.read_until(b"<success")
        await self.features()
        bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind>"
        self.send(self.stanza(f"<iq type='set' id='bind'>{bind}</iq>"))
        await self.read_until(b"</iq>")
        return self

    async def read_until(self, end: bytes) -> bytes:
        """Read up to something that must come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readuntil(end)

    async def verdict(self) -> str:
        """Read to the end of the stream; return the condition of its error.

        A WebSocket message that is too long is not read at all: that is told by the close code of WebSocket.
        """
        end = b'urn:ietf:params:xml:ns:xmpp-framing"/>' if self.way is Way.WEBSOCKET else b"</stream:stream>"
        try:
            text = await self.read_until(b"</stream:error>")
            await self.read_until(end)
        except asyncio.IncompleteReadError as error:
            if TOO_BIG not in error.partial:
                raise
            return "message too big"
        found = CONDITION.search(text)
        assert found is not None, text
        return found[1].decode()

    async def read_to_end(self) -> bytes:
        """Read until the server closes, however it does."""
        received = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while data := await self.reader.read(65_536):
                    received += data
            except (ConnectionError, ssl.SSLError):
                pass
        return received

    async def answer(self, text: str, end: bytes = b"</iq>") -> bytes:
        """Send a stanza and read its answer."""
        self.send(self.stanza(text))
        return await self.read_until(end)

    def leave(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()


async def leave(offenders: Sequence[Offender]) -> None:
    """Cut several."""
    for offender in offenders:
        offender.leave()
