from itertools import count

import pytest

from edge_node.sessions.account import LocalAccount
from edge_node.sessions.session import PLACEHOLDER, Session, SessionLimits
from tests.support.edge import Wire, jid
from xmpp.acknowledgement import COUNT_MODULUS, AckQueue, HandledCountTooHigh

LIMITS = SessionLimits(request_after=3, queue_stanzas_max=4)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def session_on(wire: Wire, *, managed: bool) -> Session:
    session = Session(1, LocalAccount(jid("anna")), jid("anna/phone"), wire, LIMITS)
    if managed:
        session.managed = True
        session.queue = AckQueue(LIMITS.queue_stanzas_max)
    return session


def filler(number: int) -> bytes:
    return PLACEHOLDER % (number, b"anna@corp.example/phone", b"corp.example")


class TestDelivery:
    def test_is_written_at_once(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        session.deliver(b"1")
        assert (wire.written, session.number_out) == ([b"1"], 1)

    def test_waits_behind_a_promise(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        promise = session.promise("subject")
        session.deliver(b"2")
        assert wire.written == []
        session.fulfil(promise, b"1")
        assert wire.written == [b"1", b"2"]

    def test_promises_are_kept_in_their_order(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        first, second = session.promise(None), session.promise(None)
        assert (first.number, second.number) == (1, 2)
        session.fulfil(second, b"2")
        assert wire.written == []
        session.fulfil(first, b"1")
        assert wire.written == [b"1", b"2"]

    def test_a_cancelled_promise_is_filled_so_that_numbers_stay_true(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        promise = session.promise("subject")
        session.deliver(b"2")
        session.cancel(promise)
        assert wire.written == [filler(1), b"2"]

    def test_numbers_wrap(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        session.number_out = COUNT_MODULUS - 1
        assert [session.promise(None).number for _ in range(2)] == [0, 1]

    def test_nothing_is_written_without_a_connection(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        session.channel = None
        session.deliver(b"1")
        assert wire.written == []
        assert session.queue is not None
        assert [item for _, item in session.queue.unacknowledged()] == [(b"1", None)]


class TestAcknowledgement:
    def test_releases_what_the_client_has_had(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        session.deliver(b"1", "one")
        session.deliver(b"2", "two")
        assert session.acknowledge(1) == [(b"1", "one")]
        assert session.received_by_client == 1

    def test_of_what_was_never_sent_is_an_error(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        session.deliver(b"1")
        with pytest.raises(HandledCountTooHigh):
            session.acknowledge(2)

    def test_means_nothing_without_stream_management(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        session.deliver(b"1")
        assert session.acknowledge(7) == []

    def test_is_asked_for_when_enough_is_open_and_only_once(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        for _ in range(LIMITS.request_after - 1):
            session.deliver(b"x")
        assert wire.requests == 0
        session.deliver(b"x")
        session.deliver(b"x")
        assert wire.requests == 1
        session.acknowledge(4)
        for _ in range(LIMITS.request_after):
            session.deliver(b"x")
        assert wire.requests == 2

    def test_room_is_what_the_client_may_still_leave_unacknowledged(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        session.deliver(b"1")
        session.promise(None)
        assert session.room == LIMITS.queue_stanzas_max - 2
        assert session_on(wire, managed=False).room == LIMITS.queue_stanzas_max


class TestOverflow:
    def test_holds_what_does_not_fit_and_what_follows(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        for number in range(1, 8):
            session.deliver(b"%d" % number, number)
        assert session.overflowed
        assert wire.written == [b"1", b"2", b"3", b"4"]
        assert [subject for _, subject in session.abandon()] == [1, 2, 3, 4, 5, 6, 7]

    def test_in_the_middle_of_promises_gives_back_each_once_and_in_order(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        promises = [session.promise(number) for number in range(1, 8)]
        for promise in reversed(promises):
            session.fulfil(promise, b"%d" % promise.number)
        assert session.overflowed
        assert [subject for _, subject in session.abandon()] == [1, 2, 3, 4, 5, 6, 7]

    def test_leaves_out_what_is_still_being_stored(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        for number in range(1, 6):
            session.deliver(b"x", number)
        session.promise("being stored")
        assert [subject for _, subject in session.abandon()] == [1, 2, 3, 4, 5]


class TestTaken:
    def test_is_told_in_order(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        session.taken(2)
        assert wire.taken == 0
        session.taken(1)
        assert (wire.taken, session.handled) == (2, 2)
        session.taken(3)
        assert wire.taken == 3

    def test_gaps_stay_open(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        for number in (3, 1, 5, 4):
            session.taken(number)
        assert wire.taken == 1
        session.taken(2)
        assert wire.taken == 5

    def test_wraps(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        session.handled = COUNT_MODULUS - 1
        session.taken(0)
        assert session.handled == 0


class TestEnd:
    def test_gives_back_what_was_not_acknowledged(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        for number, subject in zip(count(1), ("one", "two"), strict=False):
            session.deliver(b"%d" % number, subject)
        session.acknowledge(1)
        assert session.abandon() == [(b"2", "two")]
        assert session.is_over

    def test_gives_back_nothing_without_stream_management(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        session.deliver(b"1", "one")
        assert session.abandon() == []

    def test_what_comes_later_is_not_written(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        promise = session.promise("late")
        session.abandon()
        session.cancel(promise)
        session.deliver(b"later")
        assert wire.written == []


class TestRevival:
    def test_counts_on_from_what_the_client_has_had(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        session.dormant = True
        assert session.received_by_client == 0
        session.revive(41)
        assert not session.dormant
        assert session.promise(None).number == 42
        assert session.received_by_client == 41

    def test_earlier_counts_are_known_to_be_earlier(self, wire: Wire) -> None:
        session = session_on(wire, managed=True)
        assert not session.is_behind(0)
        session.revive(41)
        assert [session.is_behind(h) for h in (40, 41, 42)] == [True, False, False]
        assert session.acknowledge(40) == []

    def test_without_stream_management_there_is_no_queue(self, wire: Wire) -> None:
        session = session_on(wire, managed=False)
        session.dormant = True
        session.revive(3)
        session.deliver(b"4")
        assert (wire.written, session.queue) == ([b"4"], None)


@pytest.mark.parametrize(
    ("are_all_kept", "is_durable", "resumable", "expected"),
    [(False, True, 60, True), (False, True, 0, False), (False, False, 60, False), (True, False, 0, True)],
)
def test_what_is_kept_for_the_next_core(
    wire: Wire, *, are_all_kept: bool, is_durable: bool, resumable: int, expected: bool
) -> None:
    limits = SessionLimits(is_durable=is_durable, are_all_kept=are_all_kept)
    session = Session(1, LocalAccount(jid("anna")), jid("anna/phone"), wire, limits)
    session.resumable = resumable
    assert session.is_kept is expected


def test_a_session_is_mute_until_its_client_has_said_something_or_had_the_time(wire: Wire) -> None:
    silent, spoken, managed, old = (session_on(wire, managed=each) for each in (False, False, True, False))
    spoken.number_in = 1
    old.is_new = False
    assert [each.is_mute for each in (silent, spoken, managed, old)] == [True, False, False, False]


def test_numbers_received_and_taken_are_compared_across_the_wrap(wire: Wire) -> None:
    session = session_on(wire, managed=True)
    session.handled, session.number_in = COUNT_MODULUS - 1, 1
    assert [session.has_taken(each) for each in (COUNT_MODULUS - 1, 0)] == [True, False]
    assert [session.has_received(each) for each in (0, 1, 2)] == [True, True, False]
