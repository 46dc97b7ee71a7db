"""Listener processes are started when they are missing, and only then."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_node.listeners.process import EXIT_RUNS_ALREADY
from edge_node.listeners.settings import ListenerSettings
from edge_node.listeners.supervisor import ListenerSupervisor, listener_command


class Backplane:
    """Listeners that are connected."""

    def __init__(self, listeners: dict[int, int] | None = None) -> None:
        self.listeners = listeners or {}
        self.drains = 0
        self.drained: Callable[[], None] = lambda: None

    def drain(self) -> None:
        self.drains += 1
        self.listeners.clear()
        self.drained()


class Case:
    def __init__(
        self,
        backplane: Backplane,
        program: str,
        processes: int = 2,
        *,
        adoption_seconds: float = 0.01,
        restart_seconds_max: float = 0.02,
    ) -> None:
        settings = ListenerSettings(
            processes=processes,
            adoption_seconds=adoption_seconds,
            restart_seconds_min=0.01,
            restart_seconds_max=restart_seconds_max,
        )
        self.begun: Callable[[int], object] = lambda _: None
        self.survivors: set[int] = set()
        self.started: list[int] = []
        self.program = program
        self.enough = asyncio.Event()
        self.wanted = 0
        self.supervisor = ListenerSupervisor(settings, backplane, self.command, self.survivors.__contains__)

    def command(self, index: int) -> list[str]:
        self.started.append(index)
        self.begun(index)
        if len(self.started) >= self.wanted:
            self.enough.set()
        return [sys.executable, "-S", "-c", self.program]

    async def run_until_started(self, number: int) -> None:
        self.wanted = number
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.supervisor.run())
            await self.enough.wait()
            running.cancel()
        for child in self.supervisor.children.values():
            child.kill()
            child.wait()


async def test_what_ends_is_started_again() -> None:
    case = Case(Backplane(), "", processes=1)
    await case.run_until_started(3)
    assert case.started[:3] == [0, 0, 0]


async def test_one_that_has_served_is_started_again_as_soon_as_the_first_time() -> None:
    backplane = Backplane()
    case = Case(backplane, "", processes=1, restart_seconds_max=3600.0)
    loop = asyncio.get_running_loop()

    def serves(index: int) -> None:
        backplane.listeners[index] = 4711
        case.supervisor.changed()
        del backplane.listeners[index]
        case.supervisor.changed()

    case.begun = lambda index: loop.call_soon(serves, index)
    await case.run_until_started(13)  # without it the waits alone would be 41 seconds


async def test_survivors_are_left_alone_until_they_go() -> None:
    backplane = Backplane({0: 4711})
    case = Case(backplane, "import signal; signal.pause()")
    loop = asyncio.get_running_loop()

    def goes() -> None:
        del backplane.listeners[0]
        case.supervisor.changed()

    loop.call_later(0.1, goes)
    await case.run_until_started(2)
    assert case.started[0] == 1
    assert 0 in case.started


async def test_one_whose_lock_is_free_is_not_waited_for() -> None:
    case = Case(Backplane(), "import signal; signal.pause()", adoption_seconds=3600)
    case.survivors.add(1)
    await case.run_until_started(1)
    assert case.started == [0]


async def test_one_that_runs_without_calling_is_waited_for_within_a_bound() -> None:
    case = Case(Backplane(), "import signal; signal.pause()", processes=1)
    case.survivors.add(0)
    await case.run_until_started(1)
    assert case.started == [0]


def spawned() -> int:
    return os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", ""], os.environ)


def reap(child: int) -> None:
    os.waitpid(child, os.WNOHANG)


async def test_a_survivor_of_a_restart_in_place_leaves_no_zombie() -> None:
    child = spawned()
    backplane = Backplane({0: child})
    case = Case(backplane, "import signal; signal.pause()", processes=1, adoption_seconds=20)
    loop = asyncio.get_running_loop()

    def goes() -> None:
        del backplane.listeners[0]
        case.supervisor.changed()

    loop.call_later(0.1, goes)
    await case.run_until_started(1)
    with pytest.raises(ChildProcessError):
        reap(child)


async def test_one_that_runs_already_is_not_an_error() -> None:
    case = Case(Backplane(), f"raise SystemExit({EXIT_RUNS_ALREADY})", processes=1)
    await case.run_until_started(2)
    assert case.started[:2] == [0, 0]


async def test_the_drain_waits_for_all_and_starts_nothing_more() -> None:
    backplane = Backplane()
    case = Case(backplane, "import signal; signal.pause()", processes=1)
    case.wanted = 1
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(case.supervisor.run())
        await case.enough.wait()
        while not case.supervisor.children:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0)
        backplane.drained = case.supervisor.children[0].terminate
        await case.supervisor.drain()
        await running
    assert backplane.drains == 1
    assert case.started == [0]


def test_the_command_line_names_file_and_index() -> None:
    command = listener_command(Path("/etc/chappe/edge.toml"))(3)
    assert command[1:] == ["-m", "edge_node.listeners", "--config", "/etc/chappe/edge.toml", "--index", "3"]
