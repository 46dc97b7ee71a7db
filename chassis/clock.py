"""Time: the wall clock, which may jump, and the monotonic clock, which does not; and the ids made from them.

Rule: no other module reads the system's clock.
"""

import time
from typing import Protocol

MICROSECONDS: int = 1_000_000


class Clock(Protocol):
    """Where a process asks for the time."""

    def now_us(self) -> int:
        """Wall clock: microseconds since 1970-01-01T00:00:00Z.  May jump, also backwards."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back.  For intervals and deadlines."""


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """Clocks that only move when told: for tests and for the simulation."""

    __slots__ = ("_monotonic", "_now_us")

    def __init__(self, now_us: int = 1_800_000_000 * MICROSECONDS, monotonic: float = 0.0) -> None:
        self._now_us = now_us
        self._monotonic = monotonic

    def now_us(self) -> int:
        return self._now_us

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks move."""
        if seconds < 0:
            raise ValueError(f"time does not pass backwards: {seconds}")
        self._monotonic += seconds
        self._now_us += round(seconds * MICROSECONDS)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or (negative) back, as an operator or NTP does; no time passes."""
        self._now_us += round(seconds * MICROSECONDS)


class IdSource:
    """Strictly increasing ids below 2^63: the wall clock's microseconds, or the last id plus one if that is more.

    So an id tells about when it was made, and a clock that stands or jumps back neither repeats nor reorders ids.
    `last` is the greatest id already used, read from the store at start.
    """

    __slots__ = ("_clock", "last")

    def __init__(self, clock: Clock, last: int = 0) -> None:
        self._clock = clock
        self.last = last

    def next_id(self) -> int:
        """A new id, greater than every earlier one."""
        now = self._clock.now_us()
        last = self.last
        self.last = new = now if now > last else last + 1
        return new
