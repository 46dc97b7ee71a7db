"""The one place that knows the SQLite binding: opening, its errors, transactions.

Rule: no other module imports the binding, so that changing it changes this file.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edge_node.custody.port import StoreUnavailable

Connection = sqlite3.Connection

PAGE_BYTES = 4_096
STATEMENTS_CACHED = 128
BUSY_MILLISECONDS = 10_000
"""Only a foreign process (a backup, an operator's shell) ever makes us wait."""

WAL_BYTES_KEPT = 64 << 20
"""A write-ahead log that one large change made longer is cut back to this."""

_DATA_ERRORS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


def is_device_error(error: BaseException) -> bool:
    """Whether the store failed (trying later may do), not the data or the statement that it was given."""
    return isinstance(error, (sqlite3.Error, OSError)) and not isinstance(error, _DATA_ERRORS)


def open_writer(path: Path, *, cache_bytes: int, checkpoint_pages: int, size_bytes_max: int) -> Connection:
    """Open for writing: a commit that returns has reached the disk (WAL, synchronous=FULL)."""
    connection = _open(path, cache_bytes)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        connection.execute(f"PRAGMA max_page_count = {size_bytes_max // PAGE_BYTES}")
        # Zeroes what is deleted where the page is written anyway.
        connection.execute("PRAGMA secure_delete = FAST")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, *, cache_bytes: int) -> Connection:
    """Open an existing store for reading only."""
    connection = _open(path, cache_bytes)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _open(path: Path, cache_bytes: int) -> Connection:
    # Transactions are begun and ended here, not guessed by the binding; each connection has one user at a time,
    # though not always on the thread that opened it.
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_CACHED
    )
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    connection.execute(f"PRAGMA cache_size = -{cache_bytes // 1_024}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


@contextlib.contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """A transaction that is committed at the end, or leaves nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has ended the transaction itself after some errors of the device.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """One view of the store for several statements.

    Raises:
        StoreUnavailable: for an error of the device.
    """
    try:
        connection.execute("BEGIN")
        try:
            yield
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise unavailable(error) if is_device_error(error) else error from error


def unavailable(error: BaseException) -> StoreUnavailable:
    """The port's error for the binding's."""
    return StoreUnavailable(f"the store cannot commit or read: {error}")


def checkpoint(connection: Connection, *, wait: bool = False) -> None:
    """Copy the write-ahead log into the database; with `wait`, wait for readers and cut the log to nothing."""
    connection.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if wait else 'PASSIVE'})").fetchall()
