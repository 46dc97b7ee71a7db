"""The replica of the site's own accounts, in a dictionary."""

from collections.abc import Sequence

from edge_node.accounts.store import Account
from edge_node.adapters.memory.commit_log import CommitLog
from edge_node.adapters.memory.tables import Tables


class MemoryAccounts:
    """Implements `AccountStore`."""

    def __init__(self, tables: Tables, log: CommitLog) -> None:
        self._tables = tables
        self._log = log

    async def load(self) -> tuple[int, Sequence[Account]]:
        accounts = self._tables.accounts
        return self._tables.accounts_version, [accounts[local] for local in sorted(accounts)]

    async def apply(self, version: int, upserted: Sequence[Account], removed: Sequence[str], *, full: bool) -> None:
        def apply(tables: Tables) -> None:
            if full:
                tables.accounts.clear()
            for local in removed:
                tables.accounts.pop(local, None)
            tables.accounts.update((account.local, account) for account in upserted)
            tables.accounts_version = version

        await self._log.run(apply)
