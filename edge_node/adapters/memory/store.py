"""The store of tests, opened."""

from collections.abc import Mapping

from edge_node.adapters.memory.accounts import MemoryAccounts
from edge_node.adapters.memory.archive import MemoryArchive
from edge_node.adapters.memory.commit_log import CommitLog
from edge_node.adapters.memory.deliveries import MemoryDeliveries
from edge_node.adapters.memory.departures import MemoryDepartures
from edge_node.adapters.memory.rosters import MemoryRosters
from edge_node.adapters.memory.sessions import MemorySessions
from edge_node.adapters.memory.tables import Tables
from edge_node.adapters.memory.upkeep import sweep
from edge_node.adapters.memory.uplink import MemoryInbox, MemoryOutbox
from edge_node.adapters.store import StoreCounters, Swept


class MemoryStore:
    """Implements `edge_node.adapters.store.Store`; made by `open_store`."""

    def __init__(self, epoch: int) -> None:
        self.counters = StoreCounters()
        tables = Tables()
        self.custody = log = CommitLog(tables, self.counters)
        self.archive = MemoryArchive(tables, log)
        self.deliveries = MemoryDeliveries(tables, log)
        self.sessions = MemorySessions(tables, log)
        self.departures = MemoryDepartures(log)
        self.rosters = MemoryRosters(tables, log)
        self.accounts = MemoryAccounts(tables, log)
        self.outbox = MemoryOutbox(tables, log, epoch)
        self.inbox = MemoryInbox(tables)

    async def sweep(self, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Swept:
        return await self.custody.run(lambda tables: sweep(tables, after_id, before_id, limit, acknowledged))

    def hold(self) -> None:
        """Commit nothing until `release`."""
        self.custody.hold()

    def release(self) -> None:
        """Commit now what was submitted, call every `done`, and go on as usual."""
        self.custody.release()

    def crash(self, *, is_committed: bool = False) -> None:
        """End as a process that is killed; the same object is the store opened again.

        `is_committed`: the last commit was made, but nobody heard of it; else it was not.
        """
        self.custody.crash(is_committed=is_committed)
        self.deliveries.crash()

    async def close(self) -> None:
        self.custody.close()


def open_store(epoch: int = 1) -> MemoryStore:
    """A new, empty store; `epoch` as of the outbox."""
    return MemoryStore(epoch)
