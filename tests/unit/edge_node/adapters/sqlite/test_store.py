"""What the SQLite store promises beyond the contract: it survives, and it moves rows without anybody seeing it."""

from pathlib import Path

from edge_node.adapters import sqlite
from edge_node.features.archive.store import PageRequest, Selection
from edge_node.features.roster.store import RosterChange, RosterItem
from edge_node.sessions.store import SessionRecord
from tests.contracts.edge.driver import (
    ANNA,
    ARCHIVED,
    BRUNO,
    EPOCH,
    OFFLINE,
    accept,
    message,
    row,
    settled,
    turns_until,
)
from tests.contracts.edge.test_uplink import envelope, taken

SETTINGS = sqlite.StoreSettings(recent_rows_max=1_000, idle_seconds=60, removals_remembered_max=2, count_rows_max=3)


async def opened(folder: Path, settings: sqlite.StoreSettings = SETTINGS) -> sqlite.SqliteStore:
    return await sqlite.open_store(folder / "edge.sqlite", settings, EPOCH)


async def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    record = SessionRecord(7, b"s", "anna", "phone", managed=True, checkpoint=b"", updated_us=1)
    store.sessions.save(record)
    await accept(
        store, message(1, row(flags=ARCHIVED | OFFLINE, to=((7, 1),)), session=7, number=3), taken(2, "l", 1, 5)
    )
    await accept(store, envelope(1), envelope(2), message(40, row(flags=OFFLINE)))
    store.outbox.trim(2)
    store.deliveries.advance(ANNA, 1)
    store.deliveries.keep_waiting(ANNA, 1)
    store.custody.fulfilled(2)
    await store.close()

    store = await opened(tmp_path)
    assert [each.id for each in (await store.archive.page(ANNA, Selection(), PageRequest(5))).rows] == [1, 2]
    assert [each.id for each in await store.deliveries.waiting(ANNA, 5)] == [1, 40]
    assert [each.id for each in await store.deliveries.delivered_to(ANNA, 7, 0)] == [1]
    assert await store.deliveries.sessions_numbers(0) == {7: 3}
    assert await store.deliveries.last_id() == 40
    assert [each.id for _, each in await store.deliveries.unfulfilled()] == [40]
    assert (store.outbox.last_sequence, store.outbox.envelopes, store.outbox.size_bytes) == (2, 0, 0)
    assert await store.inbox.watermarks() == {"l": (1, 5)}
    assert await store.sessions.load_all() == [record]
    await store.close()


async def test_rows_are_read_wherever_they_are(tmp_path: Path) -> None:
    """Some sorted, some recent, some of both; changed in either place."""
    store = await opened(tmp_path)
    await accept(store, *(message(n, row(flags=ARCHIVED | OFFLINE, to=((7, n),))) for n in range(1, 5)))
    await store.archive.purge(0, 1)
    await accept(store, *(message(n, row(flags=ARCHIVED | OFFLINE, to=((7, n),))) for n in range(5, 9)))
    for number in (2, 6):
        store.deliveries.keep_waiting(ANNA, number)
    store.deliveries.renumber(ANNA, 8, 7, 100)
    store.deliveries.renumber(ANNA, 4, 7, 4)
    store.deliveries.advance(ANNA, 3)
    await settled(store)
    assert [each.id for each in await store.deliveries.waiting(ANNA, 10)] == [2, 4, 5, 6, 7, 8]
    assert [each.number for each in await store.deliveries.delivered_to(ANNA, 7, 3)] == [4, 5, 6, 7, 100]
    page = await store.archive.page(ANNA, Selection(), PageRequest(4, last=True))
    assert [each.id for each in page.rows] == [5, 6, 7, 8]
    page = await store.archive.page(ANNA, Selection(ids=(3, 7)), PageRequest(4, after=1))
    assert ([each.id for each in page.rows], page.complete, page.count) == ([3, 7], True, 2)
    await store.close()


async def test_an_idle_store_sorts_its_rows_and_empties_its_log(tmp_path: Path) -> None:
    store = await opened(tmp_path, sqlite.StoreSettings(idle_seconds=0.01))
    await accept(store, message(1, row()))
    store.custody.fulfilled(1)
    await turns_until(lambda: store.counters.merges > 0 and store.counters.commits > 1)
    assert [each.id for each in (await store.archive.page(ANNA, Selection(), PageRequest(5))).rows] == [1]
    assert await store.deliveries.unfulfilled() == []
    await store.close()


async def test_reading_while_rows_move_sees_every_row_once(tmp_path: Path) -> None:
    store = await opened(tmp_path, sqlite.StoreSettings(recent_rows_max=10, batch_acceptances_max=3))
    seen = 0
    for number in range(1, 401):
        store.custody.accept(message(number, row(ANNA, BRUNO), row(BRUNO, ANNA)), lambda _: None)
        if number % 4 == 0:
            page = await store.archive.page(ANNA, Selection(), PageRequest(1_000))
            ids = [each.id for each in page.rows]
            assert ids == list(range(1, len(ids) + 1))
            assert len(ids) >= seen
            seen = len(ids)
    await settled(store)
    assert store.counters.merges > 1
    assert len((await store.archive.page(BRUNO, Selection(), PageRequest(1_000))).rows) == 400
    await store.close()


async def test_counting_and_remembering_are_bounded(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await accept(store, *(message(n, row()) for n in range(1, 5)))
    assert (await store.archive.page(ANNA, Selection(), PageRequest(1))).count is None
    assert (await store.archive.page(ANNA, Selection(end_us=3), PageRequest(1))).count == 3
    for version in range(1, 5):
        await store.rosters.put(ANNA, RosterItem(f"{version}@x"), version)
    for version in range(5, 9):
        await store.rosters.remove(ANNA, f"{version - 4}@x", version)
    assert await store.rosters.changes(ANNA, 5, 10) is None
    removals = [RosterChange(7, "3@x", None), RosterChange(8, "4@x", None)]
    assert await store.rosters.changes(ANNA, 6, 10) == removals
    await store.close()


async def test_the_search_for_what_a_session_missed_is_bounded_and_begins_with_the_session(tmp_path: Path) -> None:
    store = await opened(tmp_path, sqlite.StoreSettings(delivered_rows_max=3))
    await accept(store, *(message(n, row(to=((7, n),))) for n in range(1, 6)))
    assert [each.id for each in await store.deliveries.delivered_to(ANNA, 7, 0)] == [3, 4, 5]
    store.sessions.save(SessionRecord(7, b"", "anna", "r", managed=True, checkpoint=b"", updated_us=0))
    await settled(store)
    assert await store.deliveries.delivered_to(ANNA, 7, 0) == []
    await store.close()
