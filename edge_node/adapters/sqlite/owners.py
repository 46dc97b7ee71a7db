"""Accounts as the writer knows them by heart: each as a small number, and where its latest rows are."""

from edge_node.adapters.sqlite.connection import Connection


class Owner:
    """An account that has rows."""

    __slots__ = ("number", "recent")

    def __init__(self, number: int) -> None:
        self.number = number
        """What its rows name it by."""
        self.recent: list[int] = []
        """Numbers of its rows in `recent`: so they are found without an index that would have to be written.

        Added before they are committed, emptied after they have moved: a number may name no row, or another's.
        """


class Owners:
    """The accounts that have been met."""

    __slots__ = ("_limit", "_uncommitted", "_with_recent", "known")

    def __init__(self, limit: int) -> None:
        """Remember about `limit` accounts; beyond that, all are looked up again."""
        self._limit = limit
        self._uncommitted: list[str] = []
        self._with_recent: list[Owner] = []
        self.known: dict[str, Owner] = {}
        """By bare JID, for the hot path; a miss goes to `find`."""

    def find(self, connection: Connection, account: str) -> Owner:
        """The owner of a bare JID, which gets a number if it has none; inside a transaction."""
        row = connection.execute("SELECT id FROM owner WHERE jid = ?", (account,)).fetchone()
        if row is None:
            row = (connection.execute("INSERT INTO owner (jid) VALUES (?)", (account,)).lastrowid,)
            self._uncommitted.append(account)
        owner = self.known[account] = Owner(row[0])
        return owner

    def add(self, owner: Owner, row: int) -> None:
        """A row in `recent` is, or is about to be, the owner's."""
        if not owner.recent:
            self._with_recent.append(owner)
        owner.recent.append(row)

    def recent(self, account: str) -> list[int]:
        """Where to look for an account's rows in `recent`."""
        owner = self.known.get(account)
        return [] if owner is None else owner.recent

    def committed(self) -> None:
        """A transaction was: numbers given out in it hold."""
        self._uncommitted.clear()

    def rolled_back(self, last_row: int) -> None:
        """A transaction was: numbers given out in it never were, nor were rows in `recent` behind `last_row`."""
        for account in self._uncommitted:
            del self.known[account]
        self._uncommitted.clear()
        for owner in self._with_recent:
            while owner.recent and owner.recent[-1] > last_row:
                owner.recent.pop()
        self._with_recent = [owner for owner in self._with_recent if owner.recent]

    def moved(self) -> None:
        """There are no rows in `recent` any more."""
        for owner in self._with_recent:
            owner.recent = []
        self._with_recent.clear()
        if len(self.known) > self._limit:
            self.known.clear()
