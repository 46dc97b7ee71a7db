"""A client over a real socket: `ClientStream` with asyncio's streams, and bytes by hand to misbehave."""

import asyncio
import secrets
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from xmpp.client_stream import ClientSettings, ClientStream, Resumption
from xmpp.events import ClientEvent, Online, Resumed, StreamClosed, TLSRequested
from xmpp.framing import TcpFraming
from xmpp.parser import ParserPool
from xmpp.sasl import KeyCache
from xmpp.sasl.client import Login
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.stanza import Stanza

DOMAIN = "corp.example"
PATIENCE_SECONDS = 20.0
KEYS = KeyCache(1000)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until it holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the parts of the product announce nothing to tests
            await asyncio.sleep(0)


class Raw:
    """Bytes by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int | None, context: ssl.SSLContext | None = None) -> Self:
        name = DOMAIN if context is not None else None
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name))

    async def read_until(self, end: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readuntil(end)

    async def read_to_end(self) -> bytes:
        """Read until the server closes, however it does."""
        received = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while data := await self.reader.read(65536):
                    received += data
            except ConnectionError:
                pass
        return received

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def close(self) -> None:
        self.writer.transport.abort()


class Client(Raw):
    """One that behaves."""

    stream: ClientStream

    def prepare(
        self, name: str, *, password: str = "", tls: ssl.SSLContext | None = None, is_direct: bool = False,
        resource: str | None = None, management: bool = False, resumption: Resumption | None = None,
    ) -> Self:  # fmt: skip
        settings = ClientSettings(
            domain=DOMAIN,
            login=Login(username=name, password=password or name, derive_keys=KEYS.derive_keys),
            token=lambda: secrets.token_urlsafe(12),
            resource=resource,
            requires_tls=tls is not None,
            wants_management=management,
            resumption=resumption,
        )
        facts = TransportFacts(is_encrypted=True) if is_direct else None
        self.tls = tls
        self.stream = ClientStream(settings, TcpFraming(), ParserPool(), facts)
        self.events: deque[ClientEvent | StreamClosed] = deque()
        return self

    async def event(self) -> ClientEvent | StreamClosed:
        """Return what happens next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                self.flush()
                if self.events:
                    return self.events.popleft()
                try:
                    data = await self.reader.read(65536)
                except ConnectionError:
                    data = b""
                if data:
                    self.stream.receive_data(data)
                else:
                    self.stream.receive_eof()
                for event in self.stream.events_received():
                    if isinstance(event, TLSRequested):
                        await self._start_tls()
                    else:
                        self.events.append(event)

    async def _start_tls(self) -> None:
        self.flush()
        assert self.tls is not None
        await self.writer.start_tls(self.tls, server_hostname=DOMAIN)
        self.stream.tls_established(TransportFacts(is_encrypted=True))

    async def online(self) -> Self:
        """Log in."""
        event = await self.event()
        assert isinstance(event, Online | Resumed), event
        return self

    async def stanza(self) -> Stanza:
        """Return the next stanza."""
        while not isinstance(event := await self.event(), Stanza):
            assert not isinstance(event, StreamClosed), event
        return event

    async def closed(self) -> StreamClosed:
        """Wait for the end."""
        while not isinstance(event := await self.event(), StreamClosed):
            pass
        return event

    def flush(self) -> None:
        data = self.stream.data_to_send()
        if data and not self.writer.is_closing():
            self.writer.write(data)

    def send(self, stanza: Stanza) -> None:
        self.stream.send(stanza)
        self.flush()


class Clients:
    """Clients of one test, all of which are gone when it ends."""

    def __init__(self) -> None:
        self._opened: list[Raw] = []

    async def raw(self, port: int | None, context: ssl.SSLContext | None = None) -> Raw:
        """Connect, to send bytes by hand."""
        raw = await Raw.connect(port, context)
        self._opened.append(raw)
        return raw

    async def login(self, port: int | None, name: str, tls: ssl.SSLContext | None = None, **wishes: object) -> Client:
        """Connect and log in: by STARTTLS if `tls` is given, or with `is_direct` inside TLS."""
        return await (await self.connect(port, name, tls, **wishes)).online()

    async def connect(self, port: int | None, name: str, tls: ssl.SSLContext | None = None, **wishes: object) -> Client:
        """Connect, and do not log in yet."""
        client = await Client.connect(port, tls if wishes.get("is_direct") else None)
        self._opened.append(client)
        return client.prepare(name, tls=tls, **wishes)  # type: ignore[arg-type] # as `prepare` names them

    async def close(self) -> None:
        for raw in self._opened:
            raw.close()
        for raw in self._opened:
            with suppress(ConnectionError, ssl.SSLError):
                await raw.writer.wait_closed()
