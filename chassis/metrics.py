"""What every process measures of itself: pauses of the cycle collector, lag of the event loop, memory, descriptors.

Rule: no global registry; a process makes one `CollectorRegistry` and passes it on.
"""

import asyncio
import bisect
import gc
import time
from collections.abc import Iterator
from itertools import accumulate
from types import TracebackType
from typing import Final, Self

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

PAUSE_BUCKETS_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""From what nobody notices to what breaks heartbeats."""

GENERATIONS: Final = 3


def new_registry() -> CollectorRegistry:
    """A registry with the process's own figures in it (memory, CPU, descriptors, Python's version)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class CollectorPauses(Collector):
    """Context manager: how long the cycle collector stops the process, by generation.

    It counts in plain lists: the collector may run while a metric's lock is held, where taking a lock would hang.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts = [[0] * (len(PAUSE_BUCKETS_SECONDS) + 1) for _ in range(GENERATIONS)]
        self._sums = [0.0] * GENERATIONS
        self._started = 0.0
        registry.register(self)

    def __enter__(self) -> Self:
        gc.callbacks.append(self._record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        gc.callbacks.remove(self._record)

    def _record(self, phase: str, details: dict[str, int]) -> None:
        if phase == "start":
            self._started = time.perf_counter()
            return
        pause = time.perf_counter() - self._started
        generation = details["generation"]
        self._counts[generation][bisect.bisect_left(PAUSE_BUCKETS_SECONDS, pause)] += 1
        self._sums[generation] += pause

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(
            "process_collector_pause_seconds", "Pauses of the cycle collector.", labels=["generation"]
        )
        names = [*(str(bound) for bound in PAUSE_BUCKETS_SECONDS), "+Inf"]
        for generation, counts in enumerate(self._counts):
            buckets = list(zip(names, accumulate(counts), strict=True))
            family.add_metric([str(generation)], buckets, self._sums[generation])
        yield family


class LoopLag:
    """Context manager: how much later than asked the event loop runs a timer, measured every `interval_seconds`."""

    def __init__(self, registry: CollectorRegistry, interval_seconds: float = 0.25) -> None:
        self._interval_seconds = interval_seconds
        self._histogram = Histogram(
            "process_event_loop_lag_seconds",
            "Lateness of timers on the event loop.",
            buckets=PAUSE_BUCKETS_SECONDS,
            registry=registry,
        )
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._arm(asyncio.get_running_loop())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._interval_seconds, self._measure, loop, time.perf_counter())

    def _measure(self, loop: asyncio.AbstractEventLoop, armed: float) -> None:
        self._histogram.observe(max(0.0, time.perf_counter() - armed - self._interval_seconds))
        self._arm(loop)
