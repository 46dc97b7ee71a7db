"""Sessions, kept for a core that starts again."""

from collections.abc import Sequence

from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.group_commit import GroupCommit
from edge_node.adapters.sqlite.readers import Readers
from edge_node.adapters.sqlite.rows import unsigned
from edge_node.sessions.store import SessionRecord

_LOAD = "SELECT key, secret, account, resource, managed, checkpoint, updated_us FROM session ORDER BY key"


class SqliteSessions:
    """Implements `SessionStore`."""

    def __init__(self, readers: Readers, writer: GroupCommit) -> None:
        self._readers = readers
        self._writer = writer

    def save(self, record: SessionRecord) -> None:
        self._writer.write(lambda standing: standing.sessions.__setitem__(record.key, record))

    def delete(self, key: int) -> None:
        self._writer.write(lambda standing: standing.sessions.__setitem__(key, None))

    async def load_all(self) -> Sequence[SessionRecord]:
        def read(connection: Connection) -> list[SessionRecord]:
            return [
                SessionRecord(unsigned(key), secret, account, resource, bool(managed), checkpoint, updated_us)
                for key, secret, account, resource, managed, checkpoint, updated_us in connection.execute(_LOAD)
            ]

        return await self._readers.run(read)
