import pytest

from cascade.envelope import Envelope
from cascade.spool import MemorySpoolStore
from central_hub.spool.measured import MeasuredSpool, Stock
from central_hub.spool.settings import SpoolSettings
from chassis.clock import ManualClock


def envelopes(count: int) -> list[Envelope]:
    return [
        Envelope(
            origin="p", epoch=1, sequence=n, sender="a@c", recipients=("b@c",), kind="message", inner=b"x" * 600_000
        )
        for n in range(1, count + 1)
    ]


def ignore(_: object) -> None:
    """Take an answer that the test does not need."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def measured(clock: ManualClock, **limits: int) -> MeasuredSpool:
    return MeasuredSpool(MemorySpoolStore(), {}, SpoolSettings(**limits), clock)


def test_counts_what_is_stored_until_it_is_trimmed(clock: ManualClock) -> None:
    spool = measured(clock)
    spool.append("lyon", envelopes(2), ignore)
    spool.append("lyon", envelopes(1), ignore)
    assert spool.usage("lyon")[0] == 3
    assert spool.usage("lyon")[1] > 1_800_000
    spool.trim("lyon", 1)
    assert spool.usage("lyon")[0] == 3
    spool.trim("lyon", 2)
    assert spool.usage("lyon")[0] == 1
    spool.trim("lyon", 3)
    assert (spool.usage("lyon"), spool.usage("nice")) == ((0, 0), (0, 0))


@pytest.mark.parametrize("limits", [{"envelopes_max": 2}, {"bytes_max": 1_200_000}])
def test_full_by_number_and_by_size(clock: ManualClock, limits: dict[str, int]) -> None:
    spool = measured(clock, **limits)
    assert not spool.is_full("lyon")
    spool.append("lyon", envelopes(1), ignore)
    assert not spool.is_full("lyon")
    spool.append("lyon", envelopes(1), ignore)
    assert spool.is_full("lyon")
    assert not spool.is_full("nice")
    spool.trim("lyon", 1)
    assert not spool.is_full("lyon")


def test_full_by_age(clock: ManualClock) -> None:
    spool = measured(clock, age_hours_max=1)
    spool.append("lyon", envelopes(1), ignore)
    clock.advance(3599)
    assert (spool.is_full("lyon"), spool.age_seconds("lyon")) == (False, 3599)
    clock.advance(1)
    assert (spool.is_full("lyon"), spool.age_seconds("lyon"), spool.age_seconds("nice")) == (True, 3600, 0)


def test_counts_from_what_the_store_held(clock: ManualClock) -> None:
    spool = MeasuredSpool(
        MemorySpoolStore(), {"lyon": Stock(5, 500, clock.now_us(), 9)}, SpoolSettings(envelopes_max=5), clock
    )
    assert (spool.usage("lyon"), spool.is_full("lyon")) == ((5, 500), True)
