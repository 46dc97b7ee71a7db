"""Removing rows, as the SQLite adapter does it."""

from collections.abc import Mapping

from edge_node.adapters.memory.tables import Tables
from edge_node.adapters.store import Swept
from edge_node.adapters.unacknowledged import is_after
from edge_node.custody.port import EntryFlag


def purge(tables: Tables, before_id: int, limit: int) -> int:
    """As `ArchiveStore.purge`."""
    removed = 0
    for row_id in sorted(row_id for row_id in tables.messages if row_id < before_id):
        for account in tables.owners(row_id):
            row = tables.entries[account][row_id]
            if EntryFlag.ARCHIVED not in row.flags:
                continue
            removed += 1
            if tables.is_waiting(account, row_id) or any(session in tables.sessions for session, _ in row.deliveries):
                row.flags &= ~EntryFlag.ARCHIVED
            else:
                tables.remove_row(account, row_id)
        if removed >= limit:
            break
    return removed


def sweep(tables: Tables, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Swept:
    """As `edge_node.adapters.store.Store.sweep`."""
    passing = [
        row_id for row_id in sorted(tables.messages) if after_id < row_id < before_id and _passes(tables, row_id)
    ]
    removed = 0
    for row_id in passing[:limit]:
        owners = tables.owners(row_id)
        if not owners:
            del tables.messages[row_id]
            removed += 1
        for account in owners:
            row = tables.entries[account][row_id]
            is_awaited = any(
                session in acknowledged and is_after(number, acknowledged[session])
                for session, number in row.deliveries
            )
            if EntryFlag.ARCHIVED not in row.flags and not tables.is_waiting(account, row_id) and not is_awaited:
                tables.remove_row(account, row_id)
                removed += 1
    return Swept(removed, passing[limit - 1] if len(passing) >= limit else None)


def _passes(tables: Tables, row_id: int) -> bool:
    owners = tables.owners(row_id)
    return not owners or any(EntryFlag.ARCHIVED not in tables.entries[each][row_id].flags for each in owners)
