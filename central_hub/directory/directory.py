"""The directory in memory: resolution is one look-up; the store stays the authority for changes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from central_hub.directory.accounts import Account
from central_hub.directory.changes import AccountEdit, Edited, Refused
from central_hub.directory.sites import Site
from central_hub.directory.store import DirectoryStore, Gap

AccountsChanged = Callable[[str], None]
"""Called on the loop with a site's name after its accounts changed durably."""


class Directory:
    """Sites and accounts.

    Rule: the index is changed only by what the store has committed, newest version wins, so it never runs ahead
    of the store; and it takes what was committed also when nobody waits for the answer any more (a call that was
    cancelled), so it never stays behind.
    """

    def __init__(self, store: DirectoryStore, *, edits_per_commit: int) -> None:
        """Prepare an empty directory; `load` fills it.

        Args:
            store: the authority.
            edits_per_commit: how many edits one commit carries: bounds how long the loop and the writer are held.
        """
        self._store = store
        self._edits_per_commit = edits_per_commit
        self._accounts: dict[str, Account] = {}
        self._sites: dict[str, Site] = {}
        self._newest: dict[str, int] = {}
        self._gaps: dict[str, Sequence[Gap]] = {}
        self._populations: dict[str, int] = {}
        self._observers: list[AccountsChanged] = []

    async def load(self, now_us: int) -> None:
        """Begin a life of the store and read everything; called once, before the first link.

        Raises:
            StoreUnavailable: it can't be written or read.
        """
        await self._store.begin(now_us)
        contents = await self._store.load()
        for site in contents.sites:
            self._sites[site.name] = site
            self._newest[site.name] = contents.versions[site.name]
            self._gaps[site.name] = contents.gaps.get(site.name, ())
            self._populations[site.name] = 0
        for account in contents.accounts:
            self._accounts[account.local] = account
            self._populations[account.site] += 1

    def observe(self, changed: AccountsChanged) -> None:
        """Have `changed` called whenever a site's accounts changed."""
        self._observers.append(changed)

    @property
    def sites(self) -> Mapping[str, Site]:
        """Every site by name."""
        return self._sites

    def home_of(self, local: str) -> str | None:
        """Name of the home site of an account; None when there is no such account."""
        account = self._accounts.get(local)
        return None if account is None else account.site

    def account(self, local: str) -> Account | None:
        """The account with this local part."""
        return self._accounts.get(local)

    def accounts(self, site: str, prefix: str) -> Iterator[Account]:
        """Accounts in the order of their local parts; an empty `site` or `prefix` means all."""
        for local in sorted(local for local in self._accounts if local.startswith(prefix)):
            account = self._accounts[local]
            if not site or account.site == site:
                yield account

    def newest_version(self, site: str) -> int:
        """The newest version of the accounts of `site`, which must exist."""
        return self._newest[site]

    def has_given_out(self, site: str, version: int) -> bool:
        """Whether `version` of the accounts of `site`, which must exist, was given out by this directory.

        One that was not comes from another directory, or from a life of this one that was lost.
        """
        is_within = self._sites[site].base_version <= version <= self._newest[site]
        return is_within and not any(gap.after < version < gap.before for gap in self._gaps.get(site, ()))

    def changes_since(self, site: str, version: int) -> int:
        """How many changes of the accounts of `site`, which must exist, a replica that holds `version` lacks.

        All its accounts, if the replica holds nothing of this directory.
        """
        if not self.has_given_out(site, version):
            return self._populations[site]
        skipped = sum(gap.before - gap.after for gap in self._gaps.get(site, ()) if gap.after >= version)
        return self._newest[site] - version - skipped

    def population(self, site: str) -> int:
        """How many accounts call `site`, which must exist, home."""
        return self._populations[site]

    async def put_site(self, site: Site) -> Site:
        """Add a site, or change where its clients connect; raise StoreUnavailable."""
        return await asyncio.shield(self._put_site(site))

    async def _put_site(self, site: Site) -> Site:
        stored = await self._store.put_site(site)
        self._sites[stored.name] = stored
        self._newest.setdefault(stored.name, stored.base_version)
        self._populations.setdefault(stored.name, 0)
        return stored

    async def edit(self, edits: Sequence[AccountEdit]) -> list[Edited | Refused]:
        """Apply `edits` durably; one answer per edit, in order.

        Commits of `edits_per_commit` each: a failing store leaves the earlier ones done (StoreUnavailable).
        """
        answers: list[Edited | Refused] = []
        remaining = iter(edits)
        while batch := list(islice(remaining, self._edits_per_commit)):
            answers += await asyncio.shield(self._commit(batch))
        return answers

    async def _commit(self, edits: Sequence[AccountEdit]) -> list[Edited | Refused]:
        answers = await self._store.edit_accounts(edits)
        self._take(answers)
        return answers

    def _take(self, answers: Sequence[Edited | Refused]) -> None:
        touched = set()
        for answer in answers:
            if not isinstance(answer, Edited):
                continue
            account = answer.account
            known = self._accounts.get(account.local)
            if known is None:
                self._populations[account.site] += 1
            if known is None or known.version < account.version:
                self._accounts[account.local] = account
                self._newest[account.site] = max(self._newest[account.site], account.version)
                touched.add(account.site)
        for site in sorted(touched):
            for changed in self._observers:
                changed(site)
