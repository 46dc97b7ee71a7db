"""Metrics of links, routing, spool and directory."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.operations.status import Links, SpoolUsage


class ExchangeMetrics:
    """What is counted as it happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Declare the counters in `registry`."""
        self.envelopes = Counter(
            "hub_envelopes_total", "Envelopes that came from sites.", ["origin"], registry=registry
        )
        self.refused = Counter(
            "hub_envelopes_refused_total",
            "Recipients that were answered with an error.",
            ["condition"],
            registry=registry,
        )
        self.forged = Counter(
            "hub_forged_total",
            "Envelopes and presences that spoke for somebody of another site.",
            ["site"],
            registry=registry,
        )
        self.link_failures = Counter(
            "hub_link_failures_total", "Links that were ended, by reason.", ["reason"], registry=registry
        )
        self.store_failures = Counter(
            "hub_store_failures_total",
            "Writes and reads of the store that failed and are tried again.",
            registry=registry,
        )


class SiteGauges(Collector):
    """What is read when it is asked for."""

    def __init__(self, directory: Directory, replicas: Replicas, links: Links, spool: SpoolUsage) -> None:
        """Read from these."""
        self._directory = directory
        self._replicas = replicas
        self._links = links
        self._spool = spool

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families."""
        linked = GaugeMetricFamily("hub_site_linked", "Whether the site has a link.", labels=["site"])
        accounts = GaugeMetricFamily("hub_site_accounts", "Accounts whose home is the site.", labels=["site"])
        behind = GaugeMetricFamily(
            "hub_site_accounts_behind", "Changes of accounts that the site has not confirmed.", labels=["site"]
        )
        watched = GaugeMetricFamily(
            "hub_site_watched_accounts",
            "Accounts elsewhere that the site watches, of links.interest_accounts_max at most.",
            labels=["site"],
        )
        envelopes = GaugeMetricFamily("hub_spool_envelopes", "Envelopes that wait for the site.", labels=["site"])
        size = GaugeMetricFamily("hub_spool_bytes", "Bytes that wait for the site.", labels=["site"])
        age = GaugeMetricFamily("hub_spool_oldest_seconds", "How long the oldest of them has waited.", labels=["site"])
        for name in self._directory.sites:
            linked.add_metric([name], float(self._links.link_status(name) is not None))
            accounts.add_metric([name], self._directory.population(name))
            behind.add_metric([name], self._directory.changes_since(name, self._replicas.held(name)))
            watched.add_metric([name], self._links.watched_by(name))
            waiting, waiting_bytes = self._spool.usage(name)
            envelopes.add_metric([name], waiting)
            size.add_metric([name], waiting_bytes)
            age.add_metric([name], self._spool.age_seconds(name))
        yield from (linked, accounts, behind, watched, envelopes, size, age)
