"""A listener process: it holds the sockets and speaks with the clients; its core is elsewhere and may come and go.

`python -m edge_node.listeners --config edge.toml --index 0`, started by the core (`edge_node.listeners.supervisor`).
Rule: one process for each index, held by a lock file, so that a core that was restarted cannot start a second one.
"""

import asyncio
import os
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import structlog
from annotated_types import Gt, Le
from prometheus_client import CollectorRegistry
from pydantic import ConfigDict

from chassis.http import OperationsServer, OperationsSettings
from chassis.lifecycle import Drain
from chassis.logging import LoggingSettings
from chassis.metrics import CollectorPauses, LoopLag, new_registry
from chassis.resources import raise_file_limit, settle_collector
from chassis.settings import Settings
from chassis.tls import ServerTLS
from edge_node.backplane.client import RemoteCore
from edge_node.backplane.metrics import BackplaneMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.settings import BackplaneSettings
from edge_node.listeners.http import HTTPPort
from edge_node.listeners.listener import Listener
from edge_node.listeners.settings import ListenerSettings
from edge_node.listeners.tcp import ALPN, TCPPorts

EXIT_RUNS_ALREADY: Final = 75
"""Exit code (EX_TEMPFAIL of sysexits.h): another process has this index."""

_LEAVING_SECONDS: Final = 2.0

log = structlog.get_logger()


def lock_path(settings: BackplaneSettings, index: int) -> Path:
    """Where a listener process says that it lives."""
    return settings.path.with_name(f"{settings.path.name}.listener-{index}.lock")


class _Core:
    """What this process hears of its core."""

    def __init__(self, drain: Drain) -> None:
        self.policy: asyncio.Future[StreamPolicy] = asyncio.get_running_loop().create_future()
        self.listener: Listener | None = None
        self._drain = drain

    def found(self, policy: StreamPolicy) -> None:
        if not self.policy.done():
            self.policy.set_result(policy)
        if self.listener is not None:
            self.listener.adopt(policy)

    def drain(self, reason: str) -> None:
        self._drain.request(reason)


@dataclass(frozen=True, slots=True)
class ListenerProcess:
    """One listener process, as its settings want it."""

    settings: ListenerSettings
    backplane: BackplaneSettings
    index: int
    operations: OperationsSettings | None = None
    """Where this process shows its figures, if anywhere."""

    async def run(self, drain: Drain) -> None:
        """Serve until the drain, then end all streams.

        Raises:
            chassis.errors.OperatorError: a certificate or a port is not to be had.
        """
        raise_file_limit()
        registry = new_registry()
        with CollectorPauses(registry), LoopLag(registry):
            await self._serve(drain, registry)

    async def _serve(self, drain: Drain, registry: CollectorRegistry) -> None:
        tls = load_tls(self.settings)
        events = _Core(drain)
        core = RemoteCore(self.backplane, self.index, os.getpid(), BackplaneMetrics(registry), random.Random(), events)
        async with asyncio.TaskGroup() as tasks:
            connected = tasks.create_task(core.run())
            ended = tasks.create_task(drain.wait())
            either: list[asyncio.Future[Any]] = [events.policy, ended]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if events.policy.done():
                await self._listen(drain, registry, core, events, tls)
            core.end()
            ended.cancel()
            await asyncio.wait([connected], timeout=_LEAVING_SECONDS)
            connected.cancel()

    async def _listen(
        self, drain: Drain, registry: CollectorRegistry, core: RemoteCore, events: _Core, tls: ServerTLS | None
    ) -> None:
        async with AsyncExitStack() as stack:
            listener = Listener(self.settings, core, events.policy.result(), tls, registry)
            await stack.enter_async_context(listener)
            events.listener = listener
            ports = (TCPPorts(listener), HTTPPort(listener))
            for port in ports:
                await port.start(reuse_port=True)
                stack.callback(port.stop)
            await self._show(registry, core, drain, stack)
            settle_collector()
            log.info("listener_ready", index=self.index)
            await drain.wait()
            log.info("listener_draining", index=self.index, reason=drain.reason)
            for port in ports:
                port.stop()
            await listener.drain()
        log.info("listener_stopped", index=self.index)

    async def _show(self, registry: CollectorRegistry, core: RemoteCore, drain: Drain, stack: AsyncExitStack) -> None:
        if self.operations is None:
            return

        def readiness() -> list[tuple[str, bool]]:
            return [("core", not core.is_away), ("not_draining", not drain.is_requested)]

        server = OperationsServer(self.operations, registry, readiness, "listeners.operations_port")
        await server.start()
        stack.push_async_callback(server.stop)


def load_tls(settings: ListenerSettings) -> ServerTLS | None:
    """Return the certificate of the settings, if there is one.  Raises `chassis.pki.CertificateError`."""
    return None if settings.tls is None else ServerTLS(settings.tls.certificate, settings.tls.key, [ALPN])


class ListenerConfiguration(Settings):
    """What a listener process reads of the edge's settings file; the rest is the core's."""

    model_config = ConfigDict(extra="ignore")

    listeners: ListenerSettings = ListenerSettings()
    backplane: BackplaneSettings = BackplaneSettings()
    operations: OperationsSettings = OperationsSettings()
    logging: LoggingSettings = LoggingSettings()
    drain_seconds: Annotated[float, Gt(0), Le(86_400)] = 30.0

    def process(self, index: int) -> ListenerProcess:
        """Return the process of that index."""
        first = self.listeners.operations_port
        operations = None
        if first is not None:
            operations = self.operations.model_copy(update={"port": first + index if first else 0})
        return ListenerProcess(self.listeners, self.backplane, index, operations)
