"""When accounts were last connected."""

from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.group_commit import GroupCommit

_LAST = "SELECT at_us FROM departure WHERE account = ?"


class SqliteDepartures:
    """Implements `DepartureStore`."""

    def __init__(self, writer: GroupCommit) -> None:
        self._writer = writer

    def left(self, account: str, at_us: int) -> None:
        self._writer.write(lambda standing: standing.departures.__setitem__(account, at_us))

    async def last(self, account: str) -> int | None:
        def read(connection: Connection) -> int | None:
            row: tuple[int] | None = connection.execute(_LAST, (account,)).fetchone()
            return None if row is None else row[0]

        return await self._writer.run(read)  # behind what `left` has written and nobody has committed yet
