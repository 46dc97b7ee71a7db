"""Moving and removing rows: `recent` into `entry`, what is too old, what nobody waits for; what outlives them."""

from collections.abc import Mapping
from typing import NamedTuple

from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.rows import (
    ARCHIVED,
    KEPT_ARCHIVED,
    KEPT_PASSING,
    OFFLINE,
    REOPENED,
    Marks,
    pack_owners,
    signed,
    unpack_deliveries,
    unpack_owners,
)
from edge_node.adapters.store import Swept
from edge_node.adapters.unacknowledged import is_after

SEQUENCE_MAX = (1 << 63) - 1

_MERGE = """
    INSERT INTO entry (owner, id, peer, flags, deliveries)
    SELECT owner, id, peer, flags, deliveries FROM recent ORDER BY owner, id
"""
_HIGHEST_ID = "SELECT max(last_id, (SELECT ifnull(max(id), 0) FROM message)) FROM store"
_OUTBOX_STATE = "SELECT epoch, max(outbox_last, (SELECT ifnull(max(sequence), 0) FROM outbox)) FROM store"
_OWED = "SELECT count(*), ifnull(sum(length(envelope)), 0) FROM outbox WHERE sequence <= ?"
_WATERMARKS = "SELECT origin, epoch, sequence FROM watermark"
_KEEP_HIGHEST_ID = "UPDATE store SET last_id = max(last_id, (SELECT ifnull(max(id), 0) FROM message))"
_ARCHIVED_MESSAGES = "SELECT id, owners FROM message WHERE id < ? AND kept & 1 ORDER BY id LIMIT ?"
_PASSING_MESSAGES = """
    SELECT id, owners FROM message INDEXED BY message_passing
    WHERE kept & 2 AND id > ? AND id < ? ORDER BY id LIMIT ?
"""
_ENTRY = """
    SELECT flags, deliveries, ifnull(position.id, 0)
    FROM entry JOIN owner ON owner.id = entry.owner LEFT JOIN position ON position.account = owner.jid
    WHERE entry.owner = ? AND entry.id = ?
"""
_SESSION_LIVES = "SELECT 1 FROM session WHERE key = ?"
_REMOVE_ENTRY = "DELETE FROM entry WHERE owner = ? AND id = ?"
_UNARCHIVE_ENTRY = "UPDATE entry SET flags = flags & ~1 WHERE owner = ? AND id = ?"
_REMOVE_MESSAGE = "DELETE FROM message WHERE id = ?"
_KEEP_MESSAGE = "UPDATE message SET kept = ?, owners = ? WHERE id = ?"


def merge_recent(connection: Connection) -> None:
    """Sort the rows that came lately into their accounts; inside a transaction."""
    connection.execute(_MERGE)
    connection.execute("DELETE FROM recent")


def highest_id(connection: Connection) -> int:
    """The highest id that was ever committed: an id is not used again when its message is gone (XEP-0313 section 8)."""
    row: tuple[int] = connection.execute(_HIGHEST_ID).fetchone()
    return row[0]


def outbox_state(connection: Connection) -> tuple[int, int]:
    """The epoch, and the highest sequence ever committed in it."""
    row: tuple[int, int] = connection.execute(_OUTBOX_STATE).fetchone()
    return row


class Owed(NamedTuple):
    """What the outbox holds."""

    envelopes: int
    size_bytes: int


def owed(connection: Connection, up_to: int = SEQUENCE_MAX) -> Owed:
    """What the outbox holds up to a sequence."""
    return Owed(*connection.execute(_OWED, (up_to,)).fetchone())


def watermarks(connection: Connection) -> Marks:
    """Origin site to (epoch, highest sequence taken)."""
    return {origin: (epoch, sequence) for origin, epoch, sequence in connection.execute(_WATERMARKS)}


def purge(connection: Connection, before_id: int, limit: int) -> int:
    """Take rows older than `before_id` out of the archives, message by message until `limit` are reached; how many.

    Rows that somebody still waits for stay outside the archive until `sweep` finds that nobody does.
    """
    merge_recent(connection)
    connection.execute(_KEEP_HIGHEST_ID)
    removed = 0
    for message_id, blob in connection.execute(_ARCHIVED_MESSAGES, (before_id, limit)).fetchall():
        kept, staying = 0, []
        for owner in unpack_owners(blob):
            flags, deliveries, position = connection.execute(_ENTRY, (owner, message_id)).fetchone()
            if flags & ARCHIVED:
                removed += 1
                if not (_is_waiting(flags, message_id, position) or _has_live_session(connection, deliveries)):
                    connection.execute(_REMOVE_ENTRY, (owner, message_id))
                    continue
                connection.execute(_UNARCHIVE_ENTRY, (owner, message_id))
                flags &= ~ARCHIVED
            kept |= KEPT_ARCHIVED if flags & ARCHIVED else KEPT_PASSING
            staying.append(owner)
        _keep(connection, message_id, kept, staying)
        if removed >= limit:
            break
    return removed


def sweep(connection: Connection, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Swept:
    """As `edge_node.adapters.store.Store.sweep`."""
    merge_recent(connection)
    connection.execute(_KEEP_HIGHEST_ID)
    messages = connection.execute(_PASSING_MESSAGES, (after_id, before_id, limit)).fetchall()
    removed = 0
    for message_id, blob in messages:
        kept, staying = 0, []
        for owner in unpack_owners(blob):
            flags, deliveries, position = connection.execute(_ENTRY, (owner, message_id)).fetchone()
            if not flags & ARCHIVED and not (
                _is_waiting(flags, message_id, position) or _is_awaited(deliveries, acknowledged)
            ):
                connection.execute(_REMOVE_ENTRY, (owner, message_id))
                removed += 1
                continue
            kept |= KEPT_ARCHIVED if flags & ARCHIVED else KEPT_PASSING
            staying.append(owner)
        if not blob:
            removed += 1
        _keep(connection, message_id, kept, staying)
    return Swept(removed, messages[-1][0] if len(messages) == limit else None)


def _is_waiting(flags: int, message_id: int, position: int) -> bool:
    return bool(flags & OFFLINE) and (message_id > position or bool(flags & REOPENED))


def _is_awaited(deliveries: bytes, acknowledged: Mapping[int, int]) -> bool:
    for session, number in unpack_deliveries(deliveries):
        last = acknowledged.get(session)
        if last is not None and is_after(number, last):
            return True
    return False


def _has_live_session(connection: Connection, deliveries: bytes) -> bool:
    for session, _number in unpack_deliveries(deliveries):
        if connection.execute(_SESSION_LIVES, (signed(session),)).fetchone() is not None:
            return True
    return False


def _keep(connection: Connection, message_id: int, kept: int, owners: list[int]) -> None:
    if owners:
        connection.execute(_KEEP_MESSAGE, (kept, pack_owners(owners), message_id))
    else:
        connection.execute(_REMOVE_MESSAGE, (message_id,))
