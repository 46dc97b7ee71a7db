"""Changing rows that are there already: what waits after all, what got another number.  On the writer's thread."""

from edge_node.adapters.sqlite.batch import Standing
from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.owners import Owners
from edge_node.adapters.sqlite.rows import OFFLINE, REOPENED, pack_deliveries, signed, unpack_deliveries

_FIND = "SELECT flags, deliveries FROM entry WHERE owner = ? AND id = ?"
_CHANGE = "UPDATE entry SET flags = ?, deliveries = ? WHERE owner = ? AND id = ?"
_FIND_RECENT = "SELECT flags, deliveries FROM recent WHERE row = ? AND owner = ? AND id = ?"
_CHANGE_RECENT = "UPDATE recent SET flags = ?, deliveries = ? WHERE row = ?"
_OWNER = "SELECT id FROM owner WHERE jid = ?"
_REACH_BACK = "UPDATE session SET since = :id - 1 WHERE key = :key AND since >= :id"


def amend(connection: Connection, owners: Owners, standing: Standing) -> None:
    """Write the changes of rows; those of rows that are gone are of no use to anybody.

    Args:
        connection: inside a transaction.
        owners: know where recent rows are.
        standing: has the changes.
    """
    for (account, row_id), waits in standing.waits.items():
        _change(connection, owners, account, row_id, waits=waits)
    for (account, row_id, session), number in standing.numbers.items():
        _change(connection, owners, account, row_id, renumbered=(session, number))
        connection.execute(_REACH_BACK, {"key": signed(session), "id": row_id})


def _change(
    connection: Connection,
    owners: Owners,
    account: str,
    row_id: int,
    *,
    waits: bool | None = None,
    renumbered: tuple[int, int] | None = None,
) -> None:
    owner = connection.execute(_OWNER, (account,)).fetchone()
    if owner is None:
        return
    found = connection.execute(_FIND, (owner[0], row_id)).fetchone()
    if found is not None:
        flags, blob = found
        values = (_flagged(flags, waits), _renumbered(blob, renumbered))
        connection.execute(_CHANGE, (*values, owner[0], row_id))
        return
    for row in owners.recent(account):
        found = connection.execute(_FIND_RECENT, (row, owner[0], row_id)).fetchone()
        if found is not None:
            flags, blob = found
            values = (_flagged(flags, waits), _renumbered(blob, renumbered))
            connection.execute(_CHANGE_RECENT, (*values, row))
            return


def _flagged(flags: int, waits: bool | None) -> int:
    if waits is None:
        return flags
    return flags | OFFLINE | REOPENED if waits else flags & ~(OFFLINE | REOPENED)


def _renumbered(blob: bytes, renumbered: tuple[int, int] | None) -> bytes:
    if renumbered is None:
        return blob
    others = [delivery for delivery in unpack_deliveries(blob) if delivery[0] != renumbered[0]]
    return pack_deliveries((*others, renumbered))
