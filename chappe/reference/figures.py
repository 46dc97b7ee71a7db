"""The page of metrics."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric

from chappe.reference.composition import Composed

_INTRODUCTION = """# Metrics

Every process shows these at `/metrics` of its operations port, in the formats of Prometheus and OpenMetrics, together with `process_*` and `python_info`.
What to watch, and what to do about it, is in [running.md](running.md#what-to-watch).
"""  # noqa: E501 - Markdown has one sentence a line


def metrics_page(composed: Composed) -> str:
    """Markdown: one table per kind of process."""
    processes: Mapping[str, CollectorRegistry] = {
        "Core of an edge": composed.core,
        "Listener (in the core's process, or in one of its own)": composed.listener,
        "Hub": composed.hub,
    }
    lines = [_INTRODUCTION]
    for title, registry in processes.items():
        rows = sorted({_name(metric): metric for metric in registry.collect()}.items())
        lines += [f"## {title}", "", *_table(rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(rows: list[tuple[str, Metric]]) -> Iterator[str]:
    yield from ("| Metric | Type | Meaning |", "|---|---|---|")
    for name, metric in rows:
        yield f"| `{name}` | {metric.type} | {metric.documentation} |"


def _name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name
