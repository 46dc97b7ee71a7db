"""Stores of every age: made, upgraded step by step, refused."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from chassis.errors import OperatorError
from edge_node.adapters import sqlite
from edge_node.adapters.sqlite.connection import Connection, open_writer
from edge_node.adapters.sqlite.migrations import MIGRATIONS, StoreTooNew, migrate, statements

SETTINGS = sqlite.StoreSettings()


def writer(path: Path) -> Connection:
    return open_writer(path, cache_bytes=1 << 20, checkpoint_pages=1_000, size_bytes_max=1 << 30)


def version(connection: Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def second(connection: Connection, now_us: int) -> None:
    connection.execute("ALTER TABLE owner ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")


def failing(connection: Connection, now_us: int) -> None:
    connection.execute("CREATE TABLE half (a)")
    connection.execute("INSERT INTO nowhere VALUES (1)")


def test_a_new_file_becomes_a_store_of_the_newest_version(tmp_path: Path) -> None:
    connection = writer(tmp_path / "edge.sqlite")
    migrate(connection, tmp_path, 77)
    assert version(connection) == len(MIGRATIONS)
    assert connection.execute("SELECT epoch FROM store").fetchone() == (77,)


def test_a_store_of_version_1_is_upgraded_with_what_it_holds(tmp_path: Path) -> None:
    connection = writer(tmp_path / "edge.sqlite")
    migrate(connection, tmp_path, 77, MIGRATIONS[:1])
    connection.execute("INSERT INTO owner (jid) VALUES ('anna@corp.example')")
    migrate(connection, tmp_path, 88, [MIGRATIONS[0], second])
    assert version(connection) == 2
    assert connection.execute("SELECT jid, note FROM owner").fetchall() == [("anna@corp.example", "none")]
    assert connection.execute("SELECT epoch FROM store").fetchone() == (77,)
    migrate(connection, tmp_path, 99, [MIGRATIONS[0], second])
    assert version(connection) == 2


def test_a_step_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    connection = writer(tmp_path / "edge.sqlite")
    migrate(connection, tmp_path, 77, MIGRATIONS[:1])
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, tmp_path, 88, [MIGRATIONS[0], second, failing])
    assert version(connection) == 2
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert "half" not in tables


async def test_a_newer_store_is_refused_naming_both_versions(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    await (await sqlite.open_store(path, SETTINGS, 77)).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreTooNew, match=f"version 99, this program knows versions up to {len(MIGRATIONS)}"):
        await sqlite.open_store(path, SETTINGS, 88)


async def test_the_epoch_is_that_of_the_making(tmp_path: Path) -> None:
    for now_us in (77, 88):
        store = await sqlite.open_store(tmp_path / "edge.sqlite", SETTINGS, now_us)
        assert store.outbox.epoch == 77
        await store.close()


async def test_what_is_no_store_is_an_operators_error(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    path.write_bytes(b"not a database, certainly not " * 100)
    with pytest.raises(OperatorError, match="cannot be opened: file is not a database"):
        await sqlite.open_store(path, SETTINGS, 1)
    with pytest.raises(OperatorError, match=r"missing/edge\.sqlite: the store cannot be opened"):
        await sqlite.open_store(tmp_path / "missing" / "edge.sqlite", SETTINGS, 1)


async def test_closing_leaves_one_file_that_may_be_copied(tmp_path: Path) -> None:
    store = await sqlite.open_store(tmp_path / "edge.sqlite", SETTINGS, 77)
    await store.rosters.load("anna@corp.example")
    await store.close()
    assert not (tmp_path / "edge.sqlite-wal").exists()
    shutil.copy(tmp_path / "edge.sqlite", tmp_path / "copy.sqlite")
    copy = await sqlite.open_store(tmp_path / "copy.sqlite", SETTINGS, 88)
    assert copy.outbox.epoch == 77
    await copy.close()


async def test_nobody_else_on_the_machine_may_read_it(tmp_path: Path) -> None:
    store = await sqlite.open_store(tmp_path / "edge.sqlite", SETTINGS, 77)
    await store.accounts.apply(1, [], [], full=False)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("edge.sqlite", "edge.sqlite-wal")}
    assert modes == {"edge.sqlite": 0o600, "edge.sqlite-wal": 0o600}
    await store.close()


def test_statements_of_a_script() -> None:
    assert statements("CREATE a; -- one; two\n\nCREATE b (\n  c -- d\n);\n") == ["CREATE a", "CREATE b (\n  c \n)"]
