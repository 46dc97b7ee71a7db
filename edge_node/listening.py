"""Where clients connect: in this process, or in listener processes that this one keeps running."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from chassis.lifecycle import Drain
from chassis.lock import is_held
from edge_node.backplane.metrics import ServerMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.server import BackplaneServer
from edge_node.core.core import Core
from edge_node.listeners.http import HTTPPort
from edge_node.listeners.listener import Listener
from edge_node.listeners.process import load_tls, lock_path
from edge_node.listeners.supervisor import ListenerSupervisor, listener_command
from edge_node.listeners.tcp import TCPPorts
from edge_node.settings import EdgeSettings


@dataclass(frozen=True, slots=True)
class ClientPorts:
    """Where clients connect; None: not at all, or the port is held by listener processes."""

    starttls: int | None = None
    direct_tls: int | None = None
    http: int | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """Clients are let in, as long as its context is open."""

    ports: ClientPorts
    is_complete: Callable[[], bool]
    """Whether all that should listen does."""


@asynccontextmanager
async def listening_here(
    settings: EdgeSettings, core: Core, policy: StreamPolicy, registry: CollectorRegistry
) -> AsyncIterator[Listening]:
    """Listen in this process; leaving it ends all streams, in bounded time."""
    async with Listener(settings.listeners, core, policy, load_tls(settings.listeners), registry) as listener:
        tcp, http = TCPPorts(listener), HTTPPort(listener)
        try:
            await tcp.start()
            await http.start()
            yield Listening(ClientPorts(tcp.port, tcp.tls_port, http.port), lambda: True)
        finally:
            tcp.stop()
            http.stop()
            await listener.drain()


@asynccontextmanager
async def listening_elsewhere(
    settings: EdgeSettings, core: Core, policy: StreamPolicy, registry: CollectorRegistry, config: Path, drain: Drain
) -> AsyncIterator[Listening]:
    """Have listener processes listen; leaving it ends them, in bounded time.

    If this process dies, or drains for a restart, they go on, and the next one finds them.
    """
    processes = settings.listeners.processes
    supervisor: ListenerSupervisor | None = None

    def changed() -> None:
        if supervisor is not None:
            supervisor.changed()

    def survives(index: int) -> bool:
        return is_held(lock_path(settings.backplane, index))

    server = BackplaneServer(
        settings.backplane, core, policy, ServerMetrics(registry), changed, listeners_max=processes
    )
    await server.start()
    try:
        supervisor = ListenerSupervisor(settings.listeners, server, listener_command(config), survives)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(supervisor.run())
            yield Listening(ClientPorts(), lambda: len(server.listeners) >= processes)
            if not drain.is_restart:
                await supervisor.drain()
            running.cancel()
    finally:
        await server.stop(detaches=not drain.is_restart)
