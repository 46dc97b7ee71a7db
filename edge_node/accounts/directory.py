"""Who is at home here, in memory; the store behind it survives."""

from collections import Counter
from collections.abc import Sequence

from edge_node.accounts.store import Account, AccountStore
from xmpp.sasl import Credentials


class LocalDirectory:
    """This site's accounts.  The hub is the author, this is the copy that a branch lives on alone."""

    def __init__(self, store: AccountStore) -> None:
        """Start empty; `load` fills it."""
        self._store = store
        self._accounts: dict[str, Account] = {}
        self.version = 0
        """What the replica holds durably."""

    def __len__(self) -> int:
        return len(self._accounts)

    async def load(self) -> None:
        """Read the replica; called once, at start."""
        self.version, accounts = await self._store.load()
        self._accounts = {account.local: account for account in accounts}

    def is_home(self, local: str) -> bool:
        """Whether the account exists here; a disabled one still does, and still gets messages."""
        return local in self._accounts

    def get(self, local: str) -> Account | None:
        """The account."""
        return self._accounts.get(local)

    def credentials(self, local: str) -> Credentials | None:
        """What proves a client to be this account; None: no such account, or it may not log in."""
        account = self._accounts.get(local)
        if account is None or account.disabled or not account.verifiers:
            return None
        return Credentials({verifier.hash_name: verifier for verifier in account.verifiers})

    def usual_iterations(self, otherwise: int) -> int:
        """The iteration count that most verifiers have (RFC 5802 section 3); `otherwise` when there is none."""
        counts = Counter(each.iterations for account in self._accounts.values() for each in account.verifiers)
        return counts.most_common(1)[0][0] if counts else otherwise

    async def apply(
        self, version: int, upserted: Sequence[Account], removed: Sequence[str], *, full: bool
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Apply a versioned difference, durably first.

        Returns:
            (removed or disabled, passwords changed): local parts whose sessions have to end.
        """
        await self._store.apply(version, upserted, removed, full=full)
        before = self._accounts
        after = {} if full else dict(before)
        after.update((account.local, account) for account in upserted)
        for local in removed:
            after.pop(local, None)
        self._accounts = after
        self.version = version
        gone = [local for local in before if local not in after]
        gone += [account.local for account in upserted if account.disabled and account.local in before]
        changed = [
            account.local
            for account in upserted
            if account.local in before and before[account.local].verifiers != account.verifiers
        ]
        return gone, changed
