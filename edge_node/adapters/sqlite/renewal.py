"""A store that was restored from a copy begins a new epoch, before it is opened again.

Its past ends where the copy was made, and others have met what came after: other sites the numbers of its outbox,
clients the versions of their rosters.  Both begin anew, above everything that can have been given out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_node.adapters.sqlite.connection import open_writer, writing
from edge_node.adapters.sqlite.migrations import migrate
from edge_node.adapters.sqlite.settings import StoreSettings

_EPOCH = "SELECT epoch FROM store"
_SET_EPOCH = "UPDATE store SET epoch = ?"
_ENVELOPES = "SELECT sequence, envelope FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT 1000"
_RENEW = "UPDATE outbox SET envelope = ? WHERE sequence = ?"
_KEEP_LAST = "UPDATE store SET outbox_last = max(outbox_last, (SELECT ifnull(max(sequence), 0) FROM outbox))"
_DROP = "DELETE FROM outbox"
_RENEW_ROSTERS = "UPDATE roster SET version = max(version + 1, :epoch), forgotten = max(version + 1, :epoch)"


class Renewal(NamedTuple):
    """What became of the outbox."""

    epoch: int
    envelopes: int
    """How many it held."""


def begin_epoch(
    path: Path, settings: StoreSettings, now_us: int, renew: Callable[[bytes, int], bytes] | None
) -> Renewal:
    """Begin a new epoch, in one transaction.

    Args:
        path: of the store, which nobody has open.
        settings: its bounds.
        now_us: wall clock; the new epoch, unless the old one is later.
        renew: makes an envelope one of the epoch given; None drops the envelopes that the outbox holds.
    """
    connection = open_writer(
        path,
        cache_bytes=settings.cache_bytes,
        checkpoint_pages=settings.checkpoint_pages,
        size_bytes_max=settings.size_bytes_max,
    )
    try:
        migrate(connection, path, now_us)
        with writing(connection):
            epoch = max(now_us, connection.execute(_EPOCH).fetchone()[0] + 1)
            connection.execute(_SET_EPOCH, (epoch,))
            connection.execute(_RENEW_ROSTERS, {"epoch": epoch})
            connection.execute(_KEEP_LAST)
            if renew is None:
                return Renewal(epoch, connection.execute(_DROP).rowcount)
            count = last = 0
            while rows := connection.execute(_ENVELOPES, (last,)).fetchall():
                connection.executemany(_RENEW, [(renew(envelope, epoch), sequence) for sequence, envelope in rows])
                count, last = count + len(rows), rows[-1][0]
            return Renewal(epoch, count)
    finally:
        connection.close()
