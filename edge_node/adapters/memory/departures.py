"""When accounts were last connected."""

from edge_node.adapters.memory.commit_log import CommitLog


class MemoryDepartures:
    """Implements `DepartureStore`."""

    def __init__(self, log: CommitLog) -> None:
        self._log = log

    def left(self, account: str, at_us: int) -> None:
        self._log.write(lambda tables: tables.departures.__setitem__(account, at_us))

    async def last(self, account: str) -> int | None:
        return await self._log.run(lambda tables: tables.departures.get(account))
