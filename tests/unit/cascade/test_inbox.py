from cascade.inbox import Inbox, Verdict
from tests.unit.cascade.envelopes import held


def test_each_name_is_new_once() -> None:
    inbox = Inbox({})
    assert [inbox.take(held(sequence)) for sequence in (1, 2, 2, 1, 5)] == [
        Verdict.NEW,
        Verdict.NEW,
        Verdict.DUPLICATE,
        Verdict.DUPLICATE,
        Verdict.NEW,
    ]


def test_origins_do_not_meet() -> None:
    inbox = Inbox({})
    inbox.take(held(9, origin="paris"))
    assert inbox.take(held(1, origin="nice")) is Verdict.NEW


def test_a_newer_epoch_begins_anew_and_fences_the_older() -> None:
    inbox = Inbox({"paris": (1, 50)})
    assert inbox.take(held(1, epoch=2)) is Verdict.NEW
    assert inbox.take(held(51, epoch=1)) is Verdict.STALE
    assert inbox.take(held(2, epoch=2)) is Verdict.NEW


def test_what_is_new_is_told_what_it_comes_after() -> None:
    inbox = Inbox({"paris": (1, 50)})
    envelopes = [held(53), held(52), held(60), held(1, origin="nice"), held(2, epoch=2)]
    for envelope in envelopes:
        inbox.take(envelope)
    assert [envelope.after for envelope in envelopes] == [(1, 50), (0, 0), (1, 53), (0, 0), (1, 60)]
    inbox.forget_taken()
    again = held(53)
    inbox.take(again)
    assert again.after == (1, 50)


def test_taken_runs_ahead_of_stored() -> None:
    inbox = Inbox({"paris": (1, 3)})
    inbox.take(held(4))
    assert inbox.is_stored("paris", (1, 3))
    assert not inbox.is_stored("paris", (1, 4))
    inbox.store(held(4))
    inbox.store(held(2))
    assert inbox.is_stored("paris", (1, 4))
    assert inbox.watermarks == {"paris": (1, 4)}


def test_what_could_not_be_stored_is_new_again() -> None:
    inbox = Inbox({"paris": (1, 3)})
    inbox.take(held(4))
    inbox.forget_taken()
    assert inbox.take(held(3)) is Verdict.DUPLICATE
    assert inbox.take(held(4)) is Verdict.NEW


def test_what_is_stored_after_all_is_not_new_again() -> None:
    """Something else could not be stored while this was being committed."""
    inbox = Inbox({"paris": (1, 3)})
    envelope = held(4)
    inbox.take(envelope)
    inbox.forget_taken()
    inbox.store(envelope)
    assert inbox.take(held(4)) is Verdict.DUPLICATE
    after = held(5)
    assert (inbox.take(after), after.after) == (Verdict.NEW, (1, 4))


def test_nothing_is_stored_of_an_origin_never_met() -> None:
    assert not Inbox({}).is_stored("paris", (1, 1))
    assert Inbox({}).is_stored("paris", (0, 0))
