"""The load generator: a process of its own, told by lines of JSON on standard input, answering on standard output.

It logs in through `xmpp.ClientStream` and then goes raw: a client's message is rendered once, and what comes back is
counted, not parsed.  So it costs a fraction of what it measures; its own CPU is reported beside.
"""

import asyncio
import json
import resource
import secrets
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import aiofastnet
import uvloop

from tests.benchmarks.edge.server import DOMAIN, PASSWORD, name_of
from xmpp import namespaces
from xmpp.client_stream import ClientSettings, ClientStream
from xmpp.element import Element
from xmpp.events import ManagementEnabled, Online, StreamClosed
from xmpp.framing import TcpFraming
from xmpp.jid import JID
from xmpp.parser import ParserPool
from xmpp.payloads import carbons
from xmpp.payloads.roster import Roster
from xmpp.sasl import KeyCache, TransportFacts
from xmpp.sasl.client import Login
from xmpp.stanza import Stanza

LOGINS_AT_ONCE = 64
TICK_SECONDS = 0.01
REQUEST_EVERY = 5
"""Messages after which a client asks for an acknowledgement."""
SETTLE_SECONDS = 10.0
END = b"</message>"
ENDS = (END, b"</iq>", b"</presence>")
REQUEST = b'<r xmlns="urn:xmpp:sm:3"/>'
VERBS = frozenset({"login", "echo", "send"})
TEXT = "The semaphore on the hill has stopped; could you send somebody up before noon?"
KEYS = KeyCache(16)
POOL = ParserPool()


def login_of(number: int, *, manages: bool) -> ClientSettings:
    return ClientSettings(
        domain=DOMAIN,
        login=Login(username=name_of(number), password=PASSWORD, derive_keys=KEYS.derive_keys),
        token=lambda: secrets.token_urlsafe(18),
        resource="load",
        requires_tls=False,
        wants_management=manages,
    )


def message_to(number: int) -> bytes:
    """About 350 bytes, as today's clients write them."""
    id_ = secrets.token_hex(8)
    payload = (
        Element(f"{{{namespaces.CLIENT}}}body", children=(TEXT,)),
        Element(f"{{{namespaces.RECEIPTS}}}request"),
        Element(f"{{{namespaces.CHAT_STATES}}}active"),
        Element(f"{{{namespaces.STANZA_ID}}}origin-id", {"id": id_}),
    )
    return Stanza.build("message", *payload, type="chat", id=id_, to=JID(name_of(number), DOMAIN)).render()


class Counter:
    """What all clients have received, and when."""

    def __init__(self) -> None:
        self.messages = 0
        self.reached = asyncio.Event()
        self.goal = 0

    def add(self, count: int) -> None:
        self.messages += count
        if self.messages >= self.goal:
            self.reached.set()


class LoadClient(asyncio.Protocol):
    """One connection: a whole client until it is online and greeted, a counter of bytes from then on."""

    def __init__(self, number: int, counter: Counter, *, is_encrypted: bool, manages: bool) -> None:
        facts = TransportFacts(is_encrypted=is_encrypted)
        settings = login_of(number, manages=manages)
        self.stream: ClientStream | None = ClientStream(settings, TcpFraming(), POOL, facts)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.message = message_to(number ^ 1)  # 2n talks to 2n + 1, and the other way round
        self.message_and_request = self.message + REQUEST if manages else self.message
        self._greets_after = ManagementEnabled if manages else Online
        self.sent = 0
        self._counter = counter
        self._tail = b""
        self._received = 0
        self._answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"lost while logging in: {error}"))

    def data_received(self, data: bytes) -> None:
        if self.stream is not None:
            self._greet(self.stream, data)
            return
        # An end may be cut in two.
        data = self._tail + data
        self._tail = data[-len(END) + 1 :] if not data.endswith(END) else b""
        count = data.count(END)
        if count:
            self._received += count
            self._counter.add(count)
        if b"<r " in data:
            self.transport.write(b'<a xmlns="urn:xmpp:sm:3" h="%d"/>' % self._received)

    def send(self) -> None:
        self.sent += 1
        self.transport.write(self.message if self.sent % REQUEST_EVERY else self.message_and_request)

    def _greet(self, stream: ClientStream, data: bytes) -> None:
        stream.receive_data(data)
        for event in stream.events_received():
            if isinstance(event, self._greets_after):
                for iq in (("get", Roster().element()), ("set", Element(carbons.ENABLE))):
                    stream.send(Stanza.build("iq", iq[1], type=iq[0], id=f"greeting-{iq[0]}"))
                stream.send(Stanza.build("presence"))
            elif isinstance(event, Stanza) and event.kind == "iq" and event.type == "result":
                self._answers += 1
            elif isinstance(event, StreamClosed) and not self.ready.done():
                self.ready.set_exception(ConnectionError(f"refused: {event.error}"))
        self._flush()
        if self._answers == 2 and not self.ready.done():
            self._received = stream.received
            self.stream = None
            self.ready.set_result(None)

    def _flush(self) -> None:
        if self.stream is not None and (data := self.stream.data_to_send()):
            self.transport.write(data)


class EchoClient(asyncio.Protocol):
    """One connection to the yardstick."""

    def __init__(self, number: int, counter: Counter) -> None:
        self.message = message_to(number)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._counter = counter
        self._bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.ready.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        count, self._bytes = divmod(self._bytes, len(self.message))
        self._counter.add(count)

    def send(self) -> None:
        self.transport.write(self.message)


class Load:
    """All clients of this process."""

    def __init__(self, port: int, ca: str = "", *, manages: bool = True) -> None:
        self._port = port
        self._manages = manages
        self._tls = ssl.create_default_context(cafile=ca) if ca else None
        self._counter = Counter()
        self._clients: list[LoadClient | EchoClient] = []
        self._turn: Iterator[LoadClient | EchoClient] = iter(())

    async def login(self, first: int, count: int) -> dict[str, object]:
        """Log clients in, a bounded number at a time."""
        numbers = iter(range(first, first + count))
        is_encrypted = self._tls is not None

        async def some() -> None:
            for number in numbers:
                await self._connect(
                    partial(LoadClient, number, self._counter, is_encrypted=is_encrypted, manages=self._manages)
                )

        async with asyncio.TaskGroup() as tasks:
            for _ in range(LOGINS_AT_ONCE):
                tasks.create_task(some())
        return {"clients": len(self._clients)}

    async def echo(self, count: int) -> dict[str, object]:
        for number in range(count):
            await self._connect(partial(EchoClient, number, self._counter))
        return {"clients": len(self._clients)}

    async def _connect(self, make: Callable[[], LoadClient | EchoClient]) -> None:
        loop = asyncio.get_running_loop()
        if self._tls is None:
            _, client = await loop.create_connection(make, "127.0.0.1", self._port)
        else:
            # uvloop's own TLS would cost more than the server under test.
            _, client = await aiofastnet.create_connection(
                loop, make, "127.0.0.1", self._port, ssl=self._tls, server_hostname=DOMAIN
            )
        await client.ready
        self._clients.append(client)
        self._turn = cycle(self._clients)

    async def send(self, seconds: float, rate: int) -> dict[str, object]:
        """Send at a steady rate, in turn from every client, and wait until all has come."""
        counter, turn = self._counter, self._turn
        before = counter.messages
        cpu = own_cpu_seconds()
        total = round(seconds * rate)
        counter.goal = before + total
        counter.reached.clear()
        sent, start = 0, time.perf_counter()
        while sent < total:
            due = min(total, int((time.perf_counter() - start) * rate) + 1)
            for _ in range(due - sent):
                next(turn).send()
            sent = max(sent, due)
            await asyncio.sleep(TICK_SECONDS)
        took_to_send = time.perf_counter() - start
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await counter.reached.wait()
        except TimeoutError:
            pass
        took = time.perf_counter() - start
        return {
            "sent": sent,
            "delivered": counter.messages - before,
            "seconds": took,
            "late_seconds": took_to_send - seconds,
            "own_cpu_seconds": own_cpu_seconds() - cpu,
            "message_bytes": len(self._clients[0].message),
        }


def own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    load: Load | None = None
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        verb = order.pop("do")
        result: dict[str, object] = {}
        if verb == "open":
            load = Load(**order)
        elif verb in VERBS:
            result = await getattr(load, verb)(**order)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    uvloop.run(main())
