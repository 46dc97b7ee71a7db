"""What the hub shows of its sites."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from central_hub.adapters.memory.directory import MemoryDirectory
from central_hub.directory.changes import AccountEdit
from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.directory.sites import Site
from central_hub.links.metrics import ExchangeMetrics, SiteGauges
from central_hub.operations.status import LinkStatus


@dataclass
class Links:
    linked: set[str] = field(default_factory=set)

    def link_status(self, site: str) -> LinkStatus | None:
        return LinkStatus(1, "test") if site in self.linked else None

    def watched_by(self, site: str) -> int:
        return len(site)

    def usage(self, site: str) -> tuple[int, int]:
        return (3, 900) if site not in self.linked else (0, 0)

    def age_seconds(self, site: str) -> float:
        return 60.0 if site not in self.linked else 0.0


async def test_every_site_has_its_figures() -> None:
    directory, replicas, links = Directory(MemoryDirectory(), edits_per_commit=9), Replicas(), Links({"paris"})
    for name in ("paris", "lyon"):
        await directory.put_site(Site(name, "h", 1, 100))
    await directory.edit([AccountEdit(local=name, site="paris", verifiers=()) for name in ("anna", "bruno", "chloe")])
    replicas.confirm("paris", directory.newest_version("paris") - 1)
    registry = CollectorRegistry()
    registry.register(SiteGauges(directory, replicas, links, links))
    names = (
        "site_linked",
        "site_accounts",
        "site_accounts_behind",
        "site_watched_accounts",
        "spool_envelopes",
        "spool_bytes",
        "spool_oldest_seconds",
    )
    figures = {
        site: [registry.get_sample_value(f"hub_{name}", {"site": site}) for name in names] for site in ("paris", "lyon")
    }
    assert figures == {"paris": [1, 3, 1, 5, 0, 0, 0], "lyon": [0, 0, 0, 4, 3, 900, 60]}


def test_counters_are_declared_once_each() -> None:
    registry = CollectorRegistry()
    metrics = ExchangeMetrics(registry)
    metrics.envelopes.labels("paris").inc()
    assert registry.get_sample_value("hub_envelopes_total", {"origin": "paris"}) == 1
