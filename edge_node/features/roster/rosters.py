"""The rosters in memory: loaded once, written through.

Rule: there is at most one `LiveRoster` of an account, so a change is made in memory at once, without a lock; the store
follows, in the order of the changes.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any
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

    def put(self, roster: LiveRoster, item: RosterItem) -> Coroutine[Any, Any, int]:
        """Insert or replace an item, at once in memory; what is returned gives its version once it is durable."""
        if item.is_void:
            return self.remove(roster, item.contact)
        before = roster.get(item.contact)
        version = roster.put(item)
        return self._durable(roster, item.contact, version, (item, before))

    def remove(self, roster: LiveRoster, contact: str) -> Coroutine[Any, Any, int]:
        """Remove an item, in the same way."""
        before = roster.get(contact)
        return self._durable(roster, contact, roster.remove(contact), (None, before))

    async def _durable(
        self, roster: LiveRoster, contact: str, version: int, change: tuple[RosterItem | None, RosterItem | None]
    ) -> int:
        after, before = change
        try:
            if after is None:
                await self._store.remove(roster.account, contact, version)
            else:
                await self._store.put(roster.account, after, version)
        except BaseException:
            roster.undo(contact, after, before)
            raise
        roster.stored_version = max(roster.stored_version, version)
        return version
