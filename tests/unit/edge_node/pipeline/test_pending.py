from chassis.clock import ManualClock
from edge_node.pipeline.pending import PendingRequests
from tests.support.edge import jid, parse
from xmpp.stanza import Stanza

ANNA, DAVID = jid("anna/phone"), jid("david/pad")


def request(id_: str) -> Stanza:
    return parse(f'<iq type="get" id="{id_}"><ping xmlns="urn:xmpp:ping"/></iq>')


def pending_of(clock: ManualClock, requests_max: int = 10) -> PendingRequests:
    return PendingRequests(clock.monotonic, deadline_seconds=5, requests_max=requests_max)


def test_an_answer_is_expected_once() -> None:
    pending = pending_of(ManualClock())
    assert pending.expect(ANNA, DAVID, request("1"))
    answered = pending.answered(ANNA, DAVID, "1")
    assert answered is not None
    assert answered[1:] == (ANNA, DAVID, "1", "get", "{urn:xmpp:ping}ping")
    assert pending.answered(ANNA, DAVID, "1") is None


def test_only_the_one_who_was_asked_answers() -> None:
    pending = pending_of(ManualClock())
    pending.expect(ANNA, DAVID, request("1"))
    assert not pending.answered(ANNA, jid("david"), "1")
    assert not pending.answered(jid("anna/desk"), DAVID, "1")
    assert not pending.answered(ANNA, DAVID, "2")
    assert len(pending) == 1


def test_the_bound_is_kept_and_room_comes_back() -> None:
    pending = pending_of(ManualClock(), requests_max=1)
    assert pending.expect(ANNA, DAVID, request("1"))
    assert not pending.expect(ANNA, DAVID, request("2"))
    pending.answered(ANNA, DAVID, "1")
    assert pending.expect(ANNA, DAVID, request("2"))


def test_expire_in_their_order() -> None:
    clock = ManualClock()
    pending = pending_of(clock)
    for id_ in "abc":
        pending.expect(ANNA, DAVID, request(id_))
        clock.advance(1)
    clock.advance(2)
    assert [each.id for each in pending.expired(clock.monotonic())] == ["a"]
    assert list(pending.expired(clock.monotonic())) == []
    clock.advance(5)
    assert [each.id for each in pending.expired(clock.monotonic())] == ["b", "c"]


def test_a_repeated_request_counts_from_the_last_time() -> None:
    clock = ManualClock()
    pending = pending_of(clock)
    pending.expect(ANNA, DAVID, request("a"))
    clock.advance(4)
    pending.expect(ANNA, DAVID, request("a"))
    clock.advance(4)
    assert list(pending.expired(clock.monotonic())) == []
    assert len(pending) == 1
