"""Rosters: an item is one row, a removed one is remembered for a while."""

from collections.abc import Sequence

import msgspec

from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.group_commit import GroupCommit
from edge_node.adapters.sqlite.readers import Readers
from edge_node.features.roster.store import Roster, RosterChange, RosterItem

_VERSION = "SELECT version, forgotten FROM roster WHERE account = ?"
_ITEMS = "SELECT content FROM contact WHERE account = ? AND content IS NOT NULL ORDER BY jid"
_SET_VERSION = """
    INSERT INTO roster (account, version) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version
"""
_PUT = """
    INSERT INTO contact (account, jid, version, content) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version, content = excluded.content
"""
_CHANGES = "SELECT version, jid, content FROM contact WHERE account = ? AND version > ? ORDER BY version LIMIT ?"
_EXCESS = """
    SELECT jid, version FROM contact WHERE account = ? AND content IS NULL ORDER BY version DESC LIMIT -1 OFFSET ?
"""
_FORGET = "DELETE FROM contact WHERE account = ? AND jid = ?"
_SET_FORGOTTEN = "UPDATE roster SET forgotten = max(forgotten, ?) WHERE account = ?"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(RosterItem).decode


class SqliteRosters:
    """Implements `RosterStore`."""

    def __init__(self, readers: Readers, writer: GroupCommit, removals_remembered_max: int) -> None:
        self._readers = readers
        self._writer = writer
        self._removals_remembered_max = removals_remembered_max

    async def load(self, account: str) -> Roster:
        def read(connection: Connection) -> Roster:
            row = connection.execute(_VERSION, (account,)).fetchone()
            items = tuple(_decode(content) for (content,) in connection.execute(_ITEMS, (account,)))
            return Roster(0 if row is None else row[0], items)

        return await self._readers.run(read)

    async def put(self, account: str, item: RosterItem, version: int) -> None:
        content = _encode(item)

        def work(connection: Connection) -> None:
            connection.execute(_SET_VERSION, (account, version))
            connection.execute(_PUT, (account, item.contact, version, content))

        await self._writer.run(work)

    async def remove(self, account: str, contact: str, version: int) -> None:
        remembered_max = self._removals_remembered_max

        def work(connection: Connection) -> None:
            connection.execute(_SET_VERSION, (account, version))
            connection.execute(_PUT, (account, contact, version, None))
            for jid, removed_at in connection.execute(_EXCESS, (account, remembered_max)).fetchall():
                connection.execute(_FORGET, (account, jid))
                connection.execute(_SET_FORGOTTEN, (removed_at, account))

        await self._writer.run(work)

    async def changes(self, account: str, since: int, limit: int) -> Sequence[RosterChange] | None:
        def read(connection: Connection) -> list[RosterChange] | None:
            version, forgotten = connection.execute(_VERSION, (account,)).fetchone() or (0, 0)
            # A version that this store never gave is as good as unknown.
            if not forgotten <= since <= version:
                return None
            rows = connection.execute(_CHANGES, (account, since, limit + 1)).fetchall()
            if len(rows) > limit:
                return None
            return [RosterChange(at, jid, None if content is None else _decode(content)) for at, jid, content in rows]

        return await self._readers.run(read)
