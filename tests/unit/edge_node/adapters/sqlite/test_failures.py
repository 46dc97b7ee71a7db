"""A store that cannot commit: the disk is full, the device fails, the data is not acceptable, too much waits."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from edge_node.adapters import sqlite
from edge_node.custody import Acceptance, EntryFlag, StoreUnavailable
from edge_node.features.archive.store import PageRequest, Selection
from edge_node.features.roster.store import RosterItem
from edge_node.sessions.store import SessionRecord
from tests.contracts.edge.driver import ANNA, BRUNO, EPOCH, accept, message, outcomes, row, turns_until

# A store at rest begins its write-ahead log anew, and then need not lengthen it: these do not rest.
SMALL = sqlite.StoreSettings(size_bytes_max=1 << 20, retry_seconds=0.01, idle_seconds=60)
RECORD = SessionRecord(7, b"secret", "anna", "phone", managed=True, checkpoint=b"c", updated_us=1)
LARGE_RECORD = replace(RECORD, checkpoint=bytes(100_000))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[sqlite.SqliteStore]:
    opened = await sqlite.open_store(tmp_path / "edge.sqlite", SMALL, EPOCH)
    yield opened
    await opened.close()


def large(message_id: int) -> Acceptance:
    acceptance = message(message_id, row(ANNA, BRUNO, EntryFlag.ARCHIVED), row(BRUNO, ANNA))
    acceptance.stanza = bytes(20_000)
    return acceptance


async def fill(store: sqlite.SqliteStore) -> tuple[list[int], list[int]]:
    """Accept until the store is full; the ids that were committed, and those that were refused."""
    committed: list[int] = []
    for start in range(1, 1_000, 10):
        ids = range(start, start + 10)
        told = await outcomes(store, *map(large, ids))
        if any(told):
            assert {type(each) for each in told} == {StoreUnavailable}
            return committed, list(ids)
        committed += ids
    raise AssertionError("the store never became full")


async def ids_of(store: sqlite.SqliteStore, account: str) -> list[int]:
    page = await store.archive.page(account, Selection(), PageRequest(1_000))
    return [each.id for each in page.rows]


async def test_a_full_store_keeps_nothing_by_halves_and_works_again_when_there_is_room(
    store: sqlite.SqliteStore,
) -> None:
    committed, refused = await fill(store)
    assert await ids_of(store, ANNA) == await ids_of(store, BRUNO) == committed
    assert store.counters.acceptances == len(committed)
    assert store.counters.refused == len(refused)
    assert store.counters.failures == 1
    with pytest.raises(StoreUnavailable):
        await store.rosters.put(ANNA, RosterItem(BRUNO, name="x" * 2_000_000), 1)
    assert (await store.rosters.load(ANNA)).items == ()
    assert await store.archive.purge(committed[20], 100) == 40
    await accept(store, *map(large, refused))
    assert await ids_of(store, ANNA) == committed[20:] + refused


@contextlib.contextmanager
def failing_device(folder: Path) -> Iterator[None]:
    """Lengthening the write-ahead log fails with EFBIG, which SQLite reports as an error of the device."""
    size = (folder / "edge.sqlite-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_after_an_error_of_the_device_the_store_goes_on(store: sqlite.SqliteStore, tmp_path: Path) -> None:
    await accept(store, message(1, row()))
    with failing_device(tmp_path):
        told = await outcomes(store, large(2), large(3))
        store.sessions.save(RECORD)
        store.deliveries.advance(ANNA, 1)
        store.custody.fulfilled(3)
        retried = await outcomes(store, large(4))
    assert {type(each) for each in told + retried} == {StoreUnavailable}
    assert "disk I/O error" in str(told[0])
    await accept(store, message(5, row()))
    assert await ids_of(store, ANNA) == [1, 5]
    assert await store.sessions.load_all() == [RECORD]


async def test_what_nobody_waits_for_is_retried_without_further_traffic(
    store: sqlite.SqliteStore, tmp_path: Path
) -> None:
    with failing_device(tmp_path):
        store.sessions.save(LARGE_RECORD)
        await turns_until(lambda: store.counters.failures > 0)
    await turns_until(lambda: store.counters.commits > 0)
    assert await store.sessions.load_all() == [LARGE_RECORD]
    assert store.counters.retried >= 1
    assert store.counters.dropped == 0


async def test_a_log_that_cannot_be_written_keeps_nobody_waiting(store: sqlite.SqliteStore, tmp_path: Path) -> None:
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(str(context["exception"])))

    def no_room(*_: object) -> str:
        raise OSError("no room for the log")

    await accept(store, message(1, row()))
    structlog.configure(processors=[no_room])
    try:
        with failing_device(tmp_path):
            told = await outcomes(store, large(2))
            await turns_until(lambda: len(reported) > 0)
    finally:
        structlog.reset_defaults()
    assert [type(each) for each in told] == [StoreUnavailable]
    assert reported == ["no room for the log"]


async def test_closing_a_store_that_cannot_commit_ends_and_tells_what_is_lost(tmp_path: Path) -> None:
    store = await sqlite.open_store(tmp_path / "edge.sqlite", SMALL, EPOCH)
    told: list[Exception | None] = []
    with failing_device(tmp_path):
        store.sessions.save(LARGE_RECORD)
        store.custody.accept(large(1), told.append)
        await store.close()
    assert [type(each) for each in told] == [StoreUnavailable]
    assert store.counters.dropped == 1


async def test_data_that_is_not_acceptable_harms_only_itself(store: sqlite.SqliteStore) -> None:
    bad = message(2, row("\ud800@corp.example"))
    told = await outcomes(store, message(1, row()), bad, message(3, row()))
    assert [type(each) for each in told] == [type(None), StoreUnavailable, type(None)]
    assert await ids_of(store, ANNA) == [1, 3]


async def test_a_record_that_is_not_acceptable_is_dropped_and_counted(store: sqlite.SqliteStore) -> None:
    store.sessions.save(SessionRecord(1, b"", "\ud800", "r", managed=False, checkpoint=b"", updated_us=0))
    store.sessions.save(RECORD)
    await accept(store, message(1, row()))
    assert await store.sessions.load_all() == [RECORD]
    assert store.counters.dropped == 1


async def test_an_operations_own_error_is_its_callers_alone(store: sqlite.SqliteStore) -> None:
    def work(connection: object) -> None:
        raise LookupError("mine")

    told = asyncio.get_running_loop().create_future()
    store.custody.accept(message(1, row()), told.set_result)
    with pytest.raises(LookupError, match="mine"):
        await store.custody.run(work)
    assert await told is None


async def test_a_done_that_raises_is_reported_and_the_others_are_told(store: sqlite.SqliteStore) -> None:
    reported: list[str] = []
    told: list[int] = []
    last = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(str(context["exception"])))

    def raising(_: Exception | None) -> None:
        raise LookupError("in done")

    store.custody.accept(message(1, row()), lambda _: told.append(1))
    store.custody.accept(message(2, row()), raising)
    store.custody.accept(message(3, row()), lambda _: told.append(3))
    store.custody.barrier(last.set_result)
    await last
    assert (told, reported) == ([1, 3], ["in done"])


async def test_above_the_backlog_messages_are_refused_in_their_turn(tmp_path: Path) -> None:
    settings = sqlite.StoreSettings(backlog_acceptances_max=5, batch_acceptances_max=2)
    store = await sqlite.open_store(tmp_path / "edge.sqlite", settings, EPOCH)
    told = await outcomes(store, *(message(number, row()) for number in range(1, 9)))
    assert [type(each) for each in told] == [type(None)] * 5 + [StoreUnavailable] * 3
    assert store.counters.commits == 3
    await accept(store, message(20, row()))
    await store.close()


async def test_above_their_bounds_changes_and_reads_are_refused(tmp_path: Path) -> None:
    settings = sqlite.StoreSettings(backlog_operations_max=1, backlog_reads_max=1)
    store = await sqlite.open_store(tmp_path / "edge.sqlite", settings, EPOCH)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(store.rosters.put(ANNA, RosterItem(BRUNO), 1))
        tasks.create_task(store.rosters.load(ANNA))
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable, match="too many changes"):
            await store.rosters.put(ANNA, RosterItem(BRUNO), 2)
        with pytest.raises(StoreUnavailable, match="too many reads"):
            await store.rosters.load(ANNA)
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.rosters.load(ANNA)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.rosters.put(ANNA, RosterItem(BRUNO), 2)
