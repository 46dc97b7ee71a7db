"""The archive over dictionaries."""

from collections.abc import Mapping

from edge_node.adapters.memory.commit_log import CommitLog
from edge_node.adapters.memory.tables import StoredEntry, Tables
from edge_node.adapters.memory.upkeep import purge
from edge_node.adapters.selection import is_backward, named_ids, paged, selected
from edge_node.features.archive.store import Page, PageRequest, Preferences, Row, Selection, UnknownId


class MemoryArchive:
    """Implements `ArchiveStore`."""

    def __init__(self, tables: Tables, log: CommitLog) -> None:
        self._tables = tables
        self._log = log

    async def page(self, account: str, selection: Selection, request: PageRequest) -> Page:
        archive = self._tables.archived(account)
        if not named_ids(selection, request) <= archive.keys():
            raise UnknownId("the archive does not have every message that the query names")
        low, high = within = selected(selection)
        matching = [
            row_id
            for row_id, row in archive.items()
            if low <= row_id <= high
            and selection.peer in (None, row.peer)
            and (selection.ids is None or row_id in selection.ids)
        ]
        low, high = paged(within, request)
        candidates = [row_id for row_id in matching if low <= row_id <= high]
        start = len(candidates) - request.limit if is_backward(request) else 0
        page = candidates[max(0, start) : max(0, start + request.limit)]
        rows = tuple(self._row(row_id, archive[row_id]) for row_id in page)
        return Page(rows, complete=len(rows) == len(candidates), count=len(matching))

    async def bounds(self, account: str) -> tuple[Row, Row] | None:
        archive = self._tables.archived(account)
        if not archive:
            return None
        first, last = min(archive), max(archive)
        return self._row(first, archive[first]), self._row(last, archive[last])

    async def purge(self, before_id: int, limit: int) -> int:
        return await self._log.run(lambda tables: purge(tables, before_id, limit))

    async def all_preferences(self) -> Mapping[str, Preferences]:
        return dict(self._tables.preferences)

    async def set_preferences(self, account: str, preferences: Preferences) -> None:
        await self._log.run(lambda tables: tables.preferences.__setitem__(account, preferences))

    def _row(self, row_id: int, row: StoredEntry) -> Row:
        return Row(row_id, self._tables.messages[row_id].stanza, row.outgoing)
