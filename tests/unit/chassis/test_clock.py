"""Clocks and the ids made from them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.clock import IdSource, ManualClock, SystemClock


def test_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    before = time.time_ns() // 1_000
    assert before <= clock.now_us() <= time.time_ns() // 1_000
    earlier = time.monotonic()
    assert earlier <= clock.monotonic() <= time.monotonic()


def test_manual_clock_moves_when_told() -> None:
    clock = ManualClock(now_us=1_000_000, monotonic=5.0)
    clock.advance(1.5)
    assert (clock.now_us(), clock.monotonic()) == (2_500_000, 6.5)
    clock.jump(-2)
    assert (clock.now_us(), clock.monotonic()) == (500_000, 6.5)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-0.1)


def test_ids_follow_the_wall_clock() -> None:
    clock = ManualClock(now_us=1_000)
    ids = IdSource(clock)
    assert ids.next_id() == 1_000
    clock.advance(1)
    assert ids.next_id() == 1_001_000
    assert ids.last == 1_001_000


def test_ids_go_on_after_a_restart_with_a_clock_that_lags() -> None:
    assert IdSource(ManualClock(now_us=1_000), last=9_000).next_id() == 9_001


@given(st.lists(st.floats(min_value=-1e6, max_value=1e6)))
def test_ids_grow_whatever_the_clock_does(jumps: list[float]) -> None:
    clock = ManualClock()
    ids = IdSource(clock)
    made = [ids.next_id()]
    for seconds in jumps:
        clock.jump(seconds)
        made += [ids.next_id(), ids.next_id()]
    assert made == sorted(set(made))
    assert made[-1] < 2**63
