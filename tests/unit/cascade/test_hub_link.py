from dataclasses import replace

import pytest

from cascade.custody import Custody, Routing
from cascade.frame import (
    AccountChange,
    AccountPresence,
    Acknowledgement,
    AvailableResource,
    Frame,
    Heartbeat,
    Hello,
    HomeAnswer,
    InterestChange,
    Refusal,
    Undeliverable,
)
from cascade.hub_link import HubLink, HubStep
from cascade.link import FailureReason, LinkSettings, LinkState
from tests.unit.cascade.envelopes import held, sequences, transient

SETTINGS = LinkSettings(
    window_envelopes=4,
    frame_envelopes_max=4,
    transient_envelopes_max=3,
    home_questions_max=2,
    gather_seconds=0.0,
    acknowledge_seconds=0.0,
)
HELLO = Hello(site="paris", epoch=1, acknowledged=0, accounts_version=3, window_envelopes=3)
NOW = 50.0


def custody() -> Custody:
    return Custody({}, envelopes_max=10, refusals_max=10)


def live(owed: Custody | None = None, hello: Hello = HELLO, settings: LinkSettings = SETTINGS) -> HubLink:
    link = HubLink(hello.site, settings, NOW)
    assert link.receive(Frame(hello=hello), NOW).hello == hello
    assert link.next_frame(NOW) is None
    assert link.welcome(owed or custody(), "corp.example", "hub/1") is None
    welcome = sent(link).welcome
    assert welcome is not None
    assert (welcome.domain, welcome.window_envelopes) == ("corp.example", 4)
    return link


def sent(link: HubLink, now: float = NOW) -> Frame:
    frame = link.next_frame(now)
    assert frame is not None
    return frame


def reason(link: HubLink, frame: Frame) -> FailureReason:
    failure = link.receive(frame, NOW).failure
    assert failure is not None
    return failure.reason


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (Frame(heartbeat=Heartbeat(1)), FailureReason.MALFORMED),
        (Frame(hello=replace(HELLO, protocol=2)), FailureReason.VERSION),
        (Frame(hello=replace(HELLO, site="lyon")), FailureReason.IDENTITY),
        (Frame(hello=replace(HELLO, epoch=0)), FailureReason.MALFORMED),
        (Frame(hello=replace(HELLO, site="\x1b[2J" * 1_000_000)), FailureReason.IDENTITY),
    ],
)
def test_a_bad_hello_is_refused(frame: Frame, expected: FailureReason) -> None:
    failure = HubLink("paris", SETTINGS, NOW).receive(frame, NOW).failure
    assert failure is not None
    assert failure.reason is expected
    assert failure.text.isprintable()
    assert len(failure.text) < 200, "it goes into the status of the call, and into the log"


def test_nothing_may_come_between_hello_and_welcome() -> None:
    link = HubLink("paris", SETTINGS, NOW)
    link.receive(Frame(hello=HELLO), NOW)
    assert reason(link, Frame(heartbeat=Heartbeat(1))) is FailureReason.MALFORMED


def test_a_welcome_needs_a_hello() -> None:
    with pytest.raises(ValueError, match="no hello"):
        HubLink("paris", SETTINGS, NOW).welcome(custody(), "corp.example")


def test_an_epoch_that_is_over_is_fenced() -> None:
    owed = custody()
    live(owed, replace(HELLO, epoch=5)).close()
    link = HubLink("paris", SETTINGS, NOW)
    link.receive(Frame(hello=replace(HELLO, epoch=4)), NOW)
    failure = link.welcome(owed, "corp.example")
    assert failure is not None
    assert failure.reason is FailureReason.EPOCH
    assert link.close() == []


def test_the_first_frame_answers_what_was_missed() -> None:
    owed = custody()
    link = live(owed)
    refusal = Refusal(2, "item-not-found")
    for envelope in link.receive(Frame(envelopes=[held(1), held(2)]), NOW).envelopes:
        owed.accept(envelope, Routing({}, (refusal,) if envelope.sequence == 2 else ()))
    sent(link)
    link.close()
    link = HubLink("paris", SETTINGS, NOW)
    link.receive(Frame(hello=replace(HELLO, acknowledged=1)), NOW)
    link.welcome(owed, "corp.example")
    frame = sent(link)
    assert frame.welcome is not None
    assert frame.welcome.met == 2
    assert frame.acknowledgement == Acknowledgement(2, (refusal,))


def test_duplicates_are_not_routed_again() -> None:
    link = live()
    assert sequences(link.receive(Frame(envelopes=[held(1), held(2)]), NOW).envelopes) == [1, 2]
    assert sequences(link.receive(Frame(envelopes=[held(2), held(3), transient()]), NOW).envelopes) == [3, 0]


@pytest.mark.parametrize("forged", [held(2, origin="lyon"), held(2, epoch=2), transient(origin="lyon")])
def test_a_site_cannot_speak_for_another(forged: object) -> None:
    link = live()
    step = link.receive(Frame(envelopes=[held(1), forged]), NOW)  # type: ignore[list-item]
    assert step.failure is not None
    assert step.failure.reason is FailureReason.IDENTITY
    assert step.envelopes == []
    assert sequences(link.receive(Frame(envelopes=[held(1)]), NOW).envelopes) == [1], "nothing of the frame counted"


def test_a_site_that_overruns_the_window_is_at_fault() -> None:
    link = live()
    assert link.receive(Frame(envelopes=[held(n) for n in range(1, 5)]), NOW).failure is None
    assert reason(link, Frame(envelopes=[held(5)])) is FailureReason.MALFORMED
    link.grant(1)
    assert sent(link).credit == 1
    assert link.receive(Frame(envelopes=[held(5)]), NOW).failure is None


def test_envelopes_for_the_site_are_numbered_within_its_window() -> None:
    owed = custody()
    link = live(owed)
    for sequence in range(1, 6):
        owed.forwarding("paris").offer(held(sequence, origin="lyon"))
    assert [envelope.hub_sequence for envelope in sent(link).envelopes] == [1, 2, 3]
    assert link.next_frame(NOW) is None
    assert link.receive(Frame(acknowledgement=Acknowledgement(2)), NOW).acknowledged == 2
    owed.acknowledged("paris", 2)
    assert [envelope.hub_sequence for envelope in sent(link).envelopes] == [4, 5]


def test_more_cannot_be_acknowledged_than_was_sent() -> None:
    assert reason(live(), Frame(acknowledgement=Acknowledgement(1))) is FailureReason.MALFORMED


def test_transient_envelopes_are_bounded_and_given_back() -> None:
    link = live()
    assert [link.offer_transient(transient(str(n))) for n in range(4)] == [True, True, True, False]
    assert [envelope.id for envelope in sent(link).envelopes] == ["0", "1"]
    assert [envelope.id for envelope in link.close()] == ["2"]
    assert not link.offer_transient(transient())
    assert link.state is LinkState.DOWN


def test_undeliverables_are_bounded() -> None:
    link = live()
    for _ in range(5):
        link.undeliverable(transient("7"), "chloe@lyon", "remote-server-not-found")
    assert (
        sent(link).undeliverable
        == [Undeliverable("anna@paris", "chloe@lyon", "iq", "7", "remote-server-not-found")] * 3
    )


def test_presence_and_interest() -> None:
    link = live()
    link.ask_all([("anna@x", 4)])
    link.ask("bruno@x", 0)
    link.publish(AccountPresence("chloe@x", 1))
    link.publish(AccountPresence("chloe@x", 2))
    frame = sent(link)
    assert frame.interest == InterestChange((("anna@x", 4), ("bruno@x", 0)), is_full=True)
    assert frame.presence == [AccountPresence("chloe@x", 2)]
    link.unask("anna@x")
    assert sent(link).interest == InterestChange(removed=("anna@x",))
    wanted = InterestChange((("chloe@x", 2),))
    states = [AccountPresence("anna@x", 5)]
    step = link.receive(Frame(interest=wanted, presence=states, accounts_held=9, home_questions=["d@x"]), NOW)
    assert (step.interest, step.presence, step.accounts_held) == (wanted, states, 9)
    assert step.home_questions == ["d@x"]


def test_a_change_of_accounts_is_pulled_one_part_a_frame() -> None:
    link = live()
    parts = [AccountChange(5, is_full=True, has_more=True), AccountChange(5, is_full=True)]
    link.send_accounts(iter(parts))
    with pytest.raises(ValueError, match="already"):
        link.send_accounts(iter(parts))
    seen = [(sent(link).accounts, link.is_sending_accounts) for _ in parts]
    assert seen == [(parts[0], True), (parts[1], False)]
    assert link.next_frame(NOW) is None
    link.send_accounts(iter(()))
    assert not link.is_sending_accounts


def test_answers_are_spread_over_frames_so_that_none_is_too_large() -> None:
    settings = replace(SETTINGS, frame_bytes_max=2000, home_questions_max=9, home_questions_per_frame=2)
    link = live(settings=settings)
    for name in ("a", "b", "c"):
        link.undeliverable(transient(name * 900), "chloe@lyon", "gone")
        link.answer_home(HomeAnswer(name, "lyon"))
    frames = [sent(link), sent(link)]
    assert [[item.id[0] for item in frame.undeliverable] for frame in frames] == [["a", "b"], ["c"]]
    assert [[answer.account for answer in frame.home_answers] for frame in frames] == [["a", "b"], ["c"]]
    assert link.next_frame(NOW) is None


def test_a_presence_that_would_burst_the_frame_of_another_is_refused() -> None:
    large = AccountPresence("anna@x", 1, (AvailableResource("desk", b"x" * 100),))
    for size, expected in ((large.size_bytes, None), (large.size_bytes - 1, FailureReason.MALFORMED)):
        link = live(settings=replace(SETTINGS, presence_bytes_max=size))
        failure = link.receive(Frame(presence=[large]), NOW).failure
        assert (failure and failure.reason) == expected


def test_nothing_counts_of_a_frame_that_breaks_a_rule() -> None:
    link = live()
    frame = Frame(accounts_held=9, presence=[AccountPresence("anna@x", 5)], envelopes=[held(1), held(1, origin="lyon")])
    step = link.receive(frame, NOW)
    assert step.failure is not None
    assert step == HubStep(failure=step.failure)


def test_home_answers_are_bounded() -> None:
    link = live()
    for name in ("a", "b", "c"):
        link.answer_home(HomeAnswer(name, "lyon"))
    assert [answer.account for answer in sent(link).home_answers] == ["a", "b"]


def test_a_heartbeat_is_sent_back() -> None:
    link = live()
    link.receive(Frame(heartbeat=Heartbeat(77)), NOW)
    assert sent(link).heartbeat == Heartbeat(77, is_reply=True)


def test_a_drain_is_told_once() -> None:
    link = live()
    link.drain(500)
    assert sent(link).drain_ms == 500
    assert link.next_frame(NOW) is None


def test_a_silent_site_is_dead() -> None:
    link = HubLink("paris", SETTINGS, NOW)
    assert link.deadline(NOW) == NOW + 10
    assert link.timeout(NOW + 9) is None
    assert link.timeout(NOW + 10) is not None
    link = live()
    assert link.deadline(NOW) == NOW + 45
    assert link.timeout(NOW + 44) is None
    link.close()
    assert (link.timeout(NOW + 100), link.deadline(NOW)) == (None, None)
    assert reason(link, Frame()) is FailureReason.MALFORMED


def test_an_acknowledgement_waits_for_company() -> None:
    link = HubLink("paris", replace(SETTINGS, acknowledge_seconds=2.0), NOW)
    owed = custody()
    link.receive(Frame(hello=HELLO), NOW)
    link.welcome(owed, "corp.example")
    sent(link)
    for envelope in link.receive(Frame(envelopes=[held(1)]), NOW).envelopes:
        owed.accept(envelope, Routing({}, (Refusal(1, "gone"),)))
    assert link.next_frame(NOW) is None
    assert link.deadline(NOW + 1) == NOW + 2
    assert sent(link, NOW + 2).acknowledgement == Acknowledgement(1, (Refusal(1, "gone"),))
