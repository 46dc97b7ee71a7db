"""Figures of a listener."""

from prometheus_client import CollectorRegistry

from edge_node.listeners.admission import Admission
from edge_node.listeners.metrics import ListenerMetrics
from edge_node.listeners.settings import ListenerSettings


def test_figures_are_what_was_counted() -> None:
    registry = CollectorRegistry()
    admission = Admission(ListenerSettings())
    metrics = ListenerMetrics(registry, admission)
    admission.admit("192.0.2.7")
    metrics.stanzas_received += 3
    metrics.closed["policy-violation"] += 2
    assert registry.get_sample_value("edge_connections") == 1
    assert registry.get_sample_value("edge_connections_negotiating") == 1
    assert registry.get_sample_value("edge_stanzas_received_total") == 3
    assert registry.get_sample_value("edge_connections_closed_total", {"reason": "policy-violation"}) == 2
