"""An edge and a hub put together without ports and files, to be asked what they are."""

import asyncio
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from central_hub.adapters.memory.directory import MemoryDirectory
from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.links.metrics import ExchangeMetrics, SiteGauges
from central_hub.operations.status import LinkStatus
from chassis.clock import IdSource, SystemClock
from chassis.expiry import CertificateExpiry
from chassis.metrics import CollectorPauses, LoopLag
from edge_node.adapters.memory import open_store
from edge_node.backplane.metrics import BackplaneMetrics, ServerMetrics
from edge_node.composition import EdgeCore, Surroundings
from edge_node.journal import LoggedJournal
from edge_node.listeners.admission import Admission
from edge_node.listeners.metrics import ListenerMetrics
from edge_node.listeners.settings import ListenerSettings
from edge_node.metrics import EdgeGauges
from edge_node.pipeline.feature import Feature
from edge_node.settings import EdgeSettings
from edge_node.tasks import BoundedTasks

DOMAIN = "corp.example"


@dataclass(frozen=True, slots=True)
class Composed:
    """What is asked."""

    features: tuple[Feature, ...]
    core: CollectorRegistry
    listener: CollectorRegistry
    hub: CollectorRegistry


class Nobody:
    """Links and spools of a hub without sites."""

    def link_status(self, site: str) -> LinkStatus | None:
        """No link."""
        return None

    def watched_by(self, site: str) -> int:
        """Nobody."""
        return 0

    def usage(self, site: str) -> tuple[int, int]:
        """Nothing waits."""
        return 0, 0

    def age_seconds(self, site: str) -> float:
        """Nor has it."""
        return 0.0


def composed() -> Composed:
    """Put everything together, as it is by default."""
    return asyncio.run(_composed())


async def _composed() -> Composed:
    core, listener, hub = (CollectorRegistry() for _ in range(3))
    for registry in (core, listener, hub):
        CollectorPauses(registry)
        LoopLag(registry)
    settings = EdgeSettings(domain=DOMAIN, site="paris", listeners=ListenerSettings())
    store, clock = open_store(), SystemClock()
    async with asyncio.TaskGroup() as group:
        tasks = BoundedTasks(group, settings.tasks_max)
        edge = EdgeCore(Surroundings(settings, store, clock, IdSource(clock).next_id, tasks, LoggedJournal(core)))
        core.register(EdgeGauges(edge, store, tasks, clock))
        ServerMetrics(core)
        ListenerMetrics(listener, Admission(settings.listeners))
        BackplaneMetrics(listener)
        ExchangeMetrics(hub)
        directory = Directory(MemoryDirectory(), edits_per_commit=1)
        hub.register(SiteGauges(directory, Replicas(), Nobody(), Nobody()))
        for registry in (core, hub):
            registry.register(CertificateExpiry({}))
        return Composed(edge.features, core, listener, hub)
