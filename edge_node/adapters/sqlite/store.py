"""The embedded store, opened: every port over one file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from edge_node.adapters.sqlite import upkeep
from edge_node.adapters.sqlite.accounts import SqliteAccounts
from edge_node.adapters.sqlite.archive import SqliteArchive
from edge_node.adapters.sqlite.commit import Committer
from edge_node.adapters.sqlite.deliveries import SqliteDeliveries
from edge_node.adapters.sqlite.departures import SqliteDepartures
from edge_node.adapters.sqlite.entries import Place, place
from edge_node.adapters.sqlite.group_commit import GroupCommit
from edge_node.adapters.sqlite.readers import Readers
from edge_node.adapters.sqlite.rosters import SqliteRosters
from edge_node.adapters.sqlite.sessions import SqliteSessions
from edge_node.adapters.sqlite.settings import StoreSettings
from edge_node.adapters.sqlite.uplink import SqliteInbox, SqliteOutbox
from edge_node.adapters.store import StoreCounters, Swept


class SqliteStore:
    """Implements `edge_node.adapters.store.Store`; made by `open_store`."""

    def __init__(self, path: Path, settings: StoreSettings, committer: Committer, counters: StoreCounters) -> None:
        self._committer = committer
        self._readers = readers = Readers(path, settings)
        self.custody = writer = GroupCommit(committer, settings, counters)
        self.archive = SqliteArchive(readers, writer, settings.count_rows_max, self._place)
        self.deliveries = SqliteDeliveries(readers, writer, settings.delivered_rows_max, self._place)
        self.sessions = SqliteSessions(readers, writer)
        self.departures = SqliteDepartures(writer)
        self.rosters = SqliteRosters(readers, writer, settings.removals_remembered_max)
        self.accounts = SqliteAccounts(readers, writer)
        self.outbox = SqliteOutbox(readers, writer, committer)
        self.inbox = SqliteInbox(readers)
        self.counters = counters

    async def sweep(self, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Swept:
        return await self.custody.run(
            lambda connection: upkeep.sweep(connection, after_id, before_id, limit, acknowledged)
        )

    async def close(self) -> None:
        # The readers first: the last connection to close empties the write-ahead log.
        await asyncio.get_running_loop().run_in_executor(None, self._readers.close)
        await self.custody.close()

    def _place(self, account: str) -> Place:
        return place(self._committer.owners.recent(account))


async def open_store(path: Path, settings: StoreSettings, now_us: int) -> SqliteStore:
    """Open the store of an edge, make it, or bring it to this version.

    Only one process may have it open for writing: `chassis.lock` sees to that.

    Args:
        path: the file, beside which SQLite keeps two more.
        settings: bounds.
        now_us: wall clock, the epoch of a store made now.

    Raises:
        StoreTooNew: a later version of Chappe wrote it.
        OperatorError: it cannot be opened.
    """
    counters = StoreCounters()
    loop = asyncio.get_running_loop()
    committer = await loop.run_in_executor(None, Committer, path, settings, counters, now_us)
    return SqliteStore(path, settings, committer, counters)
