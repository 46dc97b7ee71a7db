"""The rosters in memory: loaded once, written through.

Rule: there is at most one `LiveRoster` of an account, so a change is made in memory at once, without a lock; the store
follows, in the order of the changes.
"""

import asyncio
from weakref import WeakValueDictionary

from edge_node.features.roster.store import RosterStore
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.roster import LiveRoster, RosterItem


class Rosters:
    """Loads rosters; those of accounts with sessions stay, others go when nobody uses them."""

    def __init__(self, store: RosterStore) -> None:
        """Keep what `store` holds."""
        self._store = store
        self._live: WeakValueDictionary[str, LiveRoster] = WeakValueDictionary()
        self._loading: dict[str, asyncio.Future[LiveRoster]] = {}

    async def prepare(self, account: LocalAccount) -> None:
        """Load the roster of an account that is about to get a session."""
        if account.roster is None:
            account.roster = await self.get(account.bare)

    async def get(self, account: str) -> LiveRoster:
        """The roster of a bare JID at home here."""
        live = self._live.get(account)
        if live is not None:
            return live
        loading = self._loading.get(account)
        if loading is None:
            loading = self._loading[account] = asyncio.get_running_loop().create_future()
            try:
                live = LiveRoster(account, await self._store.load(account))
            except BaseException as error:
                del self._loading[account]
                loading.set_exception(error)
                loading.exception()  # those who wait get it too; nobody may be waiting
                raise
            self._live[account] = live
            del self._loading[account]
            loading.set_result(live)
            return live
        return await asyncio.shield(loading)

    async def put(self, roster: LiveRoster, item: RosterItem) -> int:
        """Insert or replace an item; returns its version once it is durable."""
        version = roster.put(item)
        if item.is_void:
            await self._store.remove(roster.account, item.contact, version)
        else:
            await self._store.put(roster.account, item, version)
        return version

    async def remove(self, roster: LiveRoster, contact: str) -> int:
        """Remove an item; returns the version once that is durable."""
        version = roster.remove(contact)
        await self._store.remove(roster.account, contact, version)
        return version
