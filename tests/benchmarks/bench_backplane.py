"""What a stanza costs on its way through a listener, and what an idle connection weighs.

`python -m tests.benchmarks.bench_backplane [connections]` prints a table: CPU microseconds of one process per stanza,
the best of several rounds, and KiB of resident memory per bound, idle plaintext connection of a listener (its core is
a stub).
"""

import asyncio
import gc
import multiprocessing
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from random import Random
from typing import Final

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from chassis.resources import raise_file_limit
from edge_node.backplane.attachment import RemoteAttachment
from edge_node.backplane.client import RemoteCore
from edge_node.backplane.metrics import BackplaneMetrics, ServerMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import Attachment, Channel, ConnectionFacts, Reattachment
from edge_node.backplane.server import BackplaneServer
from edge_node.backplane.settings import BackplaneSettings
from edge_node.listeners.listener import Listener
from edge_node.listeners.settings import ListenerSettings
from edge_node.listeners.tcp import TCPPorts
from xmpp.client_stream import ClientSettings, ClientStream
from xmpp.framing import TcpFraming
from xmpp.jid import JID
from xmpp.parser import ParserPool
from xmpp.sasl import Credentials, KeyCache, derive
from xmpp.sasl.client import Login
from xmpp.stanza import Stanza
from xmpp.transitions import StreamState

DOMAIN: Final = "corp.example"
POLICY: Final = StreamPolicy(DOMAIN, b"secret", 4096)
CREDENTIALS: Final = Credentials({"SHA-256": derive("demo", b"salt of all", 4096, "SHA-256")})
FACTS: Final = ConnectionFacts("127.0.0.1", "tcp", encrypted=False)
STANZAS: Final = 20_000
PER_TURN: Final = 16
ROUNDS: Final = 5
INNER: Final = b"<body>Shall we meet at noon?</body><request xmlns='urn:xmpp:receipts'/>"
PAYLOADS: Final = ("{jabber:client}body", "{urn:xmpp:receipts}request")


class Stub:
    """A core, its attachments, and a channel, which do the least that is possible."""

    def __init__(self, channel: Channel | None = None) -> None:
        self.channel = channel
        self.number = 0

    def attach(self, channel: Channel, facts: ConnectionFacts) -> Attachment:
        return Stub(channel)

    def reattach(self, channel: Channel, facts: ConnectionFacts, state: Reattachment) -> Attachment | None:
        return None

    def find_credentials(self, username: str) -> None:
        assert self.channel is not None
        self.channel.credentials_found(CREDENTIALS)

    def authenticated(self, account: str) -> None:
        self.account = account

    def bind(self, resource: str | None) -> None:
        assert self.channel is not None
        self.channel.bound(JID(self.account, DOMAIN, resource or "r"), 1)

    def enable_management(self, resume: bool, max_seconds: int | None) -> None:
        """Not offered."""

    def resume(self, previous_id: str, h: int) -> None:
        """Not offered."""

    def receive(self, stanza: Stanza) -> None:
        assert self.channel is not None
        self.number += 1
        self.channel.handled(self.number)

    def acknowledge(self, h: int) -> None:
        """Nothing waits."""

    def detach(self, clean: bool, reason: str) -> None:
        """Nothing is kept."""


class Sink:
    """A channel that counts."""

    def __init__(self) -> None:
        self.deliveries = 0
        self.number = 0
        self.ready = asyncio.Event()

    def bound(self, jid: JID, session_key: int) -> None:
        self.ready.set()

    def deliver(self, data: bytes) -> None:
        self.deliveries += 1

    def handled(self, h: int) -> None:
        self.number = h

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


class Found:
    def __init__(self) -> None:
        self.event = asyncio.Event()

    def found(self, policy: StreamPolicy) -> None:
        self.event.set()

    def drain(self, reason: str) -> None:
        """It does not."""


def stanza() -> Stanza:
    return Stanza("message", "chat", "m1", JID.parse(f"bruno@{DOMAIN}"), payloads=PAYLOADS, inner=INNER)


async def crossing(folder: Path) -> dict[str, float]:
    """Both ends of the backplane in one process: what it costs both together."""
    settings = BackplaneSettings(path=folder / "b.sock", unhandled_stanzas_max=65_536)
    server = BackplaneServer(settings, Stub(), POLICY, ServerMetrics(CollectorRegistry()), lambda: None, 1)
    await server.start()
    found = Found()
    core = RemoteCore(settings, 0, 1, BackplaneMetrics(CollectorRegistry()), Random(1), found)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(core.run())
        await found.event.wait()
        sinks = [Sink() for _ in range(50)]
        attachments = [core.attach(sink, FACTS) for sink in sinks]
        for attachment in attachments:
            attachment.authenticated("anna")
            attachment.bind(None)
        for sink in sinks:
            await sink.ready.wait()
        channels = [stub.channel for stub in next(iter(server._peers.values()))._attachments.values()]  # type: ignore[attr-defined]  # noqa: SLF001
        results = {
            "listener to core and its answer": await best(lambda: up(attachments[0], sinks[0])),
            "core to listener, one recipient": await best(lambda: down(channels[:1], sinks[:1])),
            "core to listener, 50 recipients": await best(lambda: down(channels, sinks)),
        }
        running.cancel()
    await server.stop()
    return results


async def up(attachment: Attachment, sink: Sink) -> int:
    assert isinstance(attachment, RemoteAttachment)
    until = sink.number + STANZAS
    one = stanza()
    for _ in range(STANZAS // PER_TURN):
        for _ in range(PER_TURN):
            attachment.receive(one)
        await asyncio.sleep(0)
    while sink.number < until:  # noqa: ASYNC110 - what is measured is what it costs to get there
        await asyncio.sleep(0)
    return STANZAS


async def down(channels: list[Channel], sinks: list[Sink]) -> int:
    until = sinks[-1].deliveries + STANZAS // len(channels)
    rendered = stanza().render()
    for number in range(STANZAS // len(channels)):
        data = bytes(bytearray(rendered))
        for channel in channels:
            channel.deliver(data)
        if number % PER_TURN == 0:
            await asyncio.sleep(0)
    while sinks[-1].deliveries < until:  # noqa: ASYNC110
        await asyncio.sleep(0)
    return STANZAS // len(channels) * len(channels)


async def best(measure: Callable[[], Awaitable[int]]) -> float:
    results: list[float] = []
    for _ in range(ROUNDS):
        started = time.process_time()
        count = await measure()
        results.append((time.process_time() - started) / count * 1e6)
    return min(results)


def resident_kib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024


def serve(pipe: Pipe, connections: int) -> None:
    """A listener in a process of its own, with a stub for a core."""

    async def run() -> None:
        raise_file_limit()
        negotiation = {"connections_per_address_max": 10_000, "connections_max": 10_000}
        rate = {"burst_stanzas": 1_000_000, "burst_bytes": 1 << 30}
        settings = ListenerSettings.model_validate(
            {
                "require_tls": False,
                "tcp": {"host": "127.0.0.1", "port": 0},
                "negotiation": negotiation,
                "rate": rate,
                "connections_max": connections + 10,
            }
        )
        async with Listener(settings, Stub(), POLICY, None, CollectorRegistry()) as listener:
            ports = TCPPorts(listener)
            await ports.start()
            before = resident_kib()
            pipe.send(ports.port)
            ended = asyncio.Event()

            def command() -> None:
                match pipe.recv():
                    case "memory":
                        pipe.send(resident_kib() - before)
                    case "cpu":
                        pipe.send((time.process_time(), listener.metrics.stanzas_received))
                    case _:
                        ended.set()

            listener.loop.add_reader(pipe.fileno(), command)
            await ended.wait()
            ports.stop()
            for connection in list(listener.connections):
                connection.drop("over")  # type: ignore[attr-defined]
            await listener.drain()

    uvloop.run(run())


async def log_in(port: int, keys: KeyCache, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    login = Login(username=name, password="demo", derive_keys=keys.derive_keys)
    wishes = ClientSettings(domain=DOMAIN, login=login, token=secrets.token_hex, requires_tls=False)
    stream = ClientStream(wishes, TcpFraming(), ParserPool())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while stream.state is not StreamState.ONLINE:
        writer.write(stream.data_to_send())
        stream.receive_data(await reader.read(65536))
    return reader, writer


async def idle(connections: int) -> dict[str, float]:
    raise_file_limit()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there, connections))
    process.start()
    port = here.recv()
    keys = KeyCache(10)
    for number in range(20):  # what is made once is there
        _, writer = await log_in(port, keys, f"warm{number}")
        writer.close()
    here.send("memory")
    before = here.recv()
    opened = [await log_in(port, keys, f"user{number}") for number in range(connections)]
    here.send("memory")
    weight = (here.recv() - before) / connections
    data = stanza().render()
    here.send("cpu")
    cpu, count = here.recv()
    for _ in range(20):
        for _, writer in opened[:1000]:
            writer.write(data)
        await asyncio.sleep(0.01)
    for _, writer in opened[:1000]:
        await writer.drain()
    await asyncio.sleep(0.3)
    here.send("cpu")
    cpu_after, count_after = here.recv()
    here.send("end")
    process.join()
    return {
        f"KiB of {connections} idle connections, each": weight,
        "socket to core, one stanza a read": (cpu_after - cpu) / (count_after - count) * 1e6,
    }


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as folder:
        results = uvloop.run(crossing(Path(folder)))
    results |= uvloop.run(idle(connections))
    for name, value in results.items():
        sys.stdout.write(f"{name:45} {value:8.2f}\n")


if __name__ == "__main__":
    main()
