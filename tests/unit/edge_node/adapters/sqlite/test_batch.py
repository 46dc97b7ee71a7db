import pytest

from edge_node.adapters.sqlite.batch import Batch, Standing
from edge_node.custody import Acceptance, StoreUnavailable
from edge_node.sessions.store import SessionRecord

NO_ROOM = StoreUnavailable("no room")


def record(resource: str) -> SessionRecord:
    return SessionRecord(1, b"", "anna", resource, managed=True, checkpoint=b"", updated_us=0)


def test_the_newer_write_of_a_kind_and_key_counts() -> None:
    older, newer = Standing(), Standing()
    older.sessions = {1: record("old"), 2: None}
    newer.sessions = {1: record("new")}
    older.positions = {"anna": 9, "bruno": 4}
    newer.positions = {"anna": 5}
    older.waits = {("anna", 1): True}
    newer.waits = {("anna", 1): False}
    older.numbers = {("anna", 1, 7): 3}
    older.trimmed, newer.trimmed = 8, 3
    older.fulfilled, newer.fulfilled = 2, 6
    assert newer.add_older(older, 100) == 0
    assert newer.sessions == {1: record("new"), 2: None}
    assert newer.positions == {"anna": 9, "bruno": 4}
    assert newer.waits == {("anna", 1): False}
    assert newer.numbers == {("anna", 1, 7): 3}
    assert (newer.trimmed, newer.fulfilled, len(newer)) == (8, 6, 7)


def test_what_does_not_fit_is_told() -> None:
    older, newer = Standing(), Standing()
    older.positions = {"a": 1, "b": 2, "c": 3}
    newer.positions = {"z": 1}
    assert newer.add_older(older, 3) == 1
    assert len(newer) == 3


def test_parts_are_the_whole_one_by_one() -> None:
    standing = Standing()
    standing.sessions = {1: None}
    standing.positions = {"a": 1, "b": 2}
    standing.waits = {("a", 1): True}
    standing.numbers = {("a", 1, 2): 3}
    standing.trimmed, standing.fulfilled = 4, 5
    together = Standing()
    parts = list(standing.parts())
    for part in parts:
        together.add_older(part, 100)
    assert [len(part) for part in parts] == [1] * 6
    assert (together.sessions, together.positions) == (standing.sessions, standing.positions)
    assert (together.waits, together.numbers) == (standing.waits, standing.numbers)
    assert (together.trimmed, together.fulfilled) == (standing.trimmed, standing.fulfilled)


def test_fulfilled_alone_is_written_but_not_due() -> None:
    batch = Batch()
    batch.standing.fulfilled = 3
    assert batch.has_writes
    assert not batch.is_due


def answered(batch: Batch) -> list[Exception | None]:
    told: list[Exception | None] = []
    batch.dones = [told.append for _ in batch.dones]
    batch.answer()
    return told


def three_with_a_barrier_and_a_refusal() -> Batch:
    batch = Batch()
    batch.acceptances = [Acceptance(number) for number in (1, 2, 3)]
    batch.dones = [lambda _: None] * 5
    batch.aside = {1: None, 3: NO_ROOM}
    return batch


def test_every_acceptance_is_told_the_same_and_what_stands_aside_its_own() -> None:
    batch = three_with_a_barrier_and_a_refusal()
    assert answered(batch) == [None, None, None, NO_ROOM, None]
    batch = three_with_a_barrier_and_a_refusal()
    batch.failure = failure = StoreUnavailable("full")
    assert answered(batch) == [failure, None, failure, NO_ROOM, failure]


def test_acceptances_committed_one_by_one_are_told_their_own() -> None:
    batch = three_with_a_barrier_and_a_refusal()
    batch.outcomes = [None, failure := StoreUnavailable("bad"), None]
    assert answered(batch) == [None, None, failure, NO_ROOM, None]


def test_one_that_raises_is_told_once_and_the_others_by_the_next_call() -> None:
    def failing(_: Exception | None) -> None:
        raise LookupError

    told: list[Exception | None] = []
    batch = Batch()
    batch.acceptances = [Acceptance(1), Acceptance(2)]
    batch.dones = [failing, told.append]
    with pytest.raises(LookupError):
        batch.answer()
    assert told == []
    batch.answer()
    assert told == [None]
