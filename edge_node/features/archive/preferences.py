"""Who wants what archived (XEP-0441).

Rule: the decision falls on the way of every message, so it waits for nothing: what differs from the site's default is
in memory, and with it the rosters of those who want their contacts' messages only.
"""

from collections.abc import Awaitable, Callable

from edge_node.features.archive.store import ArchiveDefault, ArchiveStore, Preferences
from edge_node.sessions.roster import LiveRoster
from xmpp.jid import JID


class TooMany(Exception):
    """No more accounts may differ from the default."""


class ArchivePreferences:
    """Says of each message whether its account wants it."""

    def __init__(
        self,
        store: ArchiveStore,
        roster_of: Callable[[str], Awaitable[LiveRoster]],
        *,
        default: ArchiveDefault,
        accounts_max: int,
    ) -> None:
        """Start empty; `load` fills it.

        Args:
            store: where preferences are kept.
            roster_of: the live roster of a bare JID at home here.
            default: for accounts that have chosen nothing; not ROSTER, which would take all rosters into memory.
            accounts_max: how many accounts may differ from it.
        """
        self._store = store
        self._roster_of = roster_of
        self._default = Preferences(default)
        self._accounts_max = accounts_max
        self._chosen: dict[str, Preferences] = {}
        self._rosters: dict[str, LiveRoster] = {}

    def __len__(self) -> int:
        """How many accounts differ from the default."""
        return len(self._chosen)

    async def load(self) -> None:
        """Read what accounts have chosen; called once, at start."""
        for account, preferences in (await self._store.all_preferences()).items():
            await self._remember(account, preferences)

    def of(self, account: str) -> Preferences:
        """What holds for a bare JID."""
        return self._chosen.get(account, self._default)

    async def choose(self, account: str, preferences: Preferences) -> None:
        """Keep what an account wants, durably.

        Raises:
            TooMany: too many accounts differ from the default.
        """
        is_new = account not in self._chosen and preferences != self._default
        if is_new and len(self._chosen) >= self._accounts_max:
            raise TooMany
        await self._store.set_preferences(account, preferences)
        await self._remember(account, preferences)

    async def _remember(self, account: str, preferences: Preferences) -> None:
        if preferences.default is ArchiveDefault.ROSTER:
            self._rosters[account] = await self._roster_of(account)
        else:
            self._rosters.pop(account, None)
        if preferences == self._default:
            self._chosen.pop(account, None)
        else:
            self._chosen[account] = preferences

    def wants(self, account: str, peer: JID) -> bool:
        """Whether a message between an account (bare JID) and `peer` is to be archived for the account.

        An address with a resource is compared as it is, one without by the bare address (section 2.3); the first
        kind is the more exact one and goes first, and between equals "never" does.
        """
        preferences = self._chosen.get(account)
        if preferences is None:
            return self._default.default is ArchiveDefault.ALWAYS
        for address in (peer.full, peer.bare):
            if address in preferences.never:
                return False
            if address in preferences.always:
                return True
        if preferences.default is ArchiveDefault.ROSTER:
            item = self._rosters[account].get(peer.bare)
            return item is not None and item.in_roster
        return preferences.default is ArchiveDefault.ALWAYS
