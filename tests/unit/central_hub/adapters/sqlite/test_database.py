import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from central_hub.adapters.sqlite.database import Database, NewerStore
from central_hub.storage import StoreUnavailable

TABLE = ("CREATE TABLE t (x INTEGER NOT NULL)",)


def insert(connection: sqlite3.Connection, x: int | None) -> int:
    connection.execute("INSERT INTO t VALUES (?)", (x,))
    return x or 0


def contents(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT x FROM t ORDER BY x")]


async def test_read_sees_what_was_written(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", TABLE, backlog_max=10)
    assert await database.write(lambda connection: insert(connection, 5)) == 5
    assert await database.read(contents) == [5]
    assert database.backlog == 0
    await database.close()


async def test_close_commits_what_was_submitted(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", TABLE, backlog_max=100)
    answered: list[int | None] = []
    for x in range(20):
        database.submit(lambda connection, x=x: insert(connection, x), lambda result, _: answered.append(result))  # type: ignore[misc]
    await database.close()
    again = Database(tmp_path / "db", TABLE, backlog_max=100)
    assert await again.read(contents) == list(range(20))
    assert answered == list(range(20))
    await again.close()


async def test_failed_commit_keeps_nothing_and_the_store_goes_on(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", TABLE, backlog_max=10)
    with pytest.raises(StoreUnavailable, match="NOT NULL"):
        await database.write(lambda connection: [insert(connection, 1), insert(connection, None)])
    assert await database.write(lambda connection: insert(connection, 2)) == 2
    assert await database.read(contents) == [2]
    await database.close()


async def test_jobs_own_fault_reaches_its_author(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", TABLE, backlog_max=10)
    with pytest.raises(ZeroDivisionError):
        await database.write(lambda _: 1 // 0)
    assert await database.write(lambda connection: insert(connection, 2)) == 2
    await database.close()


async def test_failing_read_is_unavailable(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", TABLE, backlog_max=10)
    with pytest.raises(StoreUnavailable, match="no such table"):
        await database.read(lambda connection: connection.execute("SELECT x FROM missing"))
    await database.close()


async def test_backlog_is_bounded(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", TABLE, backlog_max=2)
    errors: list[Exception | None] = []
    for _ in range(3):
        database.submit(lambda connection: insert(connection, 1), lambda _, error: errors.append(error))
    await database.close()
    assert sorted(str(error) for error in errors) == ["2 writes wait already", "None", "None"]


async def test_migrations_run_once_and_forward(tmp_path: Path) -> None:
    first = Database(tmp_path / "db", TABLE, backlog_max=10)
    await first.write(lambda connection: insert(connection, 7))
    await first.close()
    second = Database(tmp_path / "db", (*TABLE, "ALTER TABLE t ADD COLUMN y INTEGER DEFAULT 3"), backlog_max=10)
    assert await second.read(lambda connection: connection.execute("SELECT x, y FROM t").fetchall()) == [(7, 3)]
    await second.close()


async def test_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(NewerStore, match="has schema version 9, this release knows up to 1"):
        Database(path, TABLE, backlog_max=10)
