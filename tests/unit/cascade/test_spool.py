from collections.abc import Sequence

from cascade.spool import Extent, MemorySpoolStore, Spooled, marks_of
from tests.unit.cascade.envelopes import held


def append(store: MemorySpoolStore, site: str, *numbers: int) -> list[int]:
    answers: list[Sequence[int] | Exception] = []
    store.append(site, [held(number) for number in numbers], answers.append)
    (positions,) = answers
    assert not isinstance(positions, Exception)
    return list(positions)


def read(store: MemorySpoolStore, site: str, after: int, limit: int) -> list[tuple[int, int]]:
    answers: list[Sequence[Spooled] | Exception] = []
    store.read(site, after, limit, answers.append)
    (found,) = answers
    assert not isinstance(found, Exception)
    return [(item.position, item.envelope.sequence) for item in found]


def test_positions_grow_per_destination() -> None:
    store = MemorySpoolStore()
    assert append(store, "lyon", 10, 11) == [1, 2]
    assert append(store, "nice", 12) == [1]
    assert append(store, "lyon", 13) == [3]
    assert store.extents() == {
        "lyon": Extent(0, 3, {"paris": (1, 13)}),
        "nice": Extent(0, 1, {"paris": (1, 12)}),
    }


def test_the_last_of_each_origin_is_marked() -> None:
    envelopes = [held(4), held(9, origin="nice"), held(5), held(1, origin="nice", epoch=2)]
    assert marks_of(envelopes) == {"paris": (1, 5), "nice": (2, 1)}


def test_reading_pages_in_order() -> None:
    store = MemorySpoolStore()
    append(store, "lyon", 10, 11, 12)
    assert read(store, "lyon", 0, 2) == [(1, 10), (2, 11)]
    assert read(store, "lyon", 2, 2) == [(3, 12)]
    assert read(store, "nice", 0, 2) == []


def test_positions_are_not_reused_after_trimming() -> None:
    store = MemorySpoolStore()
    append(store, "lyon", 10, 11)
    store.trim("lyon", 2)
    store.trim("lyon", 1)
    assert read(store, "lyon", 0, 9) == []
    assert store.extents() == {"lyon": Extent(2, 2, {"paris": (1, 11)})}
    assert append(store, "lyon", 12) == [3]
