"""What a process measures of itself."""

import asyncio
import gc
import time

from prometheus_client import CollectorRegistry

from chassis.metrics import CollectorPauses, LoopLag, new_registry


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float:
    value = registry.get_sample_value(name, labels)
    assert value is not None, name
    return value


def test_registries_have_the_processs_figures_and_share_nothing() -> None:
    first, second = new_registry(), new_registry()
    for registry in (first, second):
        assert sample(registry, "process_resident_memory_bytes") > 1e6
        assert sample(registry, "process_open_fds") > 2


def test_pauses_of_the_collector_are_counted_by_generation() -> None:
    registry = CollectorRegistry()
    with CollectorPauses(registry):
        before = sample(registry, "process_collector_pause_seconds_count", generation="2")
        gc.collect()
        gc.collect()
        count = sample(registry, "process_collector_pause_seconds_count", generation="2")
        assert count >= before + 2
        assert sample(registry, "process_collector_pause_seconds_sum", generation="2") > 0
        assert sample(registry, "process_collector_pause_seconds_bucket", generation="2", le="+Inf") == count
    count = sample(registry, "process_collector_pause_seconds_count", generation="2")
    gc.collect()
    assert sample(registry, "process_collector_pause_seconds_count", generation="2") == count


async def timers_due() -> None:
    """Return after the timers that are due by now."""
    later = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, later.set_result, None)
    await later


async def test_lag_of_a_blocked_loop_is_seen() -> None:
    registry = CollectorRegistry()
    with LoopLag(registry, interval_seconds=0.001):
        time.sleep(0.06)  # noqa: ASYNC251  # the very thing to measure: code that blocks the loop
        await timers_due()
    assert sample(registry, "process_event_loop_lag_seconds_sum") > 0.05
    assert sample(registry, "process_event_loop_lag_seconds_bucket", le="0.05") < sample(
        registry, "process_event_loop_lag_seconds_count"
    )


async def test_lag_is_measured_no_longer_than_asked() -> None:
    registry = CollectorRegistry()
    with LoopLag(registry, interval_seconds=0.001):
        pass
    await timers_due()
    assert sample(registry, "process_event_loop_lag_seconds_count") == 0
