"""Outbox and inbox in dictionaries."""

from collections.abc import Mapping

from edge_node.adapters.memory.commit_log import CommitLog
from edge_node.adapters.memory.tables import Tables


class MemoryOutbox:
    """Implements `edge_node.uplink.store.OutboxStore`."""

    def __init__(self, tables: Tables, log: CommitLog, epoch: int) -> None:
        self._tables = tables
        self._log = log
        self._epoch = epoch

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def last_sequence(self) -> int:
        return self._tables.outbox_last

    async def read(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        return [(each, self._tables.outbox[each]) for each in sorted(self._tables.outbox) if each > after][:limit]

    def trim(self, up_to: int) -> None:
        def apply(tables: Tables) -> None:
            tables.outbox = {each: envelope for each, envelope in tables.outbox.items() if each > up_to}

        self._log.write(apply)

    @property
    def envelopes(self) -> int:
        return len(self._tables.outbox)

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self._tables.outbox.values()))


class MemoryInbox:
    """Implements `edge_node.uplink.store.InboxStore`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def watermarks(self) -> Mapping[str, tuple[int, int]]:
        return dict(self._tables.watermarks)
