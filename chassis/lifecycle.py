"""From start to exit: one coroutine under uvloop, a drain on SIGTERM, SIGINT or SIGHUP, and an end in bounded time.

Rule: once the loop has seen a signal, the process ends within `drain_seconds` and `ABORT_SECONDS`, whatever its code
and its threads do: the watchdog armed then is never disarmed.
"""

import asyncio
import faulthandler
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Final

import uvloop

from chassis.errors import OperatorError
from chassis.restart import Restart

ABORT_SECONDS: Final = 5.0
"""For a cancelled process to clean up, and for its threads to end; then the kernel does it."""

EXIT_DRAIN_TIMED_OUT: Final = 70
"""Exit code (EX_SOFTWARE of sysexits.h) of a process whose drain took too long."""


class Drain:
    """The wish to end: no new work, finish or keep what there is, leave."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self.reason = ""
        self.is_restart = False
        """Whether the process begins anew when it has drained: what outlives it is not to be ended."""

    @property
    def is_requested(self) -> bool:
        """Whether the process is to end.  A draining process is not ready."""
        return self._requested.is_set()

    def request(self, reason: str, *, is_restart: bool = False) -> None:
        """Ask for the end; the first reason stands."""
        if not self.is_requested:
            self.reason = reason
            self.is_restart = is_restart
            self._requested.set()

    async def wait(self) -> None:
        """Return when the end is asked for."""
        await self._requested.wait()


Main = Callable[[Drain], Coroutine[None, None, None]]
"""What a process does: it serves until the drain is requested, drains, and returns."""


def run(main: Main, drain_seconds: float, restart: Restart | None = None) -> int:
    """Run a process to its end; gives the exit code.

    SIGTERM and SIGINT request the drain; after `drain_seconds`, or at a second signal, `main` is cancelled.
    SIGHUP requests it as well if `restart` says that the program would start again; what has drained then does.
    Without `restart` it is like SIGTERM, unless the process was made to ignore it.
    An `OperatorError` is printed without traceback (`os.EX_CONFIG`); any other exception passes.
    """
    drain = Drain()
    try:
        code = uvloop.run(_Supervision(drain, drain_seconds, restart).run(main))
    except OperatorError as error:
        problems: list[Exception] = [error]
    except BaseExceptionGroup as group:
        problems = _operator_errors(group)
        if not problems:
            raise
    else:
        if code == os.EX_OK and drain.is_restart and restart is not None:
            restart.replace_process()
        return code
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return os.EX_CONFIG


def _operator_errors(group: BaseExceptionGroup[BaseException]) -> list[Exception]:
    """The members, if an operator can put all of them right."""
    matching, rest = group.split(OperatorError)
    if matching is None or rest is not None:
        return []
    members: list[Exception] = []
    for member in matching.exceptions:
        members += _operator_errors(member) if isinstance(member, BaseExceptionGroup) else [member]
    return members


class _Supervision:
    """What signals do while `main` runs."""

    def __init__(self, drain: Drain, drain_seconds: float, restart: Restart | None) -> None:
        self._drain = drain
        self._drain_seconds = drain_seconds
        self._restart = restart
        self._main: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._is_aborted = False

    async def run(self, main: Main) -> int:
        """Run it to its end; gives the exit code."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            self._main = tasks.create_task(main(self._drain))
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._end, number)
            if self._restart is not None:
                loop.add_signal_handler(signal.SIGHUP, self._begin_anew, self._restart, tasks)
            elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                loop.add_signal_handler(signal.SIGHUP, self._end, signal.SIGHUP)
            await asyncio.wait([self._main])
            if self._checking is not None:
                self._checking.cancel()
        return EXIT_DRAIN_TIMED_OUT if self._is_aborted else os.EX_OK

    def _end(self, number: signal.Signals) -> None:
        if self._drain.is_requested:
            self._abort()
        else:
            self._request(number, is_restart=False)

    def _request(self, number: signal.Signals, *, is_restart: bool) -> None:
        self._drain.request(number.name, is_restart=is_restart)
        asyncio.get_running_loop().call_later(self._drain_seconds, self._abort)
        faulthandler.dump_traceback_later(self._drain_seconds + ABORT_SECONDS, exit=True)

    def _abort(self) -> None:
        self._is_aborted = True
        if self._main is not None:
            self._main.cancel()

    def _begin_anew(self, restart: Restart, tasks: asyncio.TaskGroup) -> None:
        if not self._drain.is_requested and (self._checking is None or self._checking.done()):
            self._checking = tasks.create_task(self._check(restart))

    async def _check(self, restart: Restart) -> None:
        if await restart.is_possible() and not self._drain.is_requested:
            self._request(signal.SIGHUP, is_restart=True)
