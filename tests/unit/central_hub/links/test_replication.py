"""A feed reads on when the store is back; what it sends over a link is in tests/integration/hub."""

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from structlog.testing import capture_logs

from cascade.frame import AccountChange
from central_hub.adapters.memory.directory import MemoryDirectory
from central_hub.directory.accounts import AccountRecord
from central_hub.directory.changes import AccountEdit
from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.directory.sites import Site
from central_hub.links.replication import Feed, Replication
from central_hub.links.settings import LinksSettings
from central_hub.storage import StoreUnavailable
from tests.support.virtual_time import run_in_virtual_time

FILES = dict.fromkeys(("certificate", "key", "authority"), "none")
BEGINNING = 100


class Store(MemoryDirectory):
    failing = False
    reads = 0

    async def accounts_after(self, site: str, version: int, limit: int) -> Sequence[AccountRecord]:
        self.reads += 1
        if self.failing:
            raise StoreUnavailable("the disk is gone")
        return await super().accounts_after(site, version, limit)


class Link:
    """A connection, and its link, that takes whatever it is given at once."""

    site = "paris"

    def __init__(self) -> None:
        self.link = self
        self.sent: list[AccountChange] = []

    def send_accounts(self, changes: Any) -> None:  # noqa: ANN401 - an iterator
        self.sent += changes

    def wake(self) -> None: ...


async def paris(store: Store, *names: str) -> Directory:
    directory = Directory(store, edits_per_commit=9)
    await directory.load(0)
    await directory.put_site(Site("paris", "h", 1, BEGINNING))
    await directory.edit([AccountEdit(local=name, site="paris", verifiers=()) for name in names])
    return directory


def settings() -> LinksSettings:
    return LinksSettings.model_validate(FILES | {"accounts_per_part": 2, "store_retry_seconds": 1.0})


def people(link: Link) -> list[list[str]]:
    return [[account.local for account in change.upserted] for change in link.sent]


def test_a_store_that_fails_is_tried_again_and_nothing_is_left_out() -> None:
    async def main() -> None:
        store, link = Store(), Link()
        directory = await paris(store, "anna", "bruno", "chloe")
        feed: Any = Feed(link, 0, directory, store, settings())  # type: ignore[arg-type]  # as far as it is used
        store.failing = True
        with capture_logs() as logs:
            running = asyncio.get_running_loop().create_task(feed.run())
            await asyncio.sleep(3.5)
            assert (store.reads, link.sent) == (4, [])
            store.failing = False
            await asyncio.sleep(1)
        running.cancel()
        assert [entry["event"] for entry in logs] == ["accounts_read_failed"] * 4
        assert people(link) == [["anna", "bruno"], ["chloe"]]
        assert [(change.is_full, change.has_more) for change in link.sent] == [(True, True), (True, False)]

    run_in_virtual_time(main())


def test_who_holds_what_this_directory_has_given_out_gets_the_difference() -> None:
    async def main() -> None:
        store, link, replicas = Store(), Link(), Replicas()
        directory = await paris(store, "anna", "bruno")
        held = directory.newest_version("paris")
        async with asyncio.TaskGroup() as tasks:
            replication: Any = Replication(tasks, directory, store, replicas, settings())
            replication.opened(link, held)
            await asyncio.sleep(1)
            assert (link.sent, replicas.held("paris")) == ([], held)
            await directory.edit([AccountEdit(local="chloe", site="paris", verifiers=())])
            await asyncio.sleep(1)
            assert people(link) == [["chloe"]]
            assert not link.sent[0].is_full
            replication.held("paris", link.sent[0].version)
            assert replicas.held("paris") == directory.newest_version("paris")
            replication.close()
            replication.closed("paris")

    run_in_virtual_time(main())


def test_a_replica_of_a_life_that_was_lost_is_replaced() -> None:
    async def main() -> None:
        store, link, replicas = Store(), Link(), Replicas()
        directory = await paris(store, "anna", "bruno")
        copy = deepcopy(store)
        await directory.edit([AccountEdit(local="bruno", disabled=True)])
        held = directory.newest_version("paris")
        restored = Directory(copy, edits_per_commit=9)
        await restored.load(10_000)
        await restored.edit([AccountEdit(local="chloe", site="paris", verifiers=())])
        assert held < restored.newest_version("paris")
        async with asyncio.TaskGroup() as tasks:
            replication: Any = Replication(tasks, restored, copy, replicas, settings())
            replication.opened(link, held)
            await asyncio.sleep(1)
            replication.close()
        assert [change.is_full for change in link.sent] == [True, True]
        assert people(link) == [["anna", "bruno"], ["chloe"]]

    run_in_virtual_time(main())


def test_a_restart_of_the_hub_is_one_empty_difference() -> None:
    async def main() -> None:
        store, link = Store(), Link()
        directory = await paris(store, "anna")
        held = directory.newest_version("paris")
        await directory.load(10_000)
        async with asyncio.TaskGroup() as tasks:
            replication: Any = Replication(tasks, directory, store, Replicas(), settings())
            replication.opened(link, held)
            await asyncio.sleep(1)
            replication.close()
        assert link.sent == [AccountChange(10_000)]

    run_in_virtual_time(main())


def test_a_replica_ahead_of_this_directory_is_replaced() -> None:
    async def main() -> None:
        store, link, replicas = Store(), Link(), Replicas()
        directory = await paris(store, "anna")
        async with asyncio.TaskGroup() as tasks:
            replication: Any = Replication(tasks, directory, store, replicas, settings())
            replication.opened(link, directory.newest_version("paris") + 1)
            await asyncio.sleep(1)
            assert replicas.held("paris") == 0
            assert [(change.is_full, change.has_more) for change in link.sent] == [(True, False)]
            replication.close()

    run_in_virtual_time(main())
