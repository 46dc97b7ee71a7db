"""Accounts as small numbers: a row of an archive names its owner by one."""

from edge_node.adapters.sqlite.connection import Connection


class Owners:
    """The numbers that the writer knows by heart."""

    __slots__ = ("_limit", "known")

    def __init__(self, limit: int) -> None:
        """Remember at most `limit` numbers; beyond that, all are looked up again."""
        self._limit = limit
        self.known: dict[str, int] = {}
        """Bare JID to number, for the hot path; a miss goes to `number`."""

    def number(self, connection: Connection, account: str) -> int:
        """The number of an account, which gets one if it has none; inside a transaction."""
        row = connection.execute("SELECT id FROM owner WHERE jid = ?", (account,)).fetchone()
        if row is None:
            row = (connection.execute("INSERT INTO owner (jid) VALUES (?)", (account,)).lastrowid,)
        if len(self.known) >= self._limit:
            self.known.clear()
        number: int = row[0]
        self.known[account] = number
        return number

    def forget(self) -> None:
        """A transaction was rolled back: numbers given out in it never were."""
        self.known.clear()
