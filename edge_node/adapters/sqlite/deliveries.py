"""What has not reached its reader: offline messages of an account, unacknowledged ones of a session.

A row waits for its account while it is flagged OFFLINE and lies above the account's position; or while it is reopened,
wherever the position is.  `advance` settles a reopened row only if `waiting` has shown it: one that was reopened
while others were on their way is not passed over.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from edge_node.adapters.sqlite.batch import Standing
from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.entries import Place, union
from edge_node.adapters.sqlite.group_commit import GroupCommit
from edge_node.adapters.sqlite.readers import Readers
from edge_node.adapters.sqlite.rows import (
    ARCHIVED,
    OUTGOING,
    REOPENED,
    signed,
    unpack_deliveries,
    unpack_owners,
    unsigned,
)
from edge_node.adapters.sqlite.upkeep import highest_id
from edge_node.adapters.unacknowledged import unacknowledged
from edge_node.features.offline.store import Undelivered

_POSITION = "SELECT ifnull((SELECT id FROM position WHERE account = ?), 0)"
_OFFLINE = """
    SELECT id, flags, deliveries FROM {table}
    WHERE owner = (SELECT id FROM owner WHERE jid = :account) AND flags & 2 AND id > :position AND NOT flags & 512
"""
_REOPENED = """
    SELECT id, flags, deliveries FROM {table}
    WHERE owner = (SELECT id FROM owner WHERE jid = :account) AND flags & 512
    AND id NOT IN (SELECT value FROM json_each(:settled))
"""
_PAGE = """
    SELECT page.id, stanza, flags, deliveries FROM ({rows} ORDER BY id LIMIT :limit) AS page
    CROSS JOIN message ON message.id = page.id ORDER BY page.id
"""
_COUNT = "SELECT count(*) FROM ({rows} LIMIT :limit)"
_DELIVERED = """
    SELECT id, flags, deliveries FROM {table}
    WHERE owner = (SELECT id FROM owner WHERE jid = :account) AND id > :since AND deliveries <> x''
"""
_NEWEST = "{rows} ORDER BY id DESC LIMIT :limit"
_SINCE = "SELECT ifnull((SELECT since FROM session WHERE key = ?), 0)"
_STANZAS = "SELECT id, stanza FROM message WHERE id IN (SELECT value FROM json_each(?))"
_NUMBERS = "SELECT session, number FROM message WHERE id > ? AND session <> 0 ORDER BY id"
_UNFULFILLED = """
    SELECT id, owners, stanza FROM message
    WHERE id > max(?, (SELECT fulfilled FROM store)) AND owners <> x'' ORDER BY id
"""
_ROW = """
    SELECT jid, flags, deliveries FROM
    (SELECT owner, flags, deliveries FROM entry WHERE owner = :owner AND id = :id
    UNION ALL SELECT owner, flags, deliveries FROM recent WHERE owner = :owner AND id = :id) AS row
    JOIN owner ON owner.id = row.owner
"""


class SqliteDeliveries:
    """Implements `DeliveryStore`."""

    def __init__(
        self, readers: Readers, writer: GroupCommit, delivered_rows_max: int, places: Callable[[str], Place]
    ) -> None:
        """Read with `readers`; `places` tells where an account has rows."""
        self._readers = readers
        self._writer = writer
        self._delivered_rows_max = delivered_rows_max
        self._places = places
        self._shown: dict[str, set[int]] = {}
        """Account to reopened rows that `waiting` has shown."""

    async def waiting(self, account: str, limit: int) -> Sequence[Undelivered]:
        place, least, settled = self._waiting_facts(account)

        def read(connection: Connection) -> list[tuple[int, bytes, int, bytes]]:
            statement = _PAGE.format(rows=_waiting(place))
            values = _values(connection, account, place, least, settled)
            return connection.execute(statement, values | {"limit": limit}).fetchall()

        rows = await self._readers.run(read)
        shown = {row_id for row_id, _, flags, _ in rows if flags & REOPENED}
        if shown:
            self._shown.setdefault(account, set()).update(shown)
        return [_undelivered(row_id, stanza, 0, flags, blob) for row_id, stanza, flags, blob in rows]

    async def count_waiting(self, account: str, limit: int) -> int:
        place, least, settled = self._waiting_facts(account)

        def read(connection: Connection) -> int:
            statement = _COUNT.format(rows=_waiting(place))
            values = _values(connection, account, place, least, settled)
            row: tuple[int] = connection.execute(statement, values | {"limit": limit}).fetchone()
            return row[0]

        return await self._readers.run(read)

    def advance(self, account: str, position: int) -> None:
        shown = self._shown.get(account, set())
        settled = {row_id for row_id in shown if row_id <= position}
        if settled:
            shown -= settled
            if not shown:
                del self._shown[account]

        def change(standing: Standing) -> None:
            standing.positions[account] = max(position, standing.positions.get(account, 0))
            for row_id in settled:
                standing.waits[account, row_id] = False

        self._writer.write(change)

    async def delivered_to(self, account: str, session: int, after_number: int) -> Sequence[Undelivered]:
        place = self._places(account)
        rows_max = self._delivered_rows_max

        def read(connection: Connection) -> list[Undelivered]:
            rows = _delivered(connection, place, account, session, rows_max)
            found = unacknowledged(rows, session, after_number)
            ids = json.dumps([row_id for (row_id, _, _), _ in found])
            stanzas: dict[int, bytes] = dict(connection.execute(_STANZAS, (ids,)))
            return [
                _undelivered(row_id, stanzas[row_id], number, flags, blob) for (row_id, flags, blob), number in found
            ]

        return await self._readers.run(read)

    def renumber(self, account: str, id: int, session: int, number: int) -> None:
        self._writer.write(lambda standing: standing.numbers.__setitem__((account, id, session), number))

    def keep_waiting(self, account: str, id: int) -> None:
        if id in self._shown.get(account, ()):
            self._shown[account].remove(id)
        self._writer.write(lambda standing: standing.waits.__setitem__((account, id), True))

    async def unfulfilled(self) -> Sequence[tuple[str, Undelivered]]:
        least = max(standing.fulfilled for standing in self._writer.uncommitted())

        def read(connection: Connection) -> list[tuple[str, Undelivered]]:
            found = []
            for row_id, owners, stanza in connection.execute(_UNFULFILLED, (least,)):
                for owner in unpack_owners(owners):
                    account, flags, blob = connection.execute(_ROW, {"owner": owner, "id": row_id}).fetchone()
                    if not flags & OUTGOING:
                        found.append((account, _undelivered(row_id, stanza, 0, flags, blob)))
            return found

        return await self._readers.run(read)

    async def sessions_numbers(self, since_id: int) -> Mapping[int, int]:
        def read(connection: Connection) -> dict[int, int]:
            # In the order of ids, so that the last number of each session stays, also where numbers wrapped.
            numbers: dict[int, int] = dict(connection.execute(_NUMBERS, (since_id,)))
            return {unsigned(session): number for session, number in numbers.items()}

        return await self._readers.run(read)

    async def last_id(self) -> int:
        return await self._readers.run(highest_id)

    def _waiting_facts(self, account: str) -> tuple[Place, int, list[int]]:
        """Where to look; and what readers may not see yet: the position, and reopened rows that wait no more."""
        least = 0
        waits: dict[int, bool] = {}
        for standing in self._writer.uncommitted():
            least = max(least, standing.positions.get(account, 0))
            waits |= {row_id: state for (owner, row_id), state in standing.waits.items() if owner == account}
        return self._places(account), least, [row_id for row_id, state in waits.items() if not state]


def _waiting(place: Place) -> str:
    offline = union(_OFFLINE, place, "entry INDEXED BY entry_offline")
    return f"{offline} UNION ALL {union(_REOPENED, place, 'entry INDEXED BY entry_reopened')}"


def _values(connection: Connection, account: str, place: Place, least: int, settled: list[int]) -> dict[str, str | int]:
    row: tuple[int] = connection.execute(_POSITION, (account,)).fetchone()
    return {
        "account": account,
        "recent": place.recent,
        "position": max(row[0], least),
        "settled": json.dumps(settled),
    }


def _delivered(
    connection: Connection, place: Place, account: str, session: int, rows_max: int
) -> Iterator[tuple[tuple[int, int, bytes], Iterable[tuple[int, int]]]]:
    """((id, flags, packed deliveries), deliveries) of the account since the session began, the newest."""
    since = connection.execute(_SINCE, (signed(session),)).fetchone()[0]
    statement = _NEWEST.format(rows=union(_DELIVERED, place))
    values = {"account": account, "recent": place.recent, "since": since, "limit": rows_max}
    for row_id, flags, blob in connection.execute(statement, values):
        yield (row_id, flags, blob), unpack_deliveries(blob)


def _undelivered(row_id: int, stanza: bytes, number: int, flags: int, blob: bytes) -> Undelivered:
    sessions = tuple(key for key, _ in unpack_deliveries(blob))
    return Undelivered(row_id, stanza, number, bool(flags & ARCHIVED), sessions)
