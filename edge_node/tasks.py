"""What waits for the store runs as a task; there is one bound for all of them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

_log = structlog.get_logger()


class BoundedTasks:
    """Spawns into one task group; a task that raises is logged and does not take the others down."""

    def __init__(self, group: asyncio.TaskGroup, tasks_max: int) -> None:
        """Run at most `tasks_max` at once in `group`."""
        self._group = group
        self._tasks_max = tasks_max
        self.running = 0

    def spawn(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run it soon; False (and it is closed) when too much is under way."""
        if self.running >= self._tasks_max:
            work.close()
            return False
        self.running += 1
        self._group.create_task(self._run(work))
        return True

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the last resort: what should have been handled where it happened
            _log.exception("task_failed", error=type(error).__name__)
        finally:
            self.running -= 1


class Together:
    """A few tasks that are waited for at the same time; made by `together`."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        """Run them in `group`."""
        self._group = group
        self.failure: Exception | None = None
        """Of the first that failed."""

    def create_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it soon."""
        self._group.create_task(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - it is raised once all have ended
            self.failure = self.failure or error


@asynccontextmanager
async def together() -> AsyncIterator[Together]:
    """Wait for a few tasks at the same time: what they ask of the store goes into one commit.

    One that fails does not stop the others: what they have asked for may be in the store already.

    Raises:
        Exception: the first failure of a task, as it is, once all have ended.
    """
    async with asyncio.TaskGroup() as group:
        tasks = Together(group)
        yield tasks
    if tasks.failure is not None:
        raise tasks.failure
