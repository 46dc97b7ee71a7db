import pytest

from cascade.envelope import Envelope
from cascade.forwarding import Forwarding
from cascade.outbox import Read
from cascade.spool import Extent, Spooled
from tests.unit.cascade.envelopes import held, sequences


def forwarding(extent: Extent = Extent(0, 0), envelopes_max: int = 4, batch_max: int = 8) -> Forwarding:  # noqa: B008 - frozen
    return Forwarding("lyon", extent, envelopes_max=envelopes_max, batch_max=batch_max)


def linked(way: Forwarding | None = None, window: int = 100) -> Forwarding:
    way = way or forwarding()
    way.linked(window)
    return way


def offer(way: Forwarding, *numbers: int) -> None:
    for number in numbers:
        way.offer(held(number))


def taken(way: Forwarding) -> list[tuple[int, int]]:
    """What goes to the link: (sequence, hub sequence)."""
    found: list[tuple[int, int]] = []
    while (envelope := way.take()) is not None:
        found.append((envelope.sequence, envelope.hub_sequence))
    return found


def append(way: Forwarding, first_position: int) -> tuple[list[int], list[Envelope]]:
    """Let the spool take what is wanted; return what that was, and what it answered."""
    wanted = way.wanted_append()
    assert wanted is not None
    return sequences(wanted), way.appended(range(first_position, first_position + len(wanted)))


def spooled(*numbers: int, shift: int = 0) -> list[Spooled]:
    return [Spooled(number + shift, held(number)) for number in numbers]


def test_a_linked_site_gets_everything_directly() -> None:
    way = linked()
    offer(way, 1, 2)
    assert not way.is_spooling
    assert (taken(way), way.wanted_append()) == ([(1, 1), (2, 2)], None)
    assert sequences(way.acknowledge(1)) == [1]
    assert way.acknowledge(1) == []
    assert sequences(way.acknowledge(2)) == [2]


def test_a_site_that_is_away_is_spooled_for() -> None:
    way = forwarding()
    offer(way, 1, 2)
    wanted, answered = append(way, 1)
    assert (wanted, sequences(answered)) == ([1, 2], [1, 2])
    assert (way.is_spooling, way.spooled, way.wanted_read()) == (True, 2, None)


def test_what_was_spooled_is_read_sent_and_trimmed() -> None:
    way = linked(forwarding(Extent(3, 5)))
    assert way.wanted_read() == Read(3, 4)
    assert way.wanted_read() is None
    way.loaded(spooled(4, 5))
    assert taken(way) == [(4, 1), (5, 2)]
    assert way.acknowledge(1) == [], "the spool had answered for it"
    assert (way.wanted_trim(), way.wanted_trim()) == (4, None)
    way.acknowledge(2)
    assert (way.wanted_trim(), way.is_spooling, way.spooled) == (5, False, 0)


def test_nothing_passes_by_what_is_spooled() -> None:
    way = linked(forwarding(Extent(0, 1)))
    offer(way, 2)
    assert taken(way) == []
    assert append(way, 2)[0] == [2]
    way.wanted_read()
    way.loaded(spooled(1, 2))
    offer(way, 3)
    assert taken(way) == [(1, 1), (2, 2), (3, 3)]


def test_a_slow_site_is_spooled_for_oldest_first() -> None:
    way = linked(window=2)
    offer(way, 1, 2, 3, 4, 5)
    assert taken(way) == [(1, 1), (2, 2)]
    assert append(way, 1)[0] == [1, 2, 3, 4, 5]
    assert way.wanted_read() is None, "no room"
    way.acknowledge(2)
    assert taken(way) == [(3, 3), (4, 4)]
    way.acknowledge(4)
    assert way.wanted_read() == Read(4, 4), "what is in memory is not read again"
    way.loaded(spooled(5))
    assert (taken(way), way.is_spooling, way.wanted_trim()) == ([(5, 5)], False, 4)


def test_what_is_acknowledged_before_it_is_spooled_is_trimmed_when_it_is() -> None:
    way = linked(window=4)
    offer(way, 1, 2, 3, 4, 5)
    taken(way)
    wanted = way.wanted_append()
    assert wanted is not None
    assert sequences(way.acknowledge(2)) == [1, 2]
    assert sequences(way.appended(range(1, 6))) == [3, 4, 5]
    assert way.wanted_trim() == 2


def test_what_is_acknowledged_before_its_append_begins_is_not_appended() -> None:
    way = linked()
    offer(way, 1, 2, 3, 4, 5)
    taken(way)
    way.acknowledge(4)
    assert append(way, 1)[0] == [5]


def test_when_the_link_is_lost_what_is_not_durable_is_spooled_and_what_is_is_read_again() -> None:
    way = linked(forwarding(Extent(0, 2)))
    way.wanted_read()
    way.loaded(spooled(1, 2))
    offer(way, 3, 4)
    taken(way)
    way.acknowledge(1)
    way.unlinked()
    assert way.in_memory == 0
    assert append(way, 3)[0] == [3, 4]
    way.linked(100)
    assert way.wanted_read() == Read(1, 4)
    way.loaded(spooled(2, 3, 4))
    assert taken(way) == [(2, 1), (3, 2), (4, 3)]


def test_a_link_may_be_lost_and_return_while_the_spool_works() -> None:
    way = linked()
    offer(way, 1, 2)
    taken(way)
    way.unlinked()
    way.wanted_append()
    way.linked(100)
    offer(way, 3)
    assert taken(way) == []
    assert sequences(way.appended([1, 2])) == [1, 2]
    assert append(way, 3)[0] == [3]
    assert way.wanted_read() == Read(0, 4)


def test_a_read_of_an_older_link_is_dropped() -> None:
    way = linked(forwarding(Extent(0, 2)))
    way.wanted_read()
    way.unlinked()
    way.linked(100)
    assert way.wanted_read() is None
    way.loaded(spooled(1, 2))
    assert taken(way) == []
    assert way.wanted_read() == Read(0, 4)


def test_a_failed_append_is_repeated_in_order() -> None:
    way = forwarding(batch_max=2)
    offer(way, 1, 2, 3)
    assert way.wanted_append() is not None
    assert way.wanted_append() is None
    way.append_failed()
    assert append(way, 1)[0] == [1, 2]
    assert append(way, 3)[0] == [3]


def test_a_failed_read_is_repeated() -> None:
    way = linked(forwarding(Extent(0, 2)))
    way.wanted_read()
    way.read_failed()
    assert way.wanted_read() == Read(0, 4)


def test_only_one_link_at_a_time() -> None:
    way = linked()
    with pytest.raises(ValueError, match="already"):
        way.linked(5)


def test_what_was_never_sent_cannot_be_acknowledged() -> None:
    with pytest.raises(ValueError, match="1 acknowledged"):
        linked().acknowledge(1)


def test_the_window_bounds_what_is_in_flight() -> None:
    way = linked(window=2)
    offer(way, 1, 2, 3)
    assert (way.sendable_count, taken(way), way.sendable_count) == (2, [(1, 1), (2, 2)], 0)
    way.acknowledge(1)
    assert (way.sendable_count, taken(way)) == (1, [(3, 3)])


def test_the_window_is_bounded_by_the_memory() -> None:
    way = linked(forwarding(Extent(0, 9), envelopes_max=4), window=100)
    assert way.wanted_read() == Read(0, 4)
    way.loaded(spooled(1, 2, 3, 4))
    assert len(taken(way)) == 4
    assert way.wanted_read() is None


def test_what_the_spool_had_before_is_known_by_its_name() -> None:
    way = forwarding(Extent(3, 5, {"paris": (1, 7)}))
    assert [way.is_spooled(held(sequence)) for sequence in (6, 7, 8)] == [True, True, False]
    assert [way.is_spooled(held(1, epoch=2)), way.is_spooled(held(1, origin="nice"))] == [False, False]
    offer(way, 8)
    assert not way.is_spooled(held(8))
    append(way, 6)
    assert way.is_spooled(held(8))
