import pytest

from xmpp.acknowledgement import COUNT_MODULUS, AckQueue, HandledCounter, HandledCountTooHigh, QueueFull
from xmpp.element import serialize
from xmpp.errors import StreamCondition
from xmpp.namespaces import STREAMS


def queue_of(*items: str, acknowledged: int = 0) -> AckQueue[str]:
    queue: AckQueue[str] = AckQueue(10, acknowledged)
    for item in items:
        queue.push(item)
    return queue


def test_items_are_numbered_as_they_are_sent() -> None:
    queue: AckQueue[str] = AckQueue(10)
    assert [queue.push("a"), queue.push("b")] == [1, 2]
    assert (queue.sent, queue.acknowledged, len(queue)) == (2, 0, 2)


def test_an_acknowledgement_releases_what_it_covers_in_order() -> None:
    queue = queue_of("a", "b", "c")
    assert queue.acknowledge(2) == ["a", "b"]
    assert queue.unacknowledged() == [(3, "c")]
    assert (queue.sent, queue.acknowledged, len(queue)) == (3, 2, 1)


def test_repeating_an_acknowledgement_changes_nothing() -> None:
    queue = queue_of("a", "b")
    queue.acknowledge(1)
    assert queue.acknowledge(1) == []
    assert queue.unacknowledged() == [(2, "b")]


@pytest.mark.parametrize("h", [0, 4, COUNT_MODULUS - 1])
def test_acknowledging_less_than_before_or_more_than_was_sent_is_refused(h: int) -> None:
    queue = queue_of("a", "b", "c")
    queue.acknowledge(1)
    with pytest.raises(HandledCountTooHigh):
        queue.acknowledge(h)
    assert queue.unacknowledged() == [(2, "b"), (3, "c")]


def test_the_refusal_is_the_stream_error_of_xep_0198() -> None:
    error = HandledCountTooHigh(10, 8)
    assert error.condition is StreamCondition.UNDEFINED_CONDITION
    assert serialize(error.element(), "", {STREAMS: "stream"}) == (
        b'<stream:error><undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>'
        b'<text xmlns="urn:ietf:params:xml:ns:xmpp-streams" xml:lang="en">'
        b"You acknowledged 10 stanzas, but I only sent you 8 so far.</text>"
        b'<handled-count-too-high xmlns="urn:xmpp:sm:3" h="10" send-count="8"/></stream:error>'
    )


def test_counters_wrap_to_zero() -> None:
    queue = queue_of("a", "b", "c", acknowledged=COUNT_MODULUS - 2)
    assert queue.sent == 1
    assert [number for number, _ in queue.unacknowledged()] == [COUNT_MODULUS - 1, 0, 1]
    assert queue.acknowledge(0) == ["a", "b"]
    assert queue.acknowledge(1) == ["c"]


def test_a_full_queue_says_so_and_keeps_what_it_has() -> None:
    queue: AckQueue[str] = AckQueue(1)
    queue.push("a")
    with pytest.raises(QueueFull):
        queue.push("b")
    assert queue.unacknowledged() == [(1, "a")]


def opened(base: int = 0, handled: int = 0) -> HandledCounter:
    counter = HandledCounter(base, handled)
    counter.open()
    return counter


def test_a_request_is_answered_at_once_if_nothing_is_under_way() -> None:
    counter = opened(handled=3)
    assert counter.requested(3)
    assert counter.h == 3


def test_a_request_waits_for_what_came_before_it() -> None:
    counter = opened()
    assert not counter.requested(2)
    assert not counter.handled(1)
    assert counter.handled(2)
    assert counter.h == 2
    assert not counter.handled(3), "one request, one answer"


def test_one_answer_serves_several_requests_that_are_due() -> None:
    counter = opened()
    counter.requested(1)
    counter.requested(2)
    assert counter.handled(2)
    assert not counter.handled(3)


def test_a_later_request_neither_delays_an_earlier_one_nor_is_lost() -> None:
    counter = opened()
    counter.requested(2)
    counter.requested(5)
    assert counter.handled(3)
    assert not counter.handled(4)
    assert counter.handled(5)


def test_a_request_that_waits_is_overdue_when_it_is_looked_at_again() -> None:
    counter = opened()
    assert not counter.is_overdue()
    counter.requested(2)
    assert not counter.is_overdue()
    assert counter.is_overdue()
    counter.requested(3)
    assert counter.is_overdue(), "the first one still waits"
    assert counter.handled(2)
    assert not counter.is_overdue(), "the second one was not seen before"
    assert counter.handled(3)
    assert not counter.is_overdue()
    assert not counter.is_overdue()


def test_stanzas_before_the_count_began_do_not_count() -> None:
    counter = opened(base=5, handled=3)
    assert counter.h == 0
    counter.handled(7)
    assert counter.h == 2


def test_nothing_is_due_before_the_peer_knows_of_the_count() -> None:
    counter = HandledCounter(0, 0)
    assert not counter.requested(0)
    assert counter.open()


def test_h_wraps_to_zero() -> None:
    assert opened(handled=COUNT_MODULUS).h == 0
