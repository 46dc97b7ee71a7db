"""Figures of a listener.  Counted in plain integers: the hot path takes no lock."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_node.listeners.admission import Admission


class ListenerMetrics(Collector):
    """What the connections of this process have done."""

    def __init__(self, registry: CollectorRegistry, admission: Admission) -> None:
        self._admission = admission
        self.bytes_received = 0
        self.stanzas_received = 0
        self.frames_written = 0
        self.refused: Counter[str] = Counter()
        """New connections that were not taken, by reason."""
        self.closed: Counter[str] = Counter()
        """Connections that ended, by the stream error's condition or another fixed word."""
        self.paused: Counter[str] = Counter()
        """Times a client was not read for a while, by reason."""
        self.logins: Counter[str] = Counter()
        """Attempts to log in, by result."""
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        admission = self._admission
        yield GaugeMetricFamily("edge_connections", "Connections of clients.", admission.connections)
        yield GaugeMetricFamily("edge_connections_negotiating", "Those without a resource yet.", admission.negotiating)
        yield CounterMetricFamily("edge_bytes_received", "Bytes received from clients.", self.bytes_received)
        yield CounterMetricFamily("edge_stanzas_received", "Stanzas received from clients.", self.stanzas_received)
        yield CounterMetricFamily("edge_frames_written", "Stanzas and others written to clients.", self.frames_written)
        for name, text, label, counter in (
            ("edge_connections_refused", "Connections not taken.", "reason", self.refused),
            ("edge_connections_closed", "Connections that ended.", "reason", self.closed),
            ("edge_connections_paused", "Times a client was not read for a while.", "reason", self.paused),
            ("edge_logins", "Attempts to log in.", "result", self.logins),
        ):
            family = CounterMetricFamily(name, text, labels=[label])
            for value, count in counter.items():
                family.add_metric([value], count)
            yield family
