"""Rosters in dictionaries."""

from collections.abc import Sequence

from edge_node.adapters.memory.commit_log import CommitLog
from edge_node.adapters.memory.tables import StoredRoster, Tables
from edge_node.features.roster.store import Roster, RosterChange, RosterItem


class MemoryRosters:
    """Implements `RosterStore`; remembers every removal."""

    def __init__(self, tables: Tables, log: CommitLog) -> None:
        self._tables = tables
        self._log = log

    async def load(self, account: str) -> Roster:
        roster = self._tables.rosters.get(account, StoredRoster())
        items = [roster.items[contact][1] for contact in sorted(roster.items)]
        return Roster(roster.version, tuple(item for item in items if item is not None))

    async def put(self, account: str, item: RosterItem, version: int) -> None:
        await self._change(account, item.contact, version, item)

    async def remove(self, account: str, contact: str, version: int) -> None:
        await self._change(account, contact, version, None)

    async def changes(self, account: str, since: int, limit: int) -> Sequence[RosterChange] | None:
        roster = self._tables.rosters.get(account, StoredRoster())
        if since > roster.version:
            return None
        changed = sorted((version, contact) for contact, (version, _) in roster.items.items() if version > since)
        if len(changed) > limit:
            return None
        return [RosterChange(version, contact, roster.items[contact][1]) for version, contact in changed]

    async def _change(self, account: str, contact: str, version: int, item: RosterItem | None) -> None:
        def apply(tables: Tables) -> None:
            roster = tables.rosters.setdefault(account, StoredRoster())
            roster.version = version
            roster.items[contact] = (version, item)

        await self._log.run(apply)
