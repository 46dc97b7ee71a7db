from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from edge_node.custody import StoreUnavailable
from edge_node.journal import LoggedJournal


def test_counts_by_stage() -> None:
    registry = CollectorRegistry()
    journal = LoggedJournal(registry)
    with capture_logs():
        for stage in ("commit", "copy", "commit"):
            journal.failed(stage, RuntimeError("a bug"))
    counts = {stage: registry.get_sample_value("edge_failures_total", {"stage": stage}) for stage in ("commit", "copy")}
    assert counts == {"commit": 2, "copy": 1}


def test_a_store_that_cannot_is_a_warning_and_a_bug_is_an_error_with_its_traceback() -> None:
    journal = LoggedJournal(CollectorRegistry())
    with capture_logs() as logs:
        journal.failed("commit", StoreUnavailable("the disk is full"))
        journal.failed("copy", error := RuntimeError("a bug"))
    assert logs == [
        {"event": "store_unavailable", "stage": "commit", "error": "the disk is full", "log_level": "warning"},
        {"event": "stage_failed", "stage": "copy", "error": repr(error), "exc_info": error, "log_level": "error"},
    ]
