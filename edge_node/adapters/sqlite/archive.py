"""The archive as its owner's clients read it, and the verbs that change it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from edge_node.adapters.selection import EVERYTHING, ID_MAX, IdRange, is_backward, named_ids, paged, selected
from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.entries import Place, union
from edge_node.adapters.sqlite.group_commit import GroupCommit
from edge_node.adapters.sqlite.readers import Readers
from edge_node.adapters.sqlite.upkeep import purge
from edge_node.features.archive.store import Page, PageRequest, Preferences, Row, Selection, UnknownId

_OWNER = "SELECT id FROM owner WHERE jid = ?"
_WHERE = " FROM {table} WHERE owner = :owner AND id BETWEEN :low AND :high AND flags & 1"
_PEER = " AND peer = :peer"
_IDS = " AND id IN (SELECT value FROM json_each(:ids))"
_PAGE = """
    SELECT page.id, stanza, flags & 256
    FROM ({rows} ORDER BY id {direction} LIMIT :limit) AS page CROSS JOIN message ON message.id = page.id
    ORDER BY page.id
"""
_COUNT = "SELECT count(*) FROM ({rows} LIMIT :limit)"
_PREFERENCES = "SELECT account, content FROM preferences"
_SET_PREFERENCES = """
    INSERT INTO preferences (account, content) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET content = excluded.content
"""

_encode = msgspec.msgpack.Encoder().encode
_decode_preferences = msgspec.msgpack.Decoder(Preferences).decode

Values = dict[str, Any]
"""Values of a statement's names, as SQLite takes them."""


class SqliteArchive:
    """Implements `ArchiveStore`."""

    def __init__(
        self, readers: Readers, writer: GroupCommit, count_rows_max: int, places: Callable[[str], Place]
    ) -> None:
        """Read with `readers`; `places` tells where an account has rows."""
        self._readers = readers
        self._writer = writer
        self._count_rows_max = count_rows_max
        self._places = places

    async def page(self, account: str, selection: Selection, request: PageRequest) -> Page:
        place = self._places(account)
        count_max = self._count_rows_max

        def read(connection: Connection) -> Page:
            owner = _owner(connection, account)
            _check_ids(connection, place, owner, named_ids(selection, request))
            where, values = _condition(place, owner, selection)
            within, backward = selected(selection), is_backward(request)
            values |= _limits(paged(within, request), request.limit + 1)
            rows = _read(connection, place, where, values, backward=backward)
            complete = len(rows) <= request.limit
            if not complete:
                del rows[0 if backward else -1]
            count = _count(connection, place, where, values | _limits(within, count_max + 1))
            return Page(tuple(rows), complete=complete, count=count if count <= count_max else None)

        return await self._readers.run(read)

    async def bounds(self, account: str) -> tuple[Row, Row] | None:
        place = self._places(account)

        def read(connection: Connection) -> tuple[Row, Row] | None:
            where, values = _condition(place, _owner(connection, account), Selection())
            values |= _limits(EVERYTHING, 1)
            first = _read(connection, place, where, values, backward=False)
            last = _read(connection, place, where, values, backward=True)
            return (first[0], last[0]) if first and last else None

        return await self._readers.run(read)

    async def purge(self, before_id: int, limit: int) -> int:
        return await self._writer.run(lambda connection: purge(connection, before_id, limit))

    async def all_preferences(self) -> Mapping[str, Preferences]:
        def read(connection: Connection) -> Mapping[str, Preferences]:
            return {account: _decode_preferences(content) for account, content in connection.execute(_PREFERENCES)}

        return await self._readers.run(read)

    async def set_preferences(self, account: str, preferences: Preferences) -> None:
        content = _encode(preferences)
        await self._writer.run(lambda connection: connection.execute(_SET_PREFERENCES, (account, content)))


def _owner(connection: Connection, account: str) -> int:
    """The account's number; 0, which no account has, when it has no rows."""
    row = connection.execute(_OWNER, (account,)).fetchone()
    return 0 if row is None else row[0]


def _condition(place: Place, owner: int, selection: Selection) -> tuple[str, Values]:
    where = _WHERE
    if selection.peer is not None:
        where += _PEER
    if selection.ids is not None:
        where += _IDS
    ids = json.dumps(selection.ids)
    return where, {"owner": owner, "recent": place.recent, "peer": selection.peer, "ids": ids}


def _limits(within: IdRange, limit: int) -> Values:
    return {"low": within.low, "high": within.high, "limit": limit}


def _read(connection: Connection, place: Place, where: str, values: Values, *, backward: bool) -> list[Row]:
    """Up to `values["limit"]` rows from one end of the range, in the order of their ids."""
    rows = union("SELECT id, flags" + where, place)
    statement = _PAGE.format(rows=rows, direction="DESC" if backward else "ASC")
    return [Row(row[0], row[1], bool(row[2])) for row in connection.execute(statement, values)]


def _count(connection: Connection, place: Place, where: str, values: Values) -> int:
    statement = _COUNT.format(rows=union("SELECT 1" + where, place))
    row: tuple[int] = connection.execute(statement, values).fetchone()
    return row[0]


def _check_ids(connection: Connection, place: Place, owner: int, named: set[int]) -> None:
    """Raise UnknownId unless the archive has every id that the query names."""
    possible = json.dumps([each for each in named if 0 <= each <= ID_MAX])
    values = {"owner": owner, "recent": place.recent, "ids": possible} | _limits(EVERYTHING, len(named))
    if named and _count(connection, place, _WHERE + _IDS, values) < len(named):
        raise UnknownId("the archive does not have every message that the query names")
