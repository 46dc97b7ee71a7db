import asyncio
import gc
from collections.abc import Sequence

import pytest

from edge_node.adapters.memory import open_store
from edge_node.features.roster.rosters import Rosters
from edge_node.features.roster.store import RosterChange
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.roster import Roster, RosterItem
from tests.support.edge import jid

ANNA = "anna@corp.example"


class CountingStore:
    """A roster store that counts what is loaded, and fails when told to."""

    def __init__(self) -> None:
        self.store = open_store().rosters
        self.loads = 0
        self.is_failing = False

    async def load(self, account: str) -> Roster:
        self.loads += 1
        await asyncio.sleep(0)
        if self.is_failing:
            raise OSError("no disk")
        return await self.store.load(account)

    async def put(self, account: str, item: RosterItem, version: int) -> None:
        await self.store.put(account, item, version)

    async def remove(self, account: str, contact: str, version: int) -> None:
        await self.store.remove(account, contact, version)

    async def changes(self, account: str, since: int, limit: int) -> Sequence[RosterChange] | None:
        return await self.store.changes(account, since, limit)


async def test_there_is_one_roster_of_an_account() -> None:
    store = CountingStore()
    rosters = Rosters(store)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(rosters.get(ANNA)) for _ in range(3)]
    assert len({id(task.result()) for task in tasks}) == 1
    assert store.loads == 1


async def test_a_roster_that_nobody_uses_is_let_go() -> None:
    store = CountingStore()
    rosters = Rosters(store)
    await rosters.get(ANNA)
    gc.collect()
    await rosters.get(ANNA)
    assert store.loads == 2


async def test_the_roster_of_an_account_stays_with_it() -> None:
    store = CountingStore()
    rosters, account = Rosters(store), LocalAccount(jid("anna"))
    await rosters.prepare(account)
    await rosters.prepare(account)
    assert await rosters.get(ANNA) is account.roster
    assert store.loads == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    store = CountingStore()
    rosters = Rosters(store)
    store.is_failing = True

    async def attempt() -> bool:
        with pytest.raises(OSError, match="no disk"):
            await rosters.get(ANNA)
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(attempt()) for _ in range(2)]
    assert all(task.result() for task in tasks)
    store.is_failing = False
    assert len(await rosters.get(ANNA)) == 0


async def test_changes_are_written_through() -> None:
    store = CountingStore()
    rosters = Rosters(store)
    roster = await rosters.get(ANNA)
    assert await rosters.put(roster, RosterItem("bruno@corp.example")) == 1
    assert await rosters.put(roster, RosterItem("chloe@corp.example")) == 2
    assert await rosters.remove(roster, "bruno@corp.example") == 3
    assert await rosters.put(roster, RosterItem("chloe@corp.example", in_roster=False)) == 4
    assert await store.load(ANNA) == Roster(4, ())
