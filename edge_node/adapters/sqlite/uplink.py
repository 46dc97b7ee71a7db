"""What the site owes the hub, and what it has taken from other sites."""

from collections.abc import Mapping

from edge_node.adapters.sqlite.batch import Standing
from edge_node.adapters.sqlite.commit import Committer
from edge_node.adapters.sqlite.group_commit import GroupCommit
from edge_node.adapters.sqlite.readers import Readers
from edge_node.adapters.sqlite.upkeep import watermarks

_READ = "SELECT sequence, envelope FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?"


class SqliteOutbox:
    """Implements `edge_node.uplink.store.OutboxStore`."""

    def __init__(self, readers: Readers, writer: GroupCommit, committer: Committer) -> None:
        self._readers = readers
        self._writer = writer
        self._committer = committer

    @property
    def epoch(self) -> int:
        return self._committer.epoch

    @property
    def last_sequence(self) -> int:
        return self._committer.last_sequence

    @property
    def envelopes(self) -> int:
        return self._committer.owed.envelopes

    @property
    def size_bytes(self) -> int:
        return self._committer.owed.size_bytes

    async def read(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        return await self._readers.run(lambda connection: connection.execute(_READ, (after, limit)).fetchall())

    def trim(self, up_to: int) -> None:
        def change(standing: Standing) -> None:
            standing.trimmed = max(standing.trimmed, up_to)

        self._writer.write(change)


class SqliteInbox:
    """Implements `edge_node.uplink.store.InboxStore`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def watermarks(self) -> Mapping[str, tuple[int, int]]:
        return await self._readers.run(watermarks)
