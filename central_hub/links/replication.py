"""Feeding a linked site the accounts of its own people, part by part, as versioned changes."""

import asyncio
from collections.abc import Iterator, Sequence

import structlog

from cascade.frame import Account, AccountChange, Verifier
from cascade.transport.server import LinkConnection
from central_hub.directory.accounts import AccountRecord
from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.directory.store import DirectoryStore
from central_hub.links.settings import LinksSettings
from central_hub.storage import StoreUnavailable

log = structlog.get_logger()


class Replication:
    """The feeds of all links, and what the sites confirm."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        directory: Directory,
        store: DirectoryStore,
        replicas: Replicas,
        settings: LinksSettings,
    ) -> None:
        """Feed from `store` what `directory` says has changed, in tasks of `tasks`."""
        self._tasks = tasks
        self._directory = directory
        self._store = store
        self._replicas = replicas
        self._settings = settings
        self._feeds: dict[str, tuple[Feed, asyncio.Task[None]]] = {}
        directory.observe(self._changed)

    def opened(self, connection: LinkConnection, held_version: int) -> None:
        """A site has a link, and says what it holds."""
        site = connection.site
        self._replicas.confirm(site, held_version if self._directory.has_given_out(site, held_version) else 0)
        feed = Feed(connection, held_version, self._directory, self._store, self._settings)
        self._feeds[site] = (feed, self._tasks.create_task(feed.run(), name=f"accounts of {site}"))

    def closed(self, site: str) -> None:
        """The site has no link any more."""
        feed = self._feeds.pop(site, None)
        if feed is not None:
            feed[1].cancel()

    def held(self, site: str, version: int) -> None:
        """The site confirms a version."""
        self._replicas.confirm(site, version)

    def close(self) -> None:
        """End all feeds."""
        for site in tuple(self._feeds):
            self.closed(site)

    def _changed(self, site: str) -> None:
        feed = self._feeds.get(site)
        if feed is not None:
            feed[0].changed()


class Feed:
    """What one link still has to be told.

    A replica whose version this directory has given out gets the difference; any other (empty, of another directory,
    or of a life of this one that was lost when an older copy was put back) gets a snapshot.  Both are read in the
    order of versions, so what changes meanwhile comes later in the same reading.
    """

    def __init__(
        self,
        connection: LinkConnection,
        held_version: int,
        directory: Directory,
        store: DirectoryStore,
        settings: LinksSettings,
    ) -> None:
        """Start behind `held_version`, what the site says it holds; `run` does the work."""
        self._connection = connection
        self._site = connection.site
        self._directory = directory
        self._store = store
        self._settings = settings
        self._is_full = not directory.has_given_out(self._site, held_version)
        self._sent_version = 0 if self._is_full else held_version
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The site's accounts have changed."""
        self._changed.set()

    async def run(self) -> None:
        """Send what is missing and then what changes, until cancelled."""
        while True:
            self._changed.clear()
            try:
                while self._is_full or self._sent_version < self._directory.newest_version(self._site):
                    await self._send(await self._next_part())
            except StoreUnavailable as error:
                log.warning("accounts_read_failed", site=self._site, reason=str(error))
                await asyncio.sleep(self._settings.store_retry_seconds)
                continue
            await self._changed.wait()

    async def _next_part(self) -> AccountChange:
        limit = self._settings.accounts_per_part
        newest = self._directory.newest_version(self._site)
        records = await self._store.accounts_after(self._site, self._sent_version, limit)
        has_more = len(records) == limit
        version = records[-1].account.version if records else newest
        self._sent_version = version
        change = account_change(version, records, is_full=self._is_full, has_more=has_more)
        self._is_full = self._is_full and has_more
        return change

    async def _send(self, change: AccountChange) -> None:
        taken = asyncio.Event()
        self._connection.link.send_accounts(single(change, taken))
        self._connection.wake()
        await taken.wait()


def single(change: AccountChange, taken: asyncio.Event) -> Iterator[AccountChange]:
    """Yield one part; set `taken` when the link has put it into a frame and asks for the next."""
    yield change
    taken.set()


def account_change(version: int, records: Sequence[AccountRecord], *, is_full: bool, has_more: bool) -> AccountChange:
    """Write records as one part of a change."""
    return AccountChange(
        version=version,
        upserted=tuple(account(record) for record in records),
        is_full=is_full,
        has_more=has_more,
    )


def account(record: AccountRecord) -> Account:
    """Write one record."""
    return Account(
        record.account.local,
        record.account.disabled,
        tuple(Verifier(v.hash_name, v.salt, v.iterations, v.stored_key, v.server_key) for v in record.verifiers),
        record.account.display_name,
    )
