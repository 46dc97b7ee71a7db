from dataclasses import replace

import pytest

from cascade.envelope import Envelope
from cascade.frame import (
    AccountChange,
    AccountPresence,
    Acknowledgement,
    AvailableResource,
    Frame,
    Heartbeat,
    HomeAnswer,
    InterestChange,
    Undeliverable,
    Welcome,
)
from cascade.inbox import Inbox
from cascade.link import FailureReason, LinkSettings, LinkState
from cascade.outbox import Outbox, Release
from cascade.site_link import SiteLink
from tests.unit.cascade.envelopes import held, sequences, transient

SETTINGS = LinkSettings(
    window_envelopes=4,
    frame_envelopes_max=4,
    transient_envelopes_max=3,
    home_questions_max=2,
    gather_seconds=0.0,
    acknowledge_seconds=0.0,
    heartbeat_seconds=15,
    dead_seconds=45,
)
WELCOME = Welcome(domain="corp.example", met=0, window_envelopes=100)
NOW = 50.0


def down(
    last: int = 0, watermarks: dict[str, tuple[int, int]] | None = None, settings: LinkSettings = SETTINGS
) -> SiteLink:
    outbox = Outbox(epoch=1, last_sequence=last, envelopes_max=50, bytes_max=1 << 20)
    outbox.wanted_read()
    outbox.loaded([], is_complete=True)
    return SiteLink("paris", outbox, Inbox(watermarks or {}), 7, settings, "chappe/1")


def live(link: SiteLink | None = None, welcome: Welcome = WELCOME) -> SiteLink:
    link = link or down()
    link.connected(NOW)
    assert link.next_frame(NOW) is not None
    assert link.receive(Frame(welcome=welcome), NOW).failure is None
    assert sent(link).interest is not None
    return link


def sent(link: SiteLink, now: float = NOW) -> Frame:
    frame = link.next_frame(now)
    assert frame is not None
    return frame


def arrived(sequence: int, hub_sequence: int, **how: int) -> Envelope:
    return replace(held(sequence, origin="lyon", **how), hub_sequence=hub_sequence)  # type: ignore[arg-type]


def test_a_link_says_hello_and_waits_for_the_welcome() -> None:
    link = down(last=5)
    assert link.next_frame(NOW) is None
    link.connected(NOW)
    hello = sent(link).hello
    assert hello is not None
    assert (hello.site, hello.epoch, hello.acknowledged, hello.accounts_version) == ("paris", 1, 5, 7)
    assert hello.window_envelopes == 4
    assert link.next_frame(NOW) is None
    assert link.state is LinkState.GREETING


def test_it_does_not_dial_before_it_knows_its_outbox() -> None:
    link = SiteLink("paris", Outbox(epoch=1, last_sequence=0, envelopes_max=9, bytes_max=9), Inbox({}), 0, SETTINGS)
    with pytest.raises(ValueError, match="not been read"):
        link.connected(NOW)


def test_held_envelopes_wait_for_the_welcome_and_respect_the_window() -> None:
    link = down()
    for sequence in range(1, 7):
        link.offer(held(sequence))
    live(link, replace(WELCOME, window_envelopes=0))
    assert link.next_frame(NOW) is None
    link.receive(Frame(credit=5), NOW)
    assert sequences(sent(link).envelopes) == [1, 2, 3, 4]
    assert sequences(sent(link).envelopes) == [5]
    assert link.next_frame(NOW) is None


def test_an_acknowledgement_is_a_release() -> None:
    link = live()
    link.offer(held(1))
    sent(link)
    assert link.receive(Frame(acknowledgement=Acknowledgement(1)), NOW).release == Release([], 1)


def test_a_first_frame_without_welcome_is_a_fault() -> None:
    link = down()
    link.connected(NOW)
    step = link.receive(Frame(heartbeat=Heartbeat(1)), NOW)
    assert step.failure is not None
    assert step.failure.reason is FailureReason.MALFORMED


def test_another_version_is_refused() -> None:
    link = down()
    link.connected(NOW)
    step = link.receive(Frame(welcome=replace(WELCOME, protocol=2)), NOW)
    assert step.failure is not None
    assert step.failure.reason is FailureReason.VERSION


@pytest.mark.parametrize(
    "frame",
    [Frame(welcome=replace(WELCOME, met=9)), Frame(welcome=WELCOME, acknowledgement=Acknowledgement(9))],
)
def test_an_outbox_that_is_an_old_copy_is_noticed(frame: Frame) -> None:
    link = down(last=5)
    link.connected(NOW)
    step = link.receive(frame, NOW)
    assert step.failure is not None
    assert step.failure.reason is FailureReason.REGRESSED


def test_envelopes_are_acknowledged_when_they_are_stored() -> None:
    link = live()
    step = link.receive(Frame(envelopes=[arrived(1, 1), arrived(3, 2), transient()]), NOW)
    assert len(step.envelopes) == 3
    assert link.next_frame(NOW) is None
    link.stored(step.envelopes[:1])
    assert sent(link).acknowledgement == Acknowledgement(1)
    link.stored(step.envelopes[1:2])
    assert sent(link).acknowledgement == Acknowledgement(2)


def test_a_duplicate_is_dropped_but_acknowledged_only_after_the_first_is_stored() -> None:
    link = live()
    first = link.receive(Frame(envelopes=[arrived(1, 1)]), NOW).envelopes
    link.disconnected()
    live(link)
    step = link.receive(Frame(envelopes=[arrived(1, 1)]), NOW)
    assert step.envelopes == []
    assert link.next_frame(NOW) is None
    link.stored(first)
    assert sent(link).acknowledgement == Acknowledgement(1)


def test_a_stale_epoch_is_fenced_and_acknowledged() -> None:
    link = live(down(watermarks={"lyon": (2, 1)}))
    assert link.receive(Frame(envelopes=[arrived(9, 1, epoch=1)]), NOW).envelopes == []
    assert sent(link).acknowledgement == Acknowledgement(1)


def test_a_gap_ends_the_link_and_keeps_what_came_before_it() -> None:
    link = live()
    step = link.receive(Frame(envelopes=[arrived(1, 1), arrived(2, 3)]), NOW)
    assert sequences(step.envelopes) == [1]
    assert step.failure is not None
    assert step.failure.reason is FailureReason.MALFORMED


def test_a_hub_that_overruns_the_window_is_at_fault() -> None:
    link = live()
    assert link.receive(Frame(envelopes=[arrived(n, n) for n in range(1, 5)]), NOW).failure is None
    assert link.receive(Frame(envelopes=[arrived(5, 5)]), NOW).failure is not None


def test_transient_envelopes_are_bounded_and_given_back() -> None:
    link = down()
    assert not link.offer_transient(transient())
    live(link)
    assert [link.offer_transient(transient(str(n))) for n in range(4)] == [True, True, True, False]
    link.offer(held(1))
    frame = sent(link)
    assert [envelope.id for envelope in frame.envelopes] == ["0", "1", None]
    assert [envelope.id for envelope in link.disconnected()] == ["2"]


def test_presence_goes_only_where_it_is_asked_for_and_not_known() -> None:
    link = live()
    link.publish(AccountPresence("anna@x", 5))
    assert link.next_frame(NOW) is None
    interest = InterestChange((("anna@x", 5), ("bruno@x", 0)))
    assert link.receive(Frame(interest=interest), NOW).interest == interest
    link.publish(AccountPresence("anna@x", 5))
    link.publish(AccountPresence("bruno@x", 1))
    assert sent(link).presence == [AccountPresence("bruno@x", 1)]
    link.publish(AccountPresence("bruno@x", 1))
    assert link.next_frame(NOW) is None
    assert link.is_asked_for("anna@x")
    link.publish(AccountPresence("anna@x", 6))
    link.receive(Frame(interest=InterestChange(removed=("anna@x",))), NOW)
    assert link.next_frame(NOW) is None
    assert not link.is_asked_for("anna@x")


def test_a_full_interest_replaces() -> None:
    link = live()
    link.receive(Frame(interest=InterestChange((("anna@x", 0),))), NOW)
    link.publish(AccountPresence("anna@x", 1))
    link.receive(Frame(interest=InterestChange((("bruno@x", 0),), is_full=True)), NOW)
    assert link.next_frame(NOW) is None
    assert not link.is_asked_for("anna@x")


def test_watched_presence_is_news_once() -> None:
    link = live()
    link.watch("chloe@x")
    assert sent(link).interest == InterestChange((("chloe@x", 0),))
    news = [AccountPresence("chloe@x", 2), AccountPresence("chloe@x", 1), AccountPresence("david@x", 1)]
    assert link.receive(Frame(presence=news), NOW).presence == news[:1]
    link.watch("chloe@x")
    link.unwatch("chloe@x")
    assert link.next_frame(NOW) is None
    link.unwatch("chloe@x")
    assert sent(link).interest == InterestChange(removed=("chloe@x",))
    assert link.presence_of_others.get("chloe@x") is None


def test_after_a_lost_link_the_versions_that_are_held_are_said() -> None:
    link = live()
    link.watch("chloe@x")
    link.receive(Frame(presence=[AccountPresence("chloe@x", 2)]), NOW)
    link.disconnected()
    link.watch("david@x")
    link.connected(NOW)
    sent(link)
    link.receive(Frame(welcome=WELCOME), NOW)
    assert sent(link).interest == InterestChange((("chloe@x", 2), ("david@x", 0)), is_full=True)


def test_accounts_and_homes() -> None:
    link = down()
    assert not link.ask_home("anna@x")
    live(link)
    change = AccountChange(9)
    assert link.receive(Frame(accounts=change), NOW).accounts is change
    link.accounts_held(9)
    assert [link.ask_home(name) for name in ("a@x", "b@x", "c@x")] == [True, True, False]
    frame = sent(link)
    assert (frame.accounts_held, frame.home_questions) == (9, ["a@x", "b@x"])
    step = link.receive(
        Frame(home_answers=[HomeAnswer("a@x", "lyon")], undeliverable=[Undeliverable("a", "b", "iq", "1", "gone")]),
        NOW,
    )
    assert [answer.site for answer in step.home_answers] == ["lyon"]
    assert len(step.undeliverable) == 1
    link.disconnected()
    link.accounts_held(11)
    link.connected(NOW)
    hello = sent(link).hello
    assert hello is not None
    assert hello.accounts_version == 11


def test_home_questions_are_spread_over_frames() -> None:
    link = live(down(settings=replace(SETTINGS, home_questions_per_frame=1)))
    assert link.ask_home("a@x")
    assert link.ask_home("b@x")
    assert [sent(link).home_questions, sent(link).home_questions] == [["a@x"], ["b@x"]]
    assert link.next_frame(NOW) is None


def test_a_presence_that_no_frame_could_carry_goes_without_its_last_resources() -> None:
    link = live(down(settings=replace(SETTINGS, presence_bytes_max=1000)))
    link.receive(Frame(interest=InterestChange((("anna@x", 0),))), NOW)
    resources = tuple(AvailableResource(name, b"x" * 600) for name in ("desk", "phone"))
    link.publish(AccountPresence("anna@x", 5, resources))
    assert sent(link).presence == [AccountPresence("anna@x", 5, resources[:1])]


def test_heartbeats_measure_and_keep_alive() -> None:
    link = live()
    assert link.deadline(NOW) == NOW + 15
    assert link.next_frame(NOW + 14) is None
    heartbeat = sent(link, NOW + 15).heartbeat
    assert heartbeat == Heartbeat(int((NOW + 15) * 1e6))
    step = link.receive(Frame(heartbeat=Heartbeat(heartbeat.sent_us, is_reply=True)), NOW + 15.25)
    assert step.round_trip_seconds == pytest.approx(0.25)
    assert link.timeout(NOW + 60) is None
    failure = link.timeout(NOW + 61)
    assert failure is not None
    assert failure.reason is FailureReason.SILENT


def test_a_link_that_is_down_has_no_deadline() -> None:
    link = live()
    link.disconnected()
    assert (link.deadline(NOW), link.timeout(NOW + 1000), link.next_frame(NOW)) == (None, None, None)


def test_the_deadline_is_when_what_waits_may_go() -> None:
    settings = replace(SETTINGS, gather_seconds=1.0, acknowledge_seconds=4.0)
    outbox = Outbox(epoch=1, last_sequence=0, envelopes_max=50, bytes_max=1 << 20)
    outbox.wanted_read()
    outbox.loaded([], is_complete=True)
    link = SiteLink("paris", outbox, Inbox({}), 7, settings)
    link.connected(NOW)
    sent(link)
    link.receive(Frame(welcome=WELCOME, drain_ms=300), NOW)
    assert link.next_frame(NOW + 0.5) is None
    assert link.deadline(NOW) == NOW + 1
    sent(link, NOW + 1)
    link.stored(link.receive(Frame(envelopes=[arrived(1, 1)]), NOW + 2).envelopes)
    assert link.next_frame(NOW + 2) is None
    assert link.deadline(NOW + 3) == NOW + 6
    for sequence in range(1, 5):
        link.offer(held(sequence))
    frame = sent(link, NOW + 2)
    assert (frame.acknowledgement, sequences(frame.envelopes)) == (Acknowledgement(1), [1, 2, 3, 4])


def test_a_drain_is_reported() -> None:
    assert live().receive(Frame(drain_ms=300), NOW).drain_ms == 300
