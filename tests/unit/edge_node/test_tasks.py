import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge_node.tasks import BoundedTasks, together


async def test_runs_what_it_is_given_soon_and_not_at_once() -> None:
    ran = asyncio.Event()

    async def work() -> None:
        ran.set()

    async with asyncio.TaskGroup() as group:
        tasks = BoundedTasks(group, 1)
        assert tasks.spawn(work())
        assert (ran.is_set(), tasks.running) == (False, 1)
        await ran.wait()
    assert tasks.running == 0


async def test_what_is_too_much_is_closed_unstarted_and_room_comes_back() -> None:
    gate = asyncio.Event()

    async def refused() -> None:
        raise AssertionError("it must not start")

    async with asyncio.TaskGroup() as group:
        tasks = BoundedTasks(group, 2)
        assert tasks.spawn(waits(gate))
        assert tasks.spawn(waits(gate))
        work = refused()
        assert not tasks.spawn(work)
        assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED  # nobody complains that it was never awaited
        gate.set()
    async with asyncio.TaskGroup() as group:
        tasks._group = group  # noqa: SLF001  a group that has ended takes no more
        assert tasks.spawn(waits(gate))


def waits(gate: asyncio.Event) -> Coroutine[Any, Any, None]:
    async def wait() -> None:
        await gate.wait()

    return wait()


async def test_one_that_fails_is_logged_and_takes_nobody_down() -> None:
    gate = asyncio.Event()

    async def fails() -> None:
        raise RuntimeError("a bug")

    with capture_logs() as logs:
        async with asyncio.TaskGroup() as group:
            tasks = BoundedTasks(group, 5)
            tasks.spawn(waits(gate))
            tasks.spawn(fails())
            gate.set()
    assert [(entry["event"], entry["error"]) for entry in logs] == [("task_failed", "RuntimeError")]
    assert tasks.running == 0


async def test_the_end_of_the_group_cancels_and_counts() -> None:
    ran: list[BoundedTasks] = []

    async def life() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = BoundedTasks(group, 5)
            tasks.spawn(waits(asyncio.Event()))
            ran.append(tasks)
            await asyncio.sleep(0)
            raise RuntimeError("the end")

    with pytest.raises(ExceptionGroup):
        await life()
    assert [tasks.running for tasks in ran] == [0]


async def test_together_waits_for_all() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        await asyncio.sleep(0)
        done.append(name)

    async with together() as tasks:
        tasks.create_task(work("one"))
        tasks.create_task(work("other"))
        assert done == []
    assert done == ["one", "other"]


async def test_together_raises_the_first_failure_as_it_is_once_all_have_ended() -> None:
    done: list[str] = []

    async def fails(name: str) -> None:
        raise KeyError(name)

    async def works() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        done.append("the other")

    async def both() -> None:
        async with together() as tasks:
            tasks.create_task(fails("one"))
            tasks.create_task(fails("two"))
            tasks.create_task(works())

    with pytest.raises(KeyError, match="one"):
        await both()
    assert done == ["the other"]
