"""Listener processes as real processes: started, found again by the next core, started anew when they die, drained."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from chassis.lock import is_held
from chassis.settings import load
from edge_node.backplane.metrics import ServerMetrics
from edge_node.backplane.server import BackplaneServer
from edge_node.listeners.process import EXIT_RUNS_ALREADY, ListenerConfiguration, lock_path
from edge_node.listeners.supervisor import ListenerSupervisor, listener_command
from tests.support.clients import Clients
from tests.support.cores import POLICY, Disk, ToyCore
from xmpp.errors import StreamCondition
from xmpp.jid import JID
from xmpp.stanza import Stanza

SECONDS = 30.0


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        chosen: int = free.getsockname()[1]
    return chosen


@pytest.fixture
def config(tmp_path: Path, port: int) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(
        f"""
        domain = "corp.example"
        [listeners]
        processes = 2
        require_tls = false
        adoption_seconds = 1.0
        restart_seconds_min = 0.05
        drain_seconds = 2.0
        tcp = {{ host = "127.0.0.1", port = {port} }}
        http = {{ host = "127.0.0.1", port = 0 }}
        connection = {{ closing_seconds = 0.5 }}
        [backplane]
        reconnect_seconds_max = 0.1
        absence_seconds_max = 20
        [logging]
        level = "warning"
        """
    )
    return path


@pytest.fixture
def disk() -> Disk:
    disk = Disk()
    for name in ("anna", "bruno"):
        disk.add_account(name, name)
    return disk


class Life:
    """One life of a core."""

    def __init__(self, server: BackplaneServer, supervisor: ListenerSupervisor, changed: asyncio.Event) -> None:
        self.server = server
        self.supervisor = supervisor
        self.changed = changed

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def all_here(self) -> dict[int, int]:
        await self.until(lambda: len(self.server.listeners) == 2)
        return dict(self.server.listeners)


@asynccontextmanager
async def life(config: Path, disk: Disk) -> AsyncIterator[Life]:
    """Live without a drain at the end, as if killed."""
    settings = load(ListenerConfiguration, config, {})
    event = asyncio.Event()

    def changed() -> None:
        event.set()
        supervisor.changed()

    metrics = ServerMetrics(CollectorRegistry())
    server = BackplaneServer(settings.backplane, ToyCore(disk), POLICY, metrics, changed, settings.listeners.processes)

    def survives(index: int) -> bool:
        return is_held(lock_path(settings.backplane, index))

    supervisor = ListenerSupervisor(settings.listeners, server, listener_command(config), survives)
    await server.start()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        try:
            yield Life(server, supervisor, event)
        finally:
            running.cancel()
            await server.stop()


async def test_they_outlive_the_core_and_are_found_again(config: Path, disk: Disk, clients: Clients, port: int) -> None:
    async with life(config, disk) as first:
        processes = await first.all_here()
        await listening(port)
        anna = await clients.login(port, "anna")
        bruno = await clients.login(port, "bruno")
    async with life(config, disk) as second:
        assert await second.all_here() == processes
        anna.send(Stanza("message", to=JID.parse("bruno@corp.example"), inner=b"<body>still here</body>"))
        assert (await bruno.stanza()).inner == b"<body>still here</body>"
        command = [sys.executable, "-m", "edge_node.listeners", "--config", str(config), "--index", "0"]
        assert await asyncio.to_thread(subprocess.call, command) == EXIT_RUNS_ALREADY

        os.kill(processes[0], signal.SIGKILL)
        await second.until(lambda: second.server.listeners.get(0, processes[0]) != processes[0])
        again = await second.all_here()
        assert again[0] != processes[0]
        assert again[1] == processes[1]

        last = await clients.login(port, "anna")
        draining = asyncio.get_running_loop().create_task(second.supervisor.drain())
        closed = await last.closed()
        assert closed.error is not None
        assert closed.error.condition is StreamCondition.SYSTEM_SHUTDOWN
        async with asyncio.timeout(SECONDS):
            await draining
        assert second.server.listeners == {}
    for child in [*first.supervisor.children.values(), *second.supervisor.children.values()]:
        async with asyncio.timeout(SECONDS):
            await asyncio.to_thread(child.wait)


async def test_a_process_told_to_end_tells_its_clients(config: Path, disk: Disk, clients: Clients, port: int) -> None:
    settings = load(ListenerConfiguration, config, {})
    core = ToyCore(disk)
    event = asyncio.Event()
    server = BackplaneServer(settings.backplane, core, POLICY, ServerMetrics(CollectorRegistry()), event.set, 1)
    await server.start()
    child = await asyncio.create_subprocess_exec(*listener_command(config)(0))
    async with asyncio.timeout(SECONDS):
        while not server.listeners:
            event.clear()
            await event.wait()
        await listening(port)
        anna = await clients.login(port, "anna")
        child.terminate()
        error = (await anna.closed()).error
        assert error is not None
        assert error.condition is StreamCondition.SYSTEM_SHUTDOWN
        anna.close()
        assert await child.wait() == 0
    assert core.attachments[-1].ended == (False, "system-shutdown")
    await server.stop()


async def listening(port: int) -> None:
    """Wait until somebody listens there."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            continue
        writer.close()
        await writer.wait_closed()
        return
