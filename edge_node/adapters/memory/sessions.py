"""Sessions in a dictionary."""

from collections.abc import Sequence

from edge_node.adapters.memory.commit_log import CommitLog
from edge_node.adapters.memory.tables import Tables
from edge_node.sessions.store import SessionRecord


class MemorySessions:
    """Implements `SessionStore`."""

    def __init__(self, tables: Tables, log: CommitLog) -> None:
        self._tables = tables
        self._log = log

    def save(self, record: SessionRecord) -> None:
        self._log.write(lambda tables: tables.sessions.__setitem__(record.key, record))

    def delete(self, key: int) -> None:
        self._log.write(lambda tables: tables.sessions.pop(key, None))

    async def load_all(self) -> Sequence[SessionRecord]:
        return list(self._tables.sessions.values())
