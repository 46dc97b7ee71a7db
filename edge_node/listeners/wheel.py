"""One coarse clock for all time-outs of a listener: thousands of waits cost one timer.

Rule: a wait ends at the first tick after its time, never before it; a fault in one that expires stops no other.
"""

import asyncio
import math
from typing import Final, Protocol

import structlog

TICK_SECONDS: Final = 0.25

log = structlog.get_logger()


class Timed(Protocol):
    """What can wait: for one thing at a time, which it has to know itself."""

    due_tick: int
    """When, or 0; only the wheel sets it."""

    def expired(self) -> None:
        """The time has come."""


class Wheel:
    """Calls `expired` of what waits.  `now` is the number of ticks since it was started, from 1 on."""

    __slots__ = ("_buckets", "_loop", "_started", "_timer", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._started = loop.time()
        self._buckets: dict[int, set[Timed]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.now = 1

    def start(self) -> None:
        """Begin to tick."""
        self._timer = self._loop.call_at(self._started + self.now * TICK_SECONDS, self._tick)

    def stop(self) -> None:
        """Forget all waits."""
        if self._timer is not None:
            self._timer.cancel()
        self._buckets.clear()

    def tick_after(self, seconds: float) -> int:
        """Return the tick at which so much time will have passed."""
        return self.now + 1 + math.ceil(seconds / TICK_SECONDS)

    def wait(self, timed: Timed, tick: int) -> None:
        """Wait for that tick, instead of what it waited for before."""
        if timed.due_tick != tick:
            self.forget(timed)
            timed.due_tick = tick
            self._buckets.setdefault(tick, set()).add(timed)

    def forget(self, timed: Timed) -> None:
        """Wait for nothing."""
        if timed.due_tick:
            bucket = self._buckets.get(timed.due_tick)
            timed.due_tick = 0
            if bucket is not None:
                bucket.discard(timed)

    def _tick(self) -> None:
        reached = int((self._loop.time() - self._started) / TICK_SECONDS) + 1
        while self.now < reached:  # a loop that was late catches up
            self.now += 1
            for timed in self._buckets.pop(self.now, ()):
                if timed.due_tick == self.now:  # not forgotten by one that expired before it
                    timed.due_tick = 0
                    try:
                        timed.expired()
                    except Exception:  # nobody else's time-outs may end with it
                        log.exception("expiry_failed")
        self.start()
