import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.frame import InterestChange
from cascade.interest import InterestGatherer, PendingInterest, WatchCounts


def test_watching_is_counted() -> None:
    watched = WatchCounts(10)
    assert [watched.watch("a"), watched.watch("a")] == [True, False]
    assert [watched.unwatch("a"), "a" in watched, watched.unwatch("a"), "a" in watched] == [False, True, True, False]
    with pytest.raises(KeyError):
        watched.unwatch("a")


def test_watching_is_bounded() -> None:
    watched = WatchCounts(2)
    watched.watch("a")
    watched.watch("b")
    watched.watch("a")
    with pytest.raises(OverflowError):
        watched.watch("c")
    assert (sorted(watched), len(watched)) == (["a", "b"], 2)


def test_added_and_removed_are_never_pending_together() -> None:
    pending = PendingInterest()
    pending.add("a", 1)
    pending.remove("a")
    assert pending.take(10) == InterestChange(removed=("a",))
    pending.remove("b")
    pending.add("b", 2)
    assert pending.take(10) == InterestChange((("b", 2),))
    assert not pending
    assert pending.take(10) is None


def test_a_full_statement_spans_frames_and_says_so() -> None:
    pending = PendingInterest()
    pending.remove("x")
    pending.replace([("a", 1), ("b", 2), ("c", 3)])
    assert pending.take(2) == InterestChange((("a", 1), ("b", 2)), is_full=True, has_more=True)
    pending.remove("a")
    pending.add("d", 4)
    assert pending.take(2) == InterestChange((("c", 3), ("d", 4)))
    assert pending.take(2) == InterestChange(removed=("a",))


def test_an_empty_full_statement_is_said() -> None:
    pending = PendingInterest()
    pending.replace([])
    assert pending
    assert pending.take(2) == InterestChange(is_full=True)
    pending.replace([("a", 1)])
    pending.clear()
    assert pending.take(2) is None


def test_a_gatherer_passes_differences_on() -> None:
    change = InterestChange((("a", 1),), ("b",))
    assert InterestGatherer(10).receive(change) is change


def test_a_gatherer_puts_a_full_statement_together() -> None:
    gatherer = InterestGatherer(10)
    assert gatherer.receive(InterestChange((("a", 1), ("b", 1)), is_full=True, has_more=True)) is None
    assert gatherer.receive(InterestChange((("c", 1),), ("a", "z"), has_more=True)) is None
    assert gatherer.receive(InterestChange((("d", 2),))) == InterestChange((("b", 1), ("c", 1), ("d", 2)), is_full=True)
    difference = InterestChange((("e", 1),))
    assert gatherer.receive(difference) is difference


def test_a_gatherer_is_bounded() -> None:
    gatherer = InterestGatherer(2)
    gatherer.receive(InterestChange((("a", 1), ("b", 1)), is_full=True, has_more=True))
    assert gatherer.receive(InterestChange((("c", 1),))) == InterestChange((("a", 1), ("b", 1)), is_full=True)


ACCOUNTS = st.sampled_from("abcdef")


@given(st.lists(st.tuples(st.sampled_from(("add", "remove", "replace", "take")), ACCOUNTS), max_size=40))
def test_the_other_side_ends_with_the_same_interest(steps: list[tuple[str, str]]) -> None:
    pending, gatherer = PendingInterest(), InterestGatherer(100)
    truth: set[str] = set()
    told: set[str] = set()

    def say() -> None:
        change = pending.take(2)
        complete = gatherer.receive(change) if change is not None else None
        if complete is not None:
            told.difference_update(list(told) if complete.is_full else complete.removed)
            told.update(account for account, _ in complete.added)

    for step, account in steps:
        if step == "add":
            truth.add(account)
            pending.add(account, 0)
        elif step == "remove":
            truth.discard(account)
            pending.remove(account)
        elif step == "replace":
            pending.replace((name, 0) for name in truth)
        else:
            say()
    while pending:
        say()
    assert told == truth
