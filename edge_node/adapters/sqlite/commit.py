"""Batches into transactions; everything here runs on the writer's thread."""

from pathlib import Path

from chassis.errors import OperatorError
from edge_node.adapters.sqlite.amend import amend
from edge_node.adapters.sqlite.batch import Batch, Operation, Standing
from edge_node.adapters.sqlite.connection import (
    Connection,
    checkpoint,
    is_device_error,
    open_writer,
    unavailable,
    writing,
)
from edge_node.adapters.sqlite.migrations import migrate
from edge_node.adapters.sqlite.owners import Owners
from edge_node.adapters.sqlite.rows import RECENT_COLUMNS, Insert, Rows, encode, signed
from edge_node.adapters.sqlite.settings import StoreSettings
from edge_node.adapters.sqlite.upkeep import Owed, highest_id, merge_recent, outbox_state, owed, watermarks
from edge_node.adapters.store import StoreCounters

_INSERT_MESSAGES = Insert("message", "id", "session", "number", "kept", "owners", "stanza")
_INSERT_RECENT = Insert("recent", *RECENT_COLUMNS)
_INSERT_ENVELOPES = Insert("outbox", "sequence", "envelope")

_SAVE_SESSION = """
    INSERT INTO session (key, since, secret, account, resource, managed, checkpoint, updated_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET secret = excluded.secret, account = excluded.account, resource = excluded.resource,
        managed = excluded.managed, checkpoint = excluded.checkpoint, updated_us = excluded.updated_us
"""
_DELETE_SESSION = "DELETE FROM session WHERE key = ?"
_ADVANCE = "INSERT INTO position (account, id) VALUES (?, ?) ON CONFLICT DO UPDATE SET id = max(id, excluded.id)"
_LEFT = "INSERT INTO departure (account, at_us) VALUES (?, ?) ON CONFLICT DO UPDATE SET at_us = excluded.at_us"
_FULFILLED = "UPDATE store SET fulfilled = max(fulfilled, ?)"
_KEEP_OUTBOX_LAST = "UPDATE store SET outbox_last = max(outbox_last, (SELECT ifnull(max(sequence), 0) FROM outbox))"
_TRIM = "DELETE FROM outbox WHERE sequence <= ?"
_WATERMARK = """
    INSERT INTO watermark (origin, epoch, sequence) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence
"""


class Committer:
    """The writing connection.  A batch is committed whole, or every part of it is answered with a failure."""

    def __init__(self, path: Path, settings: StoreSettings, counters: StoreCounters, now_us: int) -> None:
        """Open the store, make or upgrade it.

        Raises:
            StoreTooNew: see `migrations.migrate`.
            OperatorError: the file cannot be opened or is no store.
        """
        self._path = path
        self._settings = settings
        self._counters = counters
        self.owners = Owners(settings.owners_cached_max)
        self._recent_rows = 0
        self._is_tidy = True
        connection: Connection | None = None
        try:
            path.touch(mode=0o600)  # SQLite gives its other files the same mode
            connection = self._open()
            migrate(connection, path, now_us)
            with writing(connection):
                merge_recent(connection)
            self.last_id = highest_id(connection)
            """The highest id committed."""
            self.epoch, self.last_sequence = outbox_state(connection)
            """The outbox's epoch, and the highest sequence committed."""
            self._marks = watermarks(connection)
            self.owed = owed(connection)
            """What the outbox holds."""
        except BaseException as error:
            if connection is not None:
                connection.close()
            if is_device_error(error):
                raise OperatorError(f"{path}: the store cannot be opened: {error}") from error
            raise
        self._connection: Connection | None = connection

    def commit(self, batch: Batch) -> None:
        """Commit a batch and write into it what became of it."""
        self._is_tidy = False
        try:
            self._commit(batch)
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            self._rolled_back(error)
            if is_device_error(error):
                batch.failure = unavailable(error)
            else:
                self._commit_one_by_one(batch)

    def merge_if_due(self) -> None:
        """Sort recent rows into their accounts when there are enough."""
        if self._recent_rows >= self._settings.recent_rows_max:
            self._merge()

    def rest(self) -> None:
        """Nothing has come for a while: leave everything tidy."""
        if self._is_tidy:
            return
        self._is_tidy = True
        self._merge()
        self._checkpoint(wait=False)

    def close(self) -> None:
        """Tidy up and close."""
        self._merge()
        self._checkpoint(wait=True)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Connection:
        settings = self._settings
        return open_writer(
            self._path,
            cache_bytes=settings.cache_bytes,
            checkpoint_pages=settings.checkpoint_pages,
            size_bytes_max=settings.size_bytes_max,
        )

    def _commit(self, batch: Batch) -> None:
        connection = self._connected()
        with writing(connection):
            first_row = self._recent_rows + 1
            rows = encode(batch.acceptances, self.owners, connection, self._marks, first_row)
            _write_rows(connection, rows)
            trimmed = self._write_standing(connection, batch.standing)
            for operation in batch.operations:
                _run(connection, operation)
        self.owners.committed()
        self._recent_rows += rows.recent_count
        self.last_id = max(self.last_id, rows.last_id)
        self.last_sequence = max(self.last_sequence, rows.last_sequence)
        self.owed = Owed(
            self.owed.envelopes + len(rows.envelopes) // 2 - trimmed.envelopes,
            self.owed.size_bytes + rows.envelope_bytes - trimmed.size_bytes,
        )
        self._marks.update(rows.watermarks)
        self._counters.commits += 1
        self._counters.acceptances += len(batch.acceptances) - len(rows.refused)
        if rows.refused:
            batch.outcomes = [rows.refused.get(acceptance) for acceptance in batch.acceptances]
        batch.standing = Standing()

    def _write_standing(self, connection: Connection, standing: Standing) -> Owed:
        """Write it; what the outbox does not owe any more."""
        for key, record in standing.sessions.items():
            if record is None:
                connection.execute(_DELETE_SESSION, (signed(key),))
            else:
                values = (record.secret, record.account, record.resource, record.managed, record.checkpoint)
                connection.execute(_SAVE_SESSION, (signed(key), self.last_id, *values, record.updated_us))
        if standing.positions:
            connection.executemany(_ADVANCE, standing.positions.items())
        if standing.departures:
            connection.executemany(_LEFT, standing.departures.items())
        amend(connection, self.owners, standing)
        if standing.fulfilled:
            connection.execute(_FULFILLED, (standing.fulfilled,))
        if not standing.trimmed:
            return Owed(0, 0)
        trimmed = owed(connection, standing.trimmed)
        connection.execute(_KEEP_OUTBOX_LAST)
        connection.execute(_TRIM, (standing.trimmed,))
        return trimmed

    def _commit_one_by_one(self, batch: Batch) -> None:
        """Something in the batch is not acceptable to the database: find it, and let the others not suffer."""
        outcomes: list[Exception | None] = []
        for acceptance in batch.acceptances:
            part = Batch()
            part.acceptances.append(acceptance)
            outcomes.append(self._commit_part(part))
        batch.outcomes = outcomes
        waiting = Standing()
        for standing in batch.standing.parts():
            part = Batch()
            part.standing = standing
            error = self._commit_part(part)
            if error is not None and is_device_error(error.__cause__ or error):
                waiting.add_older(standing, self._settings.retained_writes_max)
            elif error is not None:
                self._counters.dropped += 1
        batch.standing = waiting
        for operation in batch.operations:
            part = Batch()
            part.operations.append(operation)
            operation.error = self._commit_part(part) or operation.error

    def _commit_part(self, part: Batch) -> Exception | None:
        try:
            self._commit(part)
        except Exception as error:  # noqa: BLE001 - as in `commit`
            self._rolled_back(error)
            failure = unavailable(error)
            failure.__cause__ = error
            return failure
        return part.outcomes[0] if part.outcomes else None

    def _rolled_back(self, error: Exception) -> None:
        self.owners.rolled_back(self._recent_rows)
        connection = self._connection
        # A connection that could not even roll back, or whose device failed, is not trusted with the next commit.
        if connection is not None and (connection.in_transaction or is_device_error(error)):
            self._connection = None
            connection.close()

    def _merge(self) -> None:
        try:
            connection = self._connected()
            with writing(connection):
                merge_recent(connection)
        except Exception as error:  # noqa: BLE001 - nothing is lost: the rows stay where they are until the next time
            self._counters.upkeep_failures += 1
            self._rolled_back(error)
            return
        self.owners.moved()
        self._recent_rows = 0
        self._counters.merges += 1

    def _checkpoint(self, *, wait: bool) -> None:
        try:
            checkpoint(self._connected(), wait=wait)
        except Exception as error:  # noqa: BLE001 - nothing is lost: the write-ahead log is read as well
            self._counters.upkeep_failures += 1
            self._rolled_back(error)


def _write_rows(connection: Connection, rows: Rows) -> None:
    _INSERT_MESSAGES.run(connection, rows.messages)
    _INSERT_RECENT.run(connection, rows.recent)
    _INSERT_ENVELOPES.run(connection, rows.envelopes)
    for origin, (epoch, sequence) in rows.watermarks.items():
        connection.execute(_WATERMARK, (origin, epoch, sequence))


def _run(connection: Connection, operation: Operation) -> None:
    """Run an operation so that its own error undoes it alone."""
    operation.error = None
    connection.execute("SAVEPOINT operation")
    try:
        operation.result = operation.work(connection)
    except Exception as error:  # its caller's, unless the device failed
        if is_device_error(error):
            raise
        operation.error = error
        connection.execute("ROLLBACK TO operation")
    connection.execute("RELEASE operation")
