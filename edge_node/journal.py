"""Where the core's pure parts report failures: a log line and a count."""

import structlog
from prometheus_client import CollectorRegistry, Counter

from edge_node.custody import StoreUnavailable

_log = structlog.get_logger()


class LoggedJournal:
    """Implements `edge_node.pipeline.messages.Journal`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Count in `registry`."""
        self._failures = Counter("edge_failures_total", "Stages and commits that failed.", ["stage"], registry=registry)

    def failed(self, stage: str, error: Exception) -> None:
        """A stage raised, or a commit failed."""
        self._failures.labels(stage).inc()
        if isinstance(error, StoreUnavailable):
            _log.warning("store_unavailable", stage=stage, error=str(error))
        else:
            _log.error("stage_failed", stage=stage, error=repr(error), exc_info=error)
