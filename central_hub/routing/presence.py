"""Presence through the hub: to the sites where somebody watches, and to no other.  Pure.

Theory of operation.  Each site says which accounts elsewhere it watches, and which version of each it holds.  The hub
passes the sum of these interests on to the accounts' home sites, keeps the newest state of every watched account, and
tells each watching site what it does not hold yet, once per site.

Versions.  A home site is the authority for its people: what it says is news unless it has the version that the hub has
from it already.  What watchers are told carries a version that grows over everything told before, since the hub itself
tells them an empty state when a home site has been away for the grace time, and must be able to take that back.

A home site answers an interest with the state of every account whose version is not the one that the hub holds, an
empty state included; what it does not answer is unchanged.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from cascade.frame import AccountPresence, InterestChange

HomeOf = Callable[[str], str | None]


class PresenceLinks(Protocol):
    """Port: what linked sites are told.  Newer states of an account may replace older ones that wait to be sent."""

    def publish(self, site: str, presence: AccountPresence) -> None:
        """Tell a watching site the newest state of an account."""

    def ask_all(self, site: str, accounts: Iterable[tuple[str, int]]) -> None:
        """Tell a home site all its accounts that are watched, with the version of each that the hub has."""

    def ask(self, site: str, account: str) -> None:
        """Tell a home site that an account, of which the hub has nothing, is watched now."""

    def unask(self, site: str, account: str) -> None:
        """Tell a home site that nobody watches an account any more."""


class Watched:
    """One account that somebody watches."""

    __slots__ = ("home", "home_version", "presence", "watchers")

    def __init__(self, home: str) -> None:
        """Begin with nothing known."""
        self.home = home
        self.watchers: dict[str, int] = {}
        """Watching site to the version that it holds."""
        self.presence: AccountPresence | None = None
        """As told to watchers; None while nothing is known."""
        self.home_version = 0
        """The version of the home site that `presence` stands for; 0 when it is the hub's own assumption."""

    @property
    def told(self) -> int:
        """The highest version that anybody was told."""
        known = 0 if self.presence is None else self.presence.version
        return max((known, *self.watchers.values()))


class PresenceExchange:
    """Interests, states, and which homes are away."""

    def __init__(
        self, home_of: HomeOf, links: PresenceLinks, *, grace_seconds: float, accounts_per_site_max: int
    ) -> None:
        """Start with no site linked.

        Args:
            home_of: JID to home site; None for whom nobody can watch.
            links: told what has to be sent; only ever called for linked sites.
            grace_seconds: how long a home site may be away before its people count as unavailable, and a watching
                site before its interest is forgotten.
            accounts_per_site_max: what one site may watch; more is not taken.
        """
        self._home_of = home_of
        self._links = links
        self._grace_seconds = grace_seconds
        self._accounts_per_site_max = accounts_per_site_max
        self._linked: set[str] = set()
        self._leaving: dict[str, float] = {}
        self._watched: dict[str, Watched] = {}
        # Sets that keep their order: the same day is the same day in every process.
        self._by_watcher: dict[str, dict[str, None]] = {}
        self._by_home: dict[str, dict[str, None]] = {}

    # ------------------------------------------------------------------------------------------------------- links

    def linked(self, site: str) -> None:
        """A site has a link: ask it for the state of its watched people; it says itself what it watches."""
        self._linked.add(site)
        self._leaving.pop(site, None)
        watched = self._by_home.get(site, ())
        self._links.ask_all(site, [(account, self._watched[account].home_version) for account in watched])

    def unlinked(self, site: str, now: float) -> None:
        """A site has no link any more, or not yet after a start: its grace time begins."""
        self._linked.discard(site)
        self._leaving[site] = now + self._grace_seconds

    def deadline(self) -> float | None:
        """When `timeout` is due; None = not at all."""
        return min(self._leaving.values(), default=None)

    def timeout(self, now: float) -> None:
        """Grace times are over: those people are unavailable, those interests are forgotten."""
        for site in [site for site, deadline in self._leaving.items() if deadline <= now]:
            del self._leaving[site]
            for account in self._by_home.get(site, ()):
                self._assume_unavailable(account, self._watched[account])
            self._unwatch(site, tuple(self._by_watcher.get(site, ())))

    # --------------------------------------------------------------------------------------------------- what comes

    def interest(self, site: str, change: InterestChange) -> None:
        """A site says what it watches; a full statement is whole (cascade.interest puts its parts together)."""
        if change.is_full:
            wanted = {account for account, _ in change.added}
            self._unwatch(site, [account for account in self._by_watcher.get(site, ()) if account not in wanted])
        self._unwatch(site, change.removed)
        for account, held in change.added:
            watched = self._watch(site, account)
            if watched is not None:
                self._inform(site, account, watched, held)

    def presence(self, site: str, presence: AccountPresence) -> bool:
        """A home site says how one of its people is; False when it is not for this site to say."""
        account = presence.account
        watched = self._watched.get(account)
        if watched is None:
            return self._home_of(account) == site
        if watched.home != site:
            return False
        if presence.version == watched.home_version:
            return True
        told, version = watched.told, presence.version
        # while nothing is known here, the version that watchers hold may well be the home's own
        is_held_perhaps = watched.presence is None and version == told
        if version <= told and not is_held_perhaps:
            version = told + 1
        watched.home_version = presence.version
        self._tell(watched, AccountPresence(account, version, presence.resources))
        return True

    # ---------------------------------------------------------------------------------------------------- measures

    def watched_by(self, site: str) -> int:
        """How many accounts elsewhere a site watches."""
        return len(self._by_watcher.get(site, ()))

    # ------------------------------------------------------------------------------------------------------- parts

    def _watch(self, site: str, account: str) -> Watched | None:
        mine = self._by_watcher.get(site, ())
        if account not in mine and len(mine) >= self._accounts_per_site_max:
            return None
        if "/" in account:
            return None  # one account would have as many names as a site can think of resources
        watched = self._watched.get(account)
        if watched is None:
            home = self._home_of(account)
            if home is None or home == site:
                return None
            watched = self._watched[account] = Watched(home)
            self._by_home.setdefault(home, {})[account] = None
            if home in self._linked:
                self._links.ask(home, account)
        elif watched.home == site:
            return None
        self._by_watcher.setdefault(site, {})[account] = None
        return watched

    def _inform(self, site: str, account: str, watched: Watched, held: int) -> None:
        """Bring one watcher from the version that it holds to what is known."""
        watched.watchers[site] = held
        presence = watched.presence
        if presence is None:
            if watched.home not in self._linked and watched.home not in self._leaving:
                self._assume_unavailable(account, watched)
        elif presence.version < held:  # told by another life of the hub
            self._tell(watched, AccountPresence(account, held + 1, presence.resources))
        else:
            self._tell(watched, presence)

    def _assume_unavailable(self, account: str, watched: Watched) -> None:
        presence = watched.presence
        is_known_gone = watched.told == 0 if presence is None else not presence.resources
        if is_known_gone:
            return
        watched.home_version = 0
        self._tell(watched, AccountPresence(account, watched.told + 1))

    def _tell(self, watched: Watched, presence: AccountPresence) -> None:
        watched.presence = presence
        for site, held in watched.watchers.items():
            if held < presence.version and site in self._linked:
                watched.watchers[site] = presence.version
                self._links.publish(site, presence)

    def _unwatch(self, site: str, accounts: Iterable[str]) -> None:
        mine = self._by_watcher.get(site)
        if mine is None:
            return
        for account in accounts:
            if account not in mine:
                continue
            del mine[account]
            watched = self._watched[account]
            del watched.watchers[site]
            if not watched.watchers:
                del self._watched[account]
                del self._by_home[watched.home][account]
                if watched.home in self._linked:
                    self._links.unask(watched.home, account)
        if not mine:
            del self._by_watcher[site]
