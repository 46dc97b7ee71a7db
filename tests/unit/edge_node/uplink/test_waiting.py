import asyncio

from edge_node.custody import StoreUnavailable
from edge_node.uplink.waiting import Commit


async def test_is_settled_before_or_after_somebody_waits() -> None:
    early, late = Commit(), Commit()
    early.settle(None)
    assert await early.wait() is None
    error = StoreUnavailable("full")
    asyncio.get_running_loop().call_soon(late.settle, error)
    assert await late.wait() is error


async def test_the_first_outcome_stands() -> None:
    commit = Commit()
    commit.settle(None)
    commit.settle(StoreUnavailable("too late"))
    assert await commit.wait() is None


async def test_nobody_may_be_waiting_any_more() -> None:
    commit = Commit()
    async with asyncio.TaskGroup() as tasks:
        waiter = tasks.create_task(commit.wait())
        await asyncio.sleep(0)
        waiter.cancel()
    commit.settle(None)
