"""Keeps an edge's listener processes running, from inside the core.

Rule: listener processes outlive the core.  They are in sessions of their own, and one that a former core started is
taken over: it calls the new core by itself (its hello), and its lock file makes a second one of its index end at once.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
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

    Arguments: `command` makes the command line of a listener process of an index; `survives` says whether one of that
    index runs.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        backplane: Connected,
        command: Callable[[int], list[str]],
        survives: Callable[[int], bool],
    ) -> None:
        self._settings = settings
        self._backplane = backplane
        self._command = command
        self._survives = survives
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

    async def _keep(self, index: int) -> None:
        if self._survives(index):
            with suppress(TimeoutError):  # one that does not call is replaced, or ends the one started in its place
                async with asyncio.timeout(self._settings.adoption_seconds):
                    await self._until(lambda: index in self._backplane.listeners)
        wait = self._settings.restart_seconds_min
        while not self._is_draining:
            if index in self._backplane.listeners:
                wait = self._settings.restart_seconds_min
                await self._outlived(index, self._backplane.listeners[index])
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
                report = log.error if code else log.info
                report("listener_ended", listener=index, process=child.pid, code=code)
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._settings.restart_seconds_max)

    async def _outlived(self, index: int, process: int) -> None:
        """Return when a survivor has gone, or has been away for too long."""
        await self._until(lambda: index not in self._backplane.listeners)
        with suppress(TimeoutError, ProcessLookupError):
            async with asyncio.timeout(self._settings.adoption_seconds):
                await _exit_of(process)
        _reap(process)

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


def _reap(process: int) -> None:
    """Take note of an end: after a restart in place, processes that this one has not started are its children."""
    with suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)


async def _ended(child: "subprocess.Popen[bytes]") -> int:
    """Wait for the end of a child; gives its exit code."""
    await _exit_of(child.pid)
    return child.wait()


async def _exit_of(process: int) -> None:
    """Wait for the end of a process without a thread.  Raises ProcessLookupError."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(process)
    try:
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
