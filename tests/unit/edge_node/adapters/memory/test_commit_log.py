"""What the memory store offers beyond the contract: a test holds its commits back, loses them, makes them fail."""

import pytest

from edge_node.adapters import memory
from edge_node.custody import Acceptance, Entry, EntryFlag, StoreUnavailable
from edge_node.sessions.store import SessionRecord

ANNA = "anna@corp.example"


@pytest.fixture
def store() -> memory.MemoryStore:
    return memory.open_store()


def offline(message_id: int) -> Acceptance:
    acceptance = Acceptance(message_id)
    acceptance.entries = [Entry(ANNA, "b@corp.example", outgoing=False, flags=EntryFlag.OFFLINE)]
    return acceptance


async def waiting(store: memory.MemoryStore) -> list[int]:
    return [each.id for each in await store.deliveries.waiting(ANNA, 10)]


async def test_a_held_store_answers_when_it_is_released(store: memory.MemoryStore) -> None:
    told: list[object] = []
    store.hold()
    store.custody.accept(offline(1), lambda error: told.append((1, error)))
    store.custody.barrier(lambda error: told.append(("barrier", error)))
    store.custody.accept(offline(2), lambda error: told.append((2, error)))
    assert store.custody.backlog == 2
    assert (told, await waiting(store)) == ([], [])
    store.release()
    assert told == [(1, None), ("barrier", None), (2, None)]
    assert await waiting(store) == [1, 2]
    assert store.custody.backlog == 0


async def test_a_crash_loses_what_was_not_committed_and_nothing_else(store: memory.MemoryStore) -> None:
    told: list[object] = []
    store.custody.accept(offline(1), told.append)
    store.release()
    store.hold()
    store.custody.accept(offline(2), told.append)
    store.deliveries.advance(ANNA, 1)
    store.custody.fulfilled(1)
    assert await waiting(store) == []
    store.crash()
    assert told == [None]
    assert await waiting(store) == [1]
    assert [row.id for _, row in await store.deliveries.unfulfilled()] == [1]
    store.custody.accept(offline(3), told.append)
    store.release()
    assert await waiting(store) == [1, 3]


async def test_a_failing_store_refuses_messages_and_retries_the_rest(store: memory.MemoryStore) -> None:
    told: list[Exception | None] = []
    store.hold()
    store.custody.is_failing = True
    store.custody.accept(offline(1), told.append)
    store.sessions.save(SessionRecord(1, b"", "anna", "r", managed=False, checkpoint=b"", updated_us=0))
    store.release()
    assert [type(each) for each in told] == [StoreUnavailable]
    assert await store.sessions.load_all() == []
    assert (store.counters.refused, store.counters.failures, store.counters.retried) == (1, 1, 1)
    store.custody.is_failing = False
    store.release()
    assert [record.key for record in await store.sessions.load_all()] == [1]
    assert await waiting(store) == []
