"""From start to exit: one coroutine under uvloop, a drain on SIGTERM or SIGINT, and an end in bounded time.

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

ABORT_SECONDS: Final = 5.0
"""For a cancelled process to clean up, and for its threads to end; then the kernel does it."""

EXIT_DRAIN_TIMED_OUT: Final = 70
"""Exit code (EX_SOFTWARE of sysexits.h) of a process whose drain took too long."""


class Drain:
    """The wish to end: no new work, finish or keep what there is, leave."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self.reason = ""

    @property
    def is_requested(self) -> bool:
        """Whether the process is to end.  A draining process is not ready."""
        return self._requested.is_set()

    def request(self, reason: str) -> None:
        """Ask for the end; the first reason stands."""
        if not self.is_requested:
            self.reason = reason
            self._requested.set()

    async def wait(self) -> None:
        """Return when the end is asked for."""
        await self._requested.wait()


Main = Callable[[Drain], Coroutine[None, None, None]]
"""What a process does: it serves until the drain is requested, drains, and returns."""


def run(main: Main, drain_seconds: float) -> int:
    """Run a process to its end; gives the exit code.

    SIGTERM and SIGINT request the drain; after `drain_seconds`, or at a second signal, `main` is cancelled.
    An `OperatorError` is printed without traceback (`os.EX_CONFIG`); any other exception passes.
    """
    try:
        return uvloop.run(_supervise(main, drain_seconds))
    except OperatorError as error:
        problems: list[Exception] = [error]
    except BaseExceptionGroup as group:
        problems = _operator_errors(group)
        if not problems:
            raise
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


async def _supervise(main: Main, drain_seconds: float) -> int:
    drain = Drain()
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(main(drain))
        timed_out = False

        def abort() -> None:
            nonlocal timed_out
            timed_out = True
            task.cancel()

        def end(number: signal.Signals) -> None:
            if drain.is_requested:
                abort()
                return
            drain.request(number.name)
            loop.call_later(drain_seconds, abort)
            faulthandler.dump_traceback_later(drain_seconds + ABORT_SECONDS, exit=True)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end, number)
    return EXIT_DRAIN_TIMED_OUT if timed_out else os.EX_OK
