"""The simulated hub's side of interest: which sites watch which accounts."""

from collections.abc import Collection
from dataclasses import dataclass, field

from cascade.frame import InterestChange


@dataclass(slots=True)
class InterestDifference:
    """What one site's change of interest means for the others."""

    first: list[str] = field(default_factory=list)
    """Accounts that nobody watched before."""
    last: list[str] = field(default_factory=list)
    """Accounts that nobody watches any more."""


class InterestIndex:
    """At the hub: which sites watch which accounts.

    Args:
        accounts_per_site_max: what one site may watch; more is not taken.

    """

    def __init__(self, accounts_per_site_max: int) -> None:
        self._accounts_per_site_max = accounts_per_site_max
        self._by_site: dict[str, set[str]] = {}
        self._by_account: dict[str, set[str]] = {}

    def apply(self, site: str, change: InterestChange) -> InterestDifference:
        """Take what a site says that it watches."""
        difference = InterestDifference()
        watched = self._by_site.setdefault(site, set())
        added = [account for account, _ in change.added]
        removed = watched.difference(added) if change.is_full else change.removed
        for account in removed:
            if account in watched:
                watched.discard(account)
                self._leave(site, account, difference)
        for account in added:
            if account not in watched and len(watched) < self._accounts_per_site_max:
                watched.add(account)
                self._join(site, account, difference)
        return difference

    def watchers(self, account: str) -> Collection[str]:
        """Return the sites that watch an account."""
        return self._by_account.get(account, ())

    @property
    def accounts(self) -> Collection[str]:
        """Accounts that somebody watches."""
        return self._by_account.keys()

    def _join(self, site: str, account: str, difference: InterestDifference) -> None:
        watchers = self._by_account.get(account)
        if watchers is None:
            self._by_account[account] = {site}
            difference.first.append(account)
        else:
            watchers.add(site)

    def _leave(self, site: str, account: str, difference: InterestDifference) -> None:
        watchers = self._by_account[account]
        watchers.discard(site)
        if not watchers:
            del self._by_account[account]
            difference.last.append(account)
