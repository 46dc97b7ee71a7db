"""What every store of the spool does (port cascade.spool.SpoolStore)."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from cascade.envelope import Envelope
from cascade.spool import Extent, MemorySpoolStore, Spooled, SpoolStore
from central_hub.adapters.sqlite.database import Database
from central_hub.adapters.sqlite.migrations import MIGRATIONS
from central_hub.adapters.sqlite.spool import SQLiteSpool
from chassis.clock import ManualClock
from tests.contracts.hub.answers import Answers


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SpoolStore]:
    if request.param == "memory":
        yield MemorySpoolStore()
        return
    database = Database(tmp_path / "hub.sqlite3", MIGRATIONS, backlog_max=100)
    yield await SQLiteSpool.open(database, ManualClock())
    await database.close()


def envelope(sequence: int) -> Envelope:
    return Envelope(
        origin="paris",
        epoch=7,
        sequence=sequence,
        sender="anna@corp.example/a",
        recipients=("chloe@corp.example",),
        kind="message",
        type="chat",
        payloads=("{jabber:client}body",),
        inner=b"<body>x</body>",
    )


async def append(store: SpoolStore, site: str, *sequences: int) -> Sequence[int]:
    answers: Answers[Sequence[int]] = Answers()
    store.append(site, [envelope(sequence) for sequence in sequences], answers.take)
    return await answers.next()


async def read(store: SpoolStore, site: str, after: int = 0, limit: int = 100) -> Sequence[Spooled]:
    answers: Answers[Sequence[Spooled]] = Answers()
    store.read(site, after, limit, answers.take)
    return await answers.next()


async def test_positions_grow_per_destination(store: SpoolStore) -> None:
    assert list(await append(store, "lyon", 1, 2)) == [1, 2]
    assert list(await append(store, "nice", 3)) == [1]
    assert list(await append(store, "lyon", 4)) == [3]


async def test_what_was_appended_is_read_in_order(store: SpoolStore) -> None:
    await append(store, "lyon", 5, 6, 7)
    spooled = await read(store, "lyon", after=1, limit=5)
    assert [(item.position, item.envelope.sequence) for item in spooled] == [(2, 6), (3, 7)]
    read_back = spooled[0].envelope
    assert (read_back.origin, read_back.recipients, read_back.inner) == (
        "paris",
        ("chloe@corp.example",),
        b"<body>x</body>",
    )
    assert [item.position for item in await read(store, "lyon", limit=1)] == [1]
    assert list(await read(store, "nice")) == []


async def test_read_sees_what_was_appended_before_it(store: SpoolStore) -> None:
    appended: Answers[Sequence[int]] = Answers()
    found: Answers[Sequence[Spooled]] = Answers()
    store.append("lyon", [envelope(1)], appended.take)
    store.read("lyon", 0, 10, found.take)
    assert [item.position for item in await found.next()] == list(await appended.next())


async def test_trimmed_is_gone_and_its_positions_stay_used(store: SpoolStore) -> None:
    await append(store, "lyon", 1, 2, 3)
    store.trim("lyon", 2)
    assert [item.position for item in await read(store, "lyon")] == [3]
    store.trim("lyon", 3)
    assert list(await append(store, "lyon", 4)) == [4]


async def test_sqlite_spool_survives_and_knows_its_extents(tmp_path: Path) -> None:
    clock = ManualClock()
    first = Database(tmp_path / "hub.sqlite3", MIGRATIONS, backlog_max=100)
    store = await SQLiteSpool.open(first, clock)
    await append(store, "lyon", 1, 2, 3)
    await append(store, "nice", 4)
    store.trim("lyon", 1)
    store.trim("nice", 1)
    await first.close()
    second = Database(tmp_path / "hub.sqlite3", MIGRATIONS, backlog_max=100)
    again = await SQLiteSpool.open(second, clock)
    assert again.extents() == {"lyon": Extent(1, 3, {"paris": (7, 3)}), "nice": Extent(1, 1, {"paris": (7, 4)})}
    assert [item.envelope.sequence for item in await read(again, "lyon")] == [2, 3]
    stocks = await again.stocks()
    assert (stocks["lyon"].envelopes, stocks["lyon"].last_position) == (2, 3)
    assert (stocks["lyon"].oldest_us, "nice" in stocks) == (clock.now_us(), False)
    await second.close()
