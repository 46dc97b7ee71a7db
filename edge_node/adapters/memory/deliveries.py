"""Deliveries over dictionaries."""

from collections.abc import Mapping, Sequence

from edge_node.adapters.memory.commit_log import CommitLog
from edge_node.adapters.memory.tables import Tables
from edge_node.adapters.unacknowledged import unacknowledged
from edge_node.custody.port import EntryFlag
from edge_node.features.offline.store import Undelivered


class MemoryDeliveries:
    """Implements `DeliveryStore`."""

    def __init__(self, tables: Tables, log: CommitLog) -> None:
        self._tables = tables
        self._log = log
        self._advanced: dict[str, int] = {}
        self._shown: set[tuple[str, int]] = set()
        """Reopened rows that `waiting` has shown."""
        self._settled: set[tuple[str, int]] = set()
        """Of these, what was delivered, committed or not."""

    async def waiting(self, account: str, limit: int) -> Sequence[Undelivered]:
        rows = self._waiting(account)[:limit]
        self._shown |= {(account, row_id) for row_id in rows if self._tables.entries[account][row_id].reopened}
        return [self._undelivered(account, row_id) for row_id in rows]

    async def count_waiting(self, account: str, limit: int) -> int:
        return min(limit, len(self._waiting(account)))

    def advance(self, account: str, position: int) -> None:
        settled = {(owner, row_id) for owner, row_id in self._shown if owner == account and row_id <= position}
        self._shown -= settled
        self._settled |= settled
        self._advanced[account] = max(position, self._advanced.get(account, 0))

        def apply(tables: Tables) -> None:
            tables.positions[account] = max(position, tables.positions.get(account, 0))
            for owner, row_id in settled:
                self._reopen(tables, owner, row_id, waits=False)

        self._log.write(apply)

    def renumber(self, account: str, id: int, session: int, number: int) -> None:
        def apply(tables: Tables) -> None:
            row = tables.entries.get(account, {}).get(id)
            if row is not None:
                others = (delivery for delivery in row.deliveries if delivery[0] != session)
                row.deliveries = (*others, (session, number))

        self._log.write(apply)

    def keep_waiting(self, account: str, id: int) -> None:
        self._shown.discard((account, id))
        self._settled.discard((account, id))
        self._log.write(lambda tables: self._reopen(tables, account, id, waits=True))

    async def unfulfilled(self) -> Sequence[tuple[str, Undelivered]]:
        return [
            (account, self._undelivered(account, row_id))
            for row_id in sorted(self._tables.messages)
            for account, rows in self._tables.entries.items()
            if row_id > self._log.last_fulfilled and row_id in rows and not rows[row_id].outgoing
        ]

    async def delivered_to(self, account: str, session: int, after_number: int) -> Sequence[Undelivered]:
        rows = self._tables.entries.get(account, {})
        found = unacknowledged(((row_id, row.deliveries) for row_id, row in rows.items()), session, after_number)
        return [self._undelivered(account, row_id, number) for row_id, number in found]

    async def sessions_numbers(self, since_id: int) -> Mapping[int, int]:
        messages = self._tables.messages
        return {
            messages[row_id].session: messages[row_id].number
            for row_id in sorted(messages)
            if row_id > since_id and messages[row_id].session
        }

    async def last_id(self) -> int:
        return self._tables.last_id

    def crash(self) -> None:
        """Forget what was submitted and shown."""
        self._advanced.clear()
        self._shown.clear()
        self._settled.clear()

    def _undelivered(self, account: str, row_id: int, number: int = 0) -> Undelivered:
        row = self._tables.entries[account][row_id]
        sessions = tuple(key for key, _ in row.deliveries)
        is_archived = EntryFlag.ARCHIVED in row.flags
        return Undelivered(row_id, self._tables.messages[row_id].stanza, number, is_archived, sessions)

    def _waiting(self, account: str) -> list[int]:
        rows = self._tables.entries.get(account, {})
        return [row_id for row_id in sorted(rows) if self._is_waiting(account, row_id, reopened=rows[row_id].reopened)]

    def _is_waiting(self, account: str, row_id: int, *, reopened: bool) -> bool:
        if not self._tables.is_waiting(account, row_id) or (account, row_id) in self._settled:
            return False
        return reopened or row_id > self._advanced.get(account, 0)

    @staticmethod
    def _reopen(tables: Tables, account: str, row_id: int, *, waits: bool) -> None:
        row = tables.entries.get(account, {}).get(row_id)
        if row is not None:
            row.reopened = waits
            row.flags = row.flags | EntryFlag.OFFLINE if waits else row.flags & ~EntryFlag.OFFLINE
