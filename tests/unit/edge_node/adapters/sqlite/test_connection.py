import sqlite3
from pathlib import Path

import pytest

from edge_node.adapters.sqlite.connection import (
    Connection,
    is_device_error,
    open_reader,
    open_writer,
    reading,
    writing,
)
from edge_node.custody import StoreUnavailable


@pytest.fixture
def writer(tmp_path: Path) -> Connection:
    connection = open_writer(tmp_path / "x.sqlite", cache_bytes=1 << 20, checkpoint_pages=500, size_bytes_max=1 << 20)
    connection.execute("CREATE TABLE word (text TEXT PRIMARY KEY)")
    return connection


def test_a_commit_reaches_the_disk_before_it_returns(writer: Connection) -> None:
    pragmas = ("journal_mode", "synchronous", "page_size", "wal_autocheckpoint", "max_page_count")
    found = [writer.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert found == ["wal", 2, 4_096, 500, 256]


def test_a_failed_transaction_leaves_nothing(writer: Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError), writing(writer):
        writer.executemany("INSERT INTO word VALUES (?)", [("a",), ("a",)])
    assert writer.execute("SELECT * FROM word").fetchall() == []
    assert not writer.in_transaction


def test_a_reader_has_one_view_and_cannot_write(writer: Connection, tmp_path: Path) -> None:
    reader = open_reader(tmp_path / "x.sqlite", cache_bytes=1 << 20)
    with reading(reader):
        assert reader.execute("SELECT count(*) FROM word").fetchone() == (0,)
        writer.execute("INSERT INTO word VALUES ('a')")
        assert reader.execute("SELECT count(*) FROM word").fetchone() == (0,)
    with reading(reader):
        assert reader.execute("SELECT count(*) FROM word").fetchone() == (1,)
    with pytest.raises(StoreUnavailable, match="readonly"), reading(reader):
        reader.execute("INSERT INTO word VALUES ('b')")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (sqlite3.OperationalError("disk I/O error"), True),
        (sqlite3.DatabaseError("malformed"), True),
        (OSError("no such folder"), True),
        (sqlite3.IntegrityError("unique"), False),
        (OverflowError("too large"), False),
    ],
)
def test_errors_of_the_device_and_of_the_data(error: Exception, expected: bool) -> None:
    assert is_device_error(error) is expected
