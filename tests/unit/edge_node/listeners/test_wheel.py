"""One coarse clock for all time-outs."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from edge_node.listeners.wheel import TICK_SECONDS, Wheel


class Loop:
    """Only a clock and its timers."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[..., object]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., object], *_: object, **__: object) -> "Timer":
        self.timers.append((when, callback))
        return Timer()

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.timers and min(self.timers)[0] <= end:
            when, callback = self.timers.pop(self.timers.index(min(self.timers)))
            self.now = max(self.now, when)
            callback()
        self.now = end


class Timer:
    def cancel(self) -> None:
        """Nothing is left to do."""


class Waiting:
    def __init__(self) -> None:
        self.due_tick = 0
        self.expirations = 0

    def expired(self) -> None:
        self.expirations += 1


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def wheel(loop: Loop) -> Wheel:
    wheel = Wheel(cast("asyncio.AbstractEventLoop", loop))
    wheel.start()
    return wheel


@pytest.mark.parametrize("seconds", [0.01, 0.25, 1.0, 7.3])
def test_a_wait_ends_after_its_time_and_soon_after(loop: Loop, wheel: Wheel, seconds: float) -> None:
    waiting = Waiting()
    wheel.wait(waiting, wheel.tick_after(seconds))
    loop.advance(seconds)
    assert waiting.expirations == 0
    loop.advance(2 * TICK_SECONDS)
    assert waiting.expirations == 1
    loop.advance(100)
    assert waiting.expirations == 1


def test_a_new_wait_replaces_the_old_one_and_can_be_forgotten(loop: Loop, wheel: Wheel) -> None:
    first, second = Waiting(), Waiting()
    wheel.wait(first, wheel.tick_after(1.0))
    wheel.wait(first, wheel.tick_after(5.0))
    wheel.wait(second, wheel.tick_after(1.0))
    wheel.forget(second)
    loop.advance(4.0)
    assert (first.expirations, second.expirations) == (0, 0)
    loop.advance(2.0)
    assert (first.expirations, second.expirations) == (1, 0)


def test_one_that_expires_may_forget_another_and_wait_again(loop: Loop, wheel: Wheel) -> None:
    class Again(Waiting):
        def expired(self) -> None:
            super().expired()
            for each in others:
                wheel.forget(each)
            wheel.wait(self, wheel.tick_after(1.0))

    others = [Again(), Again()]
    for each in others:
        wheel.wait(each, wheel.tick_after(1.0))
    loop.advance(1.8)
    assert sorted(each.expirations for each in others) == [0, 1]
    loop.advance(10)
    assert max(each.expirations for each in others) > 5


def test_a_fault_in_one_stops_no_other(loop: Loop, wheel: Wheel) -> None:
    class Faulty(Waiting):
        def expired(self) -> None:
            super().expired()
            raise RuntimeError("expected by the test")

    waiting = [Faulty(), Waiting(), Faulty(), Waiting()]
    for number, each in enumerate(waiting):
        wheel.wait(each, wheel.tick_after(1.0 + number // 2))
    loop.advance(10)
    assert [each.expirations for each in waiting] == [1, 1, 1, 1]


def test_a_late_loop_catches_up(loop: Loop, wheel: Wheel) -> None:
    waiting = [Waiting() for _ in range(3)]
    for number, each in enumerate(waiting):
        wheel.wait(each, wheel.tick_after(number))
    loop.now += 60
    loop.advance(0)
    assert [each.expirations for each in waiting] == [1, 1, 1]
    wheel.stop()
    wheel.wait(waiting[0], wheel.tick_after(1))
