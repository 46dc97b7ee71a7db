"""The replica of the site's own accounts."""

from collections.abc import Sequence

import msgspec

from edge_node.accounts.store import Account
from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.group_commit import GroupCommit
from edge_node.adapters.sqlite.readers import Readers

_VERSION = "SELECT accounts_version FROM store"
_LOAD = "SELECT content FROM account ORDER BY local"
_SET_VERSION = "UPDATE store SET accounts_version = ?"
_UPSERT = "INSERT INTO account (local, content) VALUES (?, ?) ON CONFLICT DO UPDATE SET content = excluded.content"
_REMOVE = "DELETE FROM account WHERE local = ?"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Account).decode


class SqliteAccounts:
    """Implements `AccountStore`."""

    def __init__(self, readers: Readers, writer: GroupCommit) -> None:
        self._readers = readers
        self._writer = writer

    async def load(self) -> tuple[int, Sequence[Account]]:
        def read(connection: Connection) -> tuple[int, list[Account]]:
            version = connection.execute(_VERSION).fetchone()[0]
            return version, [_decode(content) for (content,) in connection.execute(_LOAD)]

        return await self._readers.run(read)

    async def apply(self, version: int, upserted: Sequence[Account], removed: Sequence[str], *, full: bool) -> None:
        def work(connection: Connection) -> None:
            if full:
                connection.execute("DELETE FROM account")
            connection.executemany(_REMOVE, ((local,) for local in removed))
            connection.executemany(_UPSERT, ((account.local, _encode(account)) for account in upserted))
            connection.execute(_SET_VERSION, (version,))

        await self._writer.run(work)
