"""Keeps an edge's listener processes running, from inside the core.

Rule: listener processes outlive the core.  They are in sessions of their own, and one that a former core started is
taken over: it calls the new core by itself (its hello), and its lock file makes a second one of its index end at once.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import structlog

from edge_node.listeners.process import EXIT_RUNS_ALREADY
from edge_node.listeners.settings import ListenerSettings

log = structlog.get_logger()


class Connected(Protocol):
    """The backplane, as the supervisor needs it."""

    @property
    def listeners(self) -> Mapping[int, int]:
        """Index -> process id of the listeners that are connected."""

    def drain(self) -> None:
        """Tell every listener process to end its streams and itself."""


class ListenerSupervisor:
    """Starts what is missing, again and again.

    Arguments: `command` makes the command line of a listener process of an index.
    """

    def __init__(self, settings: ListenerSettings, backplane: Connected, command: Callable[[int], list[str]]) -> None:
        self._settings = settings
        self._backplane = backplane
        self._command = command
        self._changed = asyncio.Event()
        self.children: dict[int, subprocess.Popen[bytes]] = {}
        """Those that this core has started, by index; the others are survivors."""
        self._is_draining = False
        self._served: set[int] = set()  # indexes that were connected since their last start

    def changed(self) -> None:
        """A listener has come or gone (to be called by the backplane)."""
        self._served.update(self._backplane.listeners)
        self._changed.set()

    async def run(self) -> None:
        """Keep all of them running, for ever."""
        await self._await_survivors()
        async with asyncio.TaskGroup() as tasks:
            for index in range(self._settings.processes):
                tasks.create_task(self._keep(index))

    async def drain(self) -> None:
        """End all of them within `drain_seconds`."""
        self._is_draining = True
        self._backplane.drain()
        try:
            async with asyncio.timeout(self._settings.drain_seconds + 2.0):
                for child in self.children.values():
                    await _ended(child)
                await self._until(lambda: not self._backplane.listeners)
        except TimeoutError:
            log.error("listeners_not_drained", listeners=dict(self._backplane.listeners))
            for child in self.children.values():
                child.kill()

    async def _await_survivors(self) -> None:
        try:
            async with asyncio.timeout(self._settings.adoption_seconds):
                await self._until(lambda: len(self._backplane.listeners) >= self._settings.processes)
        except TimeoutError:
            pass  # the missing ones are started

    async def _keep(self, index: int) -> None:
        wait = self._settings.restart_seconds_min
        while not self._is_draining:
            if index in self._backplane.listeners:
                wait = self._settings.restart_seconds_min
                await self._until(lambda: index not in self._backplane.listeners)
                continue
            self._served.discard(index)
            child = self.children[index] = _start(self._command(index))
            log.info("listener_started", listener=index, process=child.pid)
            code = await _ended(child)
            if index in self._served:
                wait = self._settings.restart_seconds_min
            if code == EXIT_RUNS_ALREADY:
                log.info("listener_survives", listener=index)
            elif not self._is_draining:
                log.error("listener_ended", listener=index, process=child.pid, code=code)
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._settings.restart_seconds_max)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()


def listener_command(config: Path) -> Callable[[int], list[str]]:
    """Return what starts a listener process with that settings file."""

    def command(index: int) -> list[str]:
        return [sys.executable, "-m", "edge_node.listeners", "--config", str(config), "--index", str(index)]

    return command


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    # Not asyncio's: its transports kill what they started when the loop is closed.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own


async def _ended(child: "subprocess.Popen[bytes]") -> int:
    """Wait for the end of a process without a thread; gives its exit code."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(child.pid)
    try:
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return child.wait()
