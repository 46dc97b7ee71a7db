"""The spool's store in SQLite."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Self

import structlog

from cascade.codec import decode_envelope, encode_envelope
from cascade.envelope import Envelope
from cascade.inbox import Watermark
from cascade.spool import Extent, Spooled, marks_of
from cascade.wire import MalformedFrame
from central_hub.adapters.sqlite.database import Database
from central_hub.spool.measured import Stock
from central_hub.storage import StoreUnavailable
from chassis.clock import Clock

log = structlog.get_logger()

LAST = "SELECT last FROM spool_extents WHERE site = ?"
GROW = """
    INSERT INTO spool_extents (site, trimmed_to, last) VALUES (?1, 0, ?2) ON CONFLICT (site) DO UPDATE SET last = ?2
"""
APPEND = "INSERT INTO spool (site, position, spooled_us, envelope) VALUES (?, ?, ?, ?)"
READ = "SELECT position, envelope FROM spool WHERE site = ? AND position > ? ORDER BY position LIMIT ?"
TRIM = "DELETE FROM spool WHERE site = ? AND position <= ?"
SHRINK = "UPDATE spool_extents SET trimmed_to = ?2 WHERE site = ?1 AND trimmed_to < ?2"
MARK = """
    INSERT INTO spool_marks (site, origin, epoch, sequence) VALUES (?, ?, ?, ?)
    ON CONFLICT (site, origin) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence
"""
MARKS = "SELECT site, origin, epoch, sequence FROM spool_marks"
EXTENTS = "SELECT site, trimmed_to, last FROM spool_extents"
STOCKS = "SELECT site, count(*), sum(length(envelope)), min(spooled_us), max(position) FROM spool GROUP BY site"


class SQLiteSpool:
    """Implements cascade.spool.SpoolStore."""

    def __init__(self, database: Database, clock: Clock, extents: Mapping[str, Extent]) -> None:
        """Use `database`, whose migrations hold these tables; `open` is the way to make one."""
        self._database = database
        self._clock = clock
        self._extents = extents

    @classmethod
    async def open(cls, database: Database, clock: Clock) -> Self:
        """Read what is stored of every destination; raise StoreUnavailable."""
        return cls(database, clock, await database.read(extents))

    async def stocks(self) -> Mapping[str, Stock]:
        """How much the spool holds for each destination that is owed something; raise StoreUnavailable."""
        rows = await self._database.read(lambda connection: connection.execute(STOCKS).fetchall())
        return {site: Stock(*figures) for site, *figures in rows}

    def extents(self) -> Mapping[str, Extent]:
        return self._extents

    def append(
        self, destination: str, envelopes: Sequence[Envelope], done: Callable[[Sequence[int] | Exception], None]
    ) -> None:
        now_us = self._clock.now_us()
        encoded = [encode_envelope(envelope) for envelope in envelopes]
        marks = marks_of(envelopes)
        self._database.submit(
            lambda connection: append(connection, destination, encoded, marks, now_us),
            lambda positions, error: done(positions if positions is not None else error or StoreUnavailable()),
        )

    def read(
        self,
        destination: str,
        after_position: int,
        limit: int,
        done: Callable[[Sequence[Spooled] | Exception], None],
    ) -> None:
        # in the writer: a read must see what was appended before it, and answers come in the order of the calls
        self._database.submit(
            lambda connection: connection.execute(READ, (destination, after_position, limit)).fetchall(),
            lambda rows, error: done(decoded(rows) if rows is not None else error or StoreUnavailable()),
        )

    def trim(self, destination: str, up_to_position: int) -> None:
        self._database.submit(lambda connection: trim(connection, destination, up_to_position), trimmed)


def extents(connection: sqlite3.Connection) -> dict[str, Extent]:
    """Read what is stored of every destination."""
    marks: defaultdict[str, dict[str, Watermark]] = defaultdict(dict)
    for site, origin, epoch, sequence in connection.execute(MARKS):
        marks[site][origin] = (epoch, sequence)
    return {site: Extent(trimmed_to, last, marks[site]) for site, trimmed_to, last in connection.execute(EXTENTS)}


def append(
    connection: sqlite3.Connection, site: str, encoded: Sequence[bytes], marks: Mapping[str, Watermark], now_us: int
) -> Sequence[int]:
    """Store envelopes behind what the site has, and which are the last of their origins; return their positions."""
    row = connection.execute(LAST, (site,)).fetchone()
    last = 0 if row is None else row[0]
    positions = range(last + 1, last + 1 + len(encoded))
    connection.executemany(
        APPEND, ((site, position, now_us, data) for position, data in zip(positions, encoded, strict=True))
    )
    connection.execute(GROW, (site, positions[-1]))
    connection.executemany(MARK, ((site, origin, *mark) for origin, mark in marks.items()))
    return positions


def decoded(rows: Sequence[tuple[int, bytes]]) -> Sequence[Spooled] | Exception:
    """Make envelopes of rows; a row that is damaged makes the spool unavailable rather than skipping it."""
    try:
        return [Spooled(position, decode_envelope(data)) for position, data in rows]
    except MalformedFrame as error:
        return StoreUnavailable(f"the spool is damaged: {error}")


def trim(connection: sqlite3.Connection, site: str, up_to: int) -> None:
    """Forget what the site has confirmed."""
    connection.execute(TRIM, (site, up_to))
    connection.execute(SHRINK, (site, up_to))


def trimmed(_: None, error: Exception | None) -> None:
    """Note a trim that did not happen: the next one covers it."""
    if error is not None:
        log.warning("spool_trim_failed", reason=str(error))
