"""Listeners and core over the Unix socket: real sockets, a core that dies and comes back, listeners that die."""

import asyncio
import os
import random
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from chassis.binding import BindFailed
from edge_node.backplane import frames
from edge_node.backplane.client import RemoteCore
from edge_node.backplane.metrics import BackplaneMetrics, ServerMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.server import BackplaneServer
from edge_node.backplane.settings import BackplaneSettings
from edge_node.listeners.connection import Connection
from tests.integration.listeners.conftest import Edge, Start
from tests.support.clients import Client, Clients, until
from tests.support.cores import EVERYBODY, POLICY, Disk, ToyCore
from xmpp.errors import StreamCondition
from xmpp.events import ManagementEnabled, Online, Resumed
from xmpp.jid import JID
from xmpp.stanza import Stanza

BRUNO = JID.parse("bruno@corp.example")


def message(number: int, to: JID = BRUNO) -> Stanza:
    return Stanza("message", "chat", str(number), to, inner=b"<body>%d</body>" % number)


class Drains:
    """What a listener process would do."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.found_policy = asyncio.Event()
        self.policy: StreamPolicy | None = None

    def found(self, policy: StreamPolicy) -> None:
        self.policy = policy
        self.found_policy.set()

    def drain(self, reason: str) -> None:
        self.reasons.append(reason)


class Cores:
    """Cores that come and go on one socket and one disk."""

    def __init__(self, settings: BackplaneSettings, disk: Disk) -> None:
        self.settings = settings
        self.disk = disk
        self.server: BackplaneServer | None = None
        self.core = ToyCore(disk)
        self.changed = asyncio.Event()

    async def start(self) -> BackplaneServer:
        self.core = ToyCore(self.disk)
        metrics = ServerMetrics(CollectorRegistry())
        self.server = BackplaneServer(self.settings, self.core, POLICY, metrics, self.changed.set, 64)
        await self.server.start()
        return self.server

    async def kill(self) -> None:
        """End it as kill -9 would: what it had not committed is lost, and nobody is told."""
        assert self.server is not None
        self.core.submit = lambda accept: None  # type: ignore[method-assign]  # noqa: ARG005 - the port's name
        self.core.commit = lambda: None  # type: ignore[method-assign]
        self.core.channels.clear()
        await self.server.stop()

    async def listeners(self, number: int) -> None:
        assert self.server is not None
        async with asyncio.timeout(10):
            while len(self.server.listeners) != number:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def settings(tmp_path: Path) -> BackplaneSettings:
    return BackplaneSettings(path=tmp_path / "b.sock", reconnect_seconds_min=0.01, reconnect_seconds_max=0.05)


@pytest.fixture
async def cores(settings: BackplaneSettings) -> AsyncIterator[Cores]:
    disk = Disk()
    for name in ("anna", "bruno", "chloe"):
        disk.add_account(name, name)
    cores = Cores(settings, disk)
    await cores.start()
    yield cores
    if cores.server is not None:
        await cores.server.stop()


@dataclass(kw_only=True)
class Process(Edge):
    """What a listener process has, but for the process."""

    remote: RemoteCore
    drains: Drains
    running: "asyncio.Task[None]"


StartProcess = Callable[..., Awaitable[Process]]


@pytest.fixture
async def process(settings: BackplaneSettings, cores: Cores, start: Start) -> AsyncIterator[StartProcess]:
    """Start what a listener process has, in this process."""
    async with AsyncExitStack() as stack:

        async def start_process(index: int = 0, **changes: object) -> Process:
            drains = Drains()
            remote = RemoteCore(
                settings, index, os.getpid() + index, BackplaneMetrics(CollectorRegistry()), random.Random(1), drains
            )
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            running = tasks.create_task(remote.run())
            stack.callback(running.cancel)
            async with asyncio.timeout(10):
                await drains.found_policy.wait()
            edge = await start(remote, has_tls=False, require_tls=False, **changes)
            return Process(**vars(edge), remote=remote, drains=drains, running=running)

        yield start_process


async def numbers(client: Client, last: int) -> list[int]:
    """Return the numbers of the messages up to the last one."""
    received: list[int] = []
    while not received or received[-1] != last:
        received.append(int((await client.stanza()).id or 0))
    return received


async def test_talk_over_the_backplane(process: StartProcess, clients: Clients) -> None:
    edge = await process()
    anna = await clients.login(edge.tcp.port, "anna")
    bruno = await clients.login(edge.tcp.port, "bruno")
    for number in range(1, 101):
        anna.send(message(number))
    assert await numbers(bruno, 100) == list(range(1, 101))


@pytest.mark.parametrize("management", [False, True])
@pytest.mark.parametrize("commits_at_once", [True, False])
async def test_nothing_is_lost_or_doubled_when_the_core_dies(
    process: StartProcess, cores: Cores, clients: Clients, management: bool, commits_at_once: bool
) -> None:
    """With custody pending (`commits_at_once` False) the dead core takes stanzas with it; the listener has copies."""
    cores.core.commits_at_once = True
    edge = await process()
    anna = await clients.login(edge.tcp.port, "anna", management=management)
    bruno = await clients.login(edge.tcp.port, "bruno", management=management)
    received: list[int] = []
    for life in range(4):
        cores.core.commits_at_once = commits_at_once
        first = life * 50 + 1
        for number in range(first, first + 50):
            anna.send(message(number))
            if number % 10 == 0:
                await asyncio.sleep(0)
        if commits_at_once:
            received += await numbers(bruno, first + 49)
        await cores.kill()
        await cores.start()
        await cores.listeners(1)
        if not commits_at_once:
            received += await numbers(bruno, first + 49)
    assert received == list(range(1, 201))
    assert not anna.writer.is_closing()


async def test_what_was_delivered_to_nobody_follows_after_the_core_is_back(
    process: StartProcess, cores: Cores, clients: Clients
) -> None:
    edge = await process()
    bruno = await clients.login(edge.tcp.port, "bruno", management=True)
    assert isinstance(await bruno.event(), ManagementEnabled)
    await cores.kill()
    record = next(iter(cores.disk.sessions.values()))
    record.deliveries += [message(1).render(), message(2).render()]
    await cores.start()
    assert await numbers(bruno, 2) == [1, 2]


async def test_a_connection_in_the_middle_of_its_negotiation_is_closed(
    process: StartProcess, cores: Cores, clients: Clients
) -> None:
    edge = await process()
    anna = await clients.connect(edge.tcp.port, "anna")
    asked = asyncio.Event()
    cores.core.attach = lambda *_: Silent(asked)  # type: ignore[method-assign,assignment]
    waiting = asyncio.get_running_loop().create_task(anna.closed())
    await asked.wait()
    await cores.kill()
    closed = await waiting
    assert closed.error is not None
    assert closed.error.condition is StreamCondition.SYSTEM_SHUTDOWN


class Silent:
    """An attachment that answers nothing."""

    def __init__(self, asked: asyncio.Event) -> None:
        self.find_credentials = lambda _: asked.set()

    def detach(self, clean: bool, reason: str) -> None:
        """Nothing to do."""


async def test_who_logs_in_while_the_core_is_away_waits_for_it(
    process: StartProcess, cores: Cores, clients: Clients
) -> None:
    edge = await process()
    await cores.kill()
    await until(lambda: edge.remote.is_away)
    anna = await clients.connect(edge.tcp.port, "anna")
    logging_in = asyncio.get_running_loop().create_task(anna.event())
    await until(lambda: edge.listener.connections)
    await cores.start()
    assert isinstance(await logging_in, Online)


async def test_a_session_that_the_new_core_does_not_know_is_reset(
    process: StartProcess, cores: Cores, clients: Clients
) -> None:
    edge = await process()
    anna = await clients.login(edge.tcp.port, "anna")
    await cores.kill()
    cores.disk.sessions.clear()
    await cores.start()
    closed = await anna.closed()
    assert closed.error is not None
    assert closed.error.condition is StreamCondition.RESET


async def test_a_client_that_leaves_while_the_core_is_away_is_detached_with_what_it_said(
    process: StartProcess, cores: Cores, clients: Clients
) -> None:
    edge = await process()
    anna = await clients.login(edge.tcp.port, "anna")
    cores.core.commits_at_once = False
    anna.send(message(1))
    await until(lambda: cores.core.attachments[0].stanzas)
    await cores.kill()
    await until(lambda: edge.remote.is_away)
    for connection in list(edge.listener.connections):
        assert isinstance(connection, Connection)
        connection.drop("slow")
    await cores.start()
    await cores.listeners(1)
    await until(lambda: cores.core.attachments and cores.core.attachments[0].ended)
    assert [stanza.id for stanza in cores.core.attachments[0].stanzas] == ["1"]


async def test_a_dead_listener_is_detached_and_its_client_resumes_at_another(
    process: StartProcess, cores: Cores, clients: Clients
) -> None:
    first, second = await process(0), await process(1)
    bruno = await clients.login(first.tcp.port, "bruno", management=True)
    assert isinstance(await bruno.event(), ManagementEnabled)
    anna = await clients.login(second.tcp.port, "anna")
    anna.send(message(1))
    assert await numbers(bruno, 1) == [1]
    first.running.cancel()
    await cores.listeners(1)
    assert any(each.ended == (False, "the listener process is gone") for each in cores.core.attachments)
    anna.send(message(2))
    again = await clients.connect(second.tcp.port, "bruno", resumption=bruno.stream.resumption)
    assert isinstance(await again.event(), Resumed)
    assert await numbers(again, 2) == [2]


async def test_to_many_on_one_listener_crosses_once(process: StartProcess, cores: Cores, clients: Clients) -> None:
    edge = await process()
    people = [await clients.login(edge.tcp.port, "bruno", resource=f"r{n}") for n in range(20)]
    assert cores.server is not None
    peer = cores.server._peers[0]  # noqa: SLF001 - what crosses is the point
    counting = Counting(peer._transport)  # noqa: SLF001
    peer._transport = counting  # type: ignore[assignment]  # noqa: SLF001
    text = b"<message><body>%s</body></message>" % (b"x" * 10_000)
    cores.core.deliver(text, EVERYBODY)
    for person in people:
        assert len((await person.stanza()).inner) > 10_000
    assert counting.size_bytes < 11_000


class Counting:
    """A transport that counts what is written."""

    def __init__(self, transport: asyncio.Transport | None) -> None:
        assert transport is not None
        self._write = transport.write
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.abort = transport.abort
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        self.size_bytes += len(data)
        self._write(data)


async def test_the_drain_reaches_the_listener(process: StartProcess, cores: Cores) -> None:
    edge = await process()
    assert edge.drains.policy == POLICY
    assert cores.server is not None
    cores.server.drain()
    await until(lambda: edge.drains.reasons)
    assert edge.drains.reasons == ["the core drains"]


async def test_the_socket_is_its_owners_and_a_stale_one_is_replaced(settings: BackplaneSettings, cores: Cores) -> None:
    assert stat.S_IMODE(settings.path.stat().st_mode) == 0o600
    with pytest.raises(BindFailed, match="another core listens there"):
        await Cores(settings, cores.disk).start()
    await cores.kill()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(settings.path))
    await cores.start()
    assert stat.S_IMODE(settings.path.stat().st_mode) == 0o600


async def test_a_listener_of_another_version_or_a_second_one_is_refused(
    settings: BackplaneSettings, cores: Cores, process: StartProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await process()
    drains = Drains()
    metrics = BackplaneMetrics(CollectorRegistry())
    async with asyncio.timeout(10):
        await RemoteCore(settings, 0, 1, metrics, random.Random(1), drains).run()
    assert "already" in drains.reasons[0]
    monkeypatch.setattr("edge_node.backplane.frames.VERSION", frames.VERSION + 1)
    remote = RemoteCore(settings, 1, 2, metrics, random.Random(1), drains)
    monkeypatch.undo()
    async with asyncio.timeout(10):
        await remote.run()
    assert "version" in drains.reasons[1]


async def test_a_listener_without_a_core_gives_up(tmp_path: Path) -> None:
    settings = BackplaneSettings(
        path=tmp_path / "none", absence_seconds_max=0.01, reconnect_seconds_min=0.01, reconnect_seconds_max=0.01
    )
    drains = Drains()
    async with asyncio.timeout(10):
        await RemoteCore(settings, 0, 1, BackplaneMetrics(CollectorRegistry()), random.Random(1), drains).run()
    assert drains.reasons == ["the core stays away"]


async def test_garbage_on_the_socket_costs_only_its_connection(
    settings: BackplaneSettings, process: StartProcess, clients: Clients
) -> None:
    edge = await process()
    for garbage in (b"\x00\x00\x00\x01\xc1", b"\xff\xff\xff\xff", b"\x00\x00\x00\x05\x91\x94\x02\x01\xa1a"):
        reader, writer = await asyncio.open_unix_connection(str(settings.path))
        writer.write(garbage)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    await clients.login(edge.tcp.port, "anna")
