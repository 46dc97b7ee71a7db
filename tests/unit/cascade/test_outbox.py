import pytest

from cascade.envelope import Envelope
from cascade.frame import Acknowledgement, Refusal
from cascade.outbox import Outbox, OutboxRegressed, Read, Release
from tests.unit.cascade.envelopes import held, sequences


def outbox(last: int = 0, stored: tuple[int, ...] = (), **bounds: int) -> Outbox:
    """An outbox that has looked into its store."""
    box = Outbox(
        epoch=1,
        last_sequence=last,
        envelopes_max=bounds.get("envelopes_max", 10),
        bytes_max=bounds.get("bytes_max", 1 << 20),
        read_limit=bounds.get("read_limit", 4),
    )
    read = box.wanted_read()
    assert read is not None
    found = [held(sequence) for sequence in stored][: read.limit]
    box.loaded(found, is_complete=len(found) < read.limit)
    return box


def taken(box: Outbox, window: int = 100) -> list[int]:
    envelopes: list[Envelope] = []
    while (envelope := box.take(window)) is not None:
        envelopes.append(envelope)
    return sequences(envelopes)


def test_what_is_offered_is_sent_without_reading() -> None:
    box = outbox()
    for sequence in (1, 2, 4):
        box.offer(held(sequence))
    assert box.sendable_count(100) == 3
    assert taken(box) == [1, 2, 4]
    assert box.wanted_read() is None


def test_the_window_bounds_what_is_in_flight() -> None:
    box = outbox()
    for sequence in range(1, 6):
        box.offer(held(sequence))
    assert box.is_sendable(2)
    assert taken(box, 2) == [1, 2]
    assert not box.is_sendable(2)
    assert (box.in_flight, box.sendable_count(2)) == (2, 0)
    box.acknowledge(Acknowledgement(1))
    assert taken(box, 2) == [3]


def test_an_acknowledgement_releases_and_trims() -> None:
    box = outbox()
    for sequence in (1, 2, 3):
        box.offer(held(sequence))
    taken(box)
    assert box.acknowledge(Acknowledgement(2)) == Release([], 2)
    assert box.acknowledge(Acknowledgement(2)) == Release([], 0)
    assert (box.released, box.in_memory, box.backlog) == (2, 1, 1)


def test_after_a_lost_link_everything_unanswered_is_sent_again_in_order() -> None:
    box = outbox()
    for sequence in (1, 2, 3, 4):
        box.offer(held(sequence))
    taken(box, 3)
    box.acknowledge(Acknowledgement(1))
    box.rewind()
    assert taken(box) == [2, 3, 4]


def test_a_refusal_comes_with_its_envelope() -> None:
    box = outbox()
    envelope = held(1)
    box.offer(envelope)
    box.offer(held(2))
    taken(box)
    refusal = Refusal(1, "item-not-found")
    assert box.acknowledge(Acknowledgement(1, (refusal,))) == Release([(envelope, refusal)], 1)


def test_a_refusal_for_some_comes_with_an_envelope_for_them() -> None:
    box = outbox()
    envelope = held(1)
    envelope.recipients = ("a@lyon", "nobody@lyon")
    box.offer(envelope)
    taken(box)
    release = box.acknowledge(Acknowledgement(1, (Refusal(1, "item-not-found", "", ("nobody@lyon",)),)))
    assert [refused.recipients for refused, _ in release.refused] == [("nobody@lyon",)]


def test_a_refusal_that_was_settled_before_is_ignored() -> None:
    box = outbox()
    for sequence in (1, 2):
        box.offer(held(sequence))
    box.acknowledge(Acknowledgement(1))
    assert box.acknowledge(Acknowledgement(2, (Refusal(1, "gone"),))).refused == []


def test_a_refusal_that_is_said_twice_counts_once() -> None:
    box = outbox(last=9, stored=(8, 9), read_limit=1)
    refusal = Refusal(9, "gone")
    box.acknowledge(Acknowledgement(9, (refusal,)))
    box.acknowledge(Acknowledgement(9, (refusal,)))
    box.wanted_read()
    assert [said for _, said in box.loaded([held(9)], is_complete=True).refused] == [refusal]


def test_an_answer_beyond_what_is_in_memory_waits_for_the_store() -> None:
    box = outbox(last=9, stored=(5, 6, 7, 8), read_limit=4)
    refusal = Refusal(9, "item-not-found")
    assert box.acknowledge(Acknowledgement(9, (refusal,))) == Release([], 8)
    assert box.wanted_read() == Read(8, 4)
    release = box.loaded([held(9)], is_complete=True)
    assert (release.up_to, [said for _, said in release.refused]) == (9, [refusal])


def test_the_hub_cannot_answer_what_was_never_given_out() -> None:
    box = outbox(last=5)
    with pytest.raises(OutboxRegressed, match="up to 6"):
        box.acknowledge(Acknowledgement(6))


def test_an_old_store_is_read_from_its_beginning() -> None:
    box = outbox(last=7, stored=(4, 5, 7))
    assert (box.is_known, box.released) == (True, 3)
    assert taken(box) == [4, 5, 7]
    assert box.wanted_read() is None


def test_an_empty_store_has_released_everything() -> None:
    assert outbox(last=7).released == 7
    assert outbox().released == 0


def test_what_has_no_room_is_read_later() -> None:
    box = outbox(envelopes_max=3)
    for sequence in range(1, 7):
        box.offer(held(sequence))
    assert (box.in_memory, box.wanted_read()) == (3, None)
    assert taken(box) == [1, 2, 3]
    box.acknowledge(Acknowledgement(2))
    assert box.wanted_read() == Read(3, 2)
    assert box.wanted_read() is None, "one read at a time"
    box.offer(held(7))
    box.loaded([held(4), held(5)], is_complete=False)
    assert taken(box) == [4, 5]
    box.acknowledge(Acknowledgement(5))
    assert box.wanted_read() == Read(5, 3)
    box.loaded([held(6), held(7)], is_complete=True)
    box.offer(held(8))
    assert taken(box) == [6, 7, 8]


def test_bytes_bound_the_memory_too() -> None:
    box = outbox(bytes_max=1000)
    for sequence in (1, 2, 3):
        box.offer(held(sequence, size=600))
    assert box.in_memory == 2
    box.acknowledge(Acknowledgement(2))
    assert box.wanted_read() == Read(2, 4)


def test_a_failed_read_is_asked_again() -> None:
    box = Outbox(epoch=1, last_sequence=3, envelopes_max=10, bytes_max=1000)
    assert box.wanted_read() == Read(0, 10)
    assert box.wanted_read() is None
    box.read_failed()
    assert box.wanted_read() == Read(0, 10)
    assert box.backlog == 3


def test_what_is_offered_during_the_first_read_is_not_lost() -> None:
    box = Outbox(epoch=1, last_sequence=0, envelopes_max=10, bytes_max=1000)
    box.wanted_read()
    box.offer(held(1))
    box.loaded([], is_complete=True)
    assert box.wanted_read() == Read(0, 10)
    box.loaded([held(1)], is_complete=True)
    assert taken(box) == [1]


def test_sequences_grow() -> None:
    box = outbox(last=3)
    with pytest.raises(ValueError, match="not above"):
        box.offer(held(3))


def test_the_oldest_is_told_whether_it_is_sent_or_not() -> None:
    box = outbox()
    assert box.oldest_us == 0
    for sequence in (1, 2):
        envelope = held(sequence)
        envelope.sent_us = sequence * 100
        box.offer(envelope)
    assert box.oldest_us == 100
    assert taken(box, 1) == [1]
    assert box.oldest_us == 100
    box.acknowledge(Acknowledgement(1))
    assert box.oldest_us == 200
    box.acknowledge(Acknowledgement(2))
    assert box.oldest_us == 0
