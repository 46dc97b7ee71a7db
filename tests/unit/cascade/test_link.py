from collections import deque

import pytest

from cascade.envelope import Envelope
from cascade.link import FailureReason, LinkFailure, LinkSettings, Pacing, move_transient, printable
from tests.unit.cascade.envelopes import transient

SETTINGS = LinkSettings(gather_seconds=0.5, acknowledge_seconds=3, dead_seconds=45, greeting_seconds=10)


@pytest.fixture
def pacing() -> Pacing:
    pacing = Pacing(SETTINGS)
    pacing.open(100.0)
    return pacing


def test_an_idle_link_sends_at_once(pacing: Pacing) -> None:
    assert pacing.may_send(100.0, is_urgent=True, is_full=False)


def test_a_busy_link_gathers_unless_the_frame_is_full(pacing: Pacing) -> None:
    pacing.sent(100.0)
    assert not pacing.may_send(100.4, is_urgent=True, is_full=False)
    assert pacing.may_send(100.4, is_urgent=True, is_full=True)
    assert pacing.send_at(100.4, is_urgent=True) == 100.5
    assert pacing.may_send(100.5, is_urgent=True, is_full=False)


def test_an_acknowledgement_waits_for_company_from_when_it_was_due(pacing: Pacing) -> None:
    assert not pacing.may_send(100.0, is_urgent=False, is_full=False)
    assert pacing.send_at(102.0, is_urgent=False) == 103.0
    assert pacing.may_send(103.0, is_urgent=False, is_full=False)
    pacing.sent(103.0)
    assert pacing.send_at(104.0, is_urgent=False) == 107.0


def test_a_peer_has_less_time_before_it_has_greeted(pacing: Pacing) -> None:
    assert pacing.failure(109.9) is None
    assert pacing.failure(110.0) == LinkFailure(FailureReason.SILENT, "nothing heard for 10 s")
    pacing.is_greeted = True
    pacing.heard(110.0)
    assert pacing.failure(154.9) is None
    assert pacing.failure(155.0) is not None


def test_a_new_connection_begins_anew(pacing: Pacing) -> None:
    pacing.is_greeted = True
    pacing.sent(200.0)
    pacing.open(200.0)
    assert pacing.dead_at == 210.0
    assert pacing.may_send(200.0, is_urgent=True, is_full=False)


def test_transient_envelopes_leave_room() -> None:
    waiting = deque(transient(str(number)) for number in range(5))
    gathered: list[Envelope] = []
    assert move_transient(waiting, gathered, 2, 10_000) == sum(envelope.size_bytes for envelope in gathered)
    assert [envelope.id for envelope in gathered] == ["0", "1"]
    assert move_transient(waiting, gathered, 10, 1) > 1
    assert len(waiting) == 2


def test_permanent_failures_are_those_that_trying_again_cannot_cure() -> None:
    assert {reason for reason in FailureReason if reason.is_permanent} == {
        FailureReason.VERSION,
        FailureReason.IDENTITY,
        FailureReason.EPOCH,
        FailureReason.REGRESSED,
    }


def test_what_a_peer_says_is_made_fit_to_be_shown() -> None:
    assert printable("chappe-edge 1.0, Zürich") == "chappe-edge 1.0, Zürich"
    assert printable("a\x1b[31mb\nc") == "a?[31mb?c"
    assert printable("x" * 101) == "x" * 100 + "..."
