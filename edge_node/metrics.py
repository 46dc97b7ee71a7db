"""What the core shows of itself: read when somebody looks, so that traffic pays nothing for it."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chassis.clock import MICROSECONDS, Clock
from edge_node.adapters.store import Store
from edge_node.composition import EdgeCore
from edge_node.tasks import BoundedTasks


class EdgeGauges(Collector):
    """Sessions, custody, outbox, link."""

    def __init__(self, edge: EdgeCore, store: Store, tasks: BoundedTasks, clock: Clock) -> None:
        """Show this core and its store."""
        self._edge = edge
        self._store = store
        self._tasks = tasks
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """The figures of this moment."""
        edge, counters = self._edge, self._store.counters
        yield GaugeMetricFamily("edge_sessions", "Bound sessions, hibernating ones included.", len(edge.registry))
        yield GaugeMetricFamily("edge_accounts", "Accounts at home here.", len(edge.directory))
        yield GaugeMetricFamily("edge_tasks", "Requests that wait for the store.", self._tasks.running)
        yield GaugeMetricFamily("edge_linked", "1 while the hub is there.", float(edge.arrivals.is_linked))
        yield CounterMetricFamily(
            "edge_unsound_stanzas",
            "Stanzas and presences of other sites that were not what they said.",
            edge.arrivals.unsound,
        )
        yield GaugeMetricFamily(
            "edge_custody_backlog", "Acceptances that wait for a commit.", self._store.custody.backlog
        )
        outbox, oldest_us = self._store.outbox, edge.departures.oldest_us
        age_seconds = max(0.0, (self._clock.now_us() - oldest_us) / MICROSECONDS) if oldest_us else 0.0
        yield GaugeMetricFamily("edge_outbox_envelopes", "Envelopes that wait for the hub.", outbox.envelopes)
        yield GaugeMetricFamily("edge_outbox_bytes", "Bytes that wait for the hub.", outbox.size_bytes)
        yield GaugeMetricFamily("edge_outbox_oldest_seconds", "How long the oldest of them has waited.", age_seconds)
        yield CounterMetricFamily("edge_custody_acceptances", "Acceptances committed.", counters.acceptances)
        yield CounterMetricFamily("edge_custody_commits", "Commits.", counters.commits)
        yield CounterMetricFamily("edge_custody_refused", "Acceptances refused: backlog or device.", counters.refused)
        yield CounterMetricFamily("edge_custody_failures", "Commits that failed.", counters.failures)
        yield CounterMetricFamily("edge_store_dropped", "Writes given up after a failed commit.", counters.dropped)
