"""Restart in place: a process that has drained becomes the program that is installed now, with today's settings.

Its id stays, and so do its children.

Rule: nothing is given up before the installed program has said that it would start (`--check`).
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

import structlog

CHECK: Final = "--check"
"""Option of every command that can be restarted: see whether the program would start, and end."""

CHECK_SECONDS: Final = 30.0
"""For the program to say so."""

log = structlog.get_logger()


def own_command() -> list[str]:
    """The command line of this process, the interpreter included."""
    return [sys.executable, *sys.orig_argv[1:]]


@dataclass(frozen=True, slots=True)
class Restart:
    """How this process begins anew."""

    command: Sequence[str] = field(default_factory=own_command)

    async def is_possible(self) -> bool:
        """Ask the installed program whether it would start; if not, the log says why."""
        reason = await self._refusal()
        if reason:
            log.error("restart_refused", reason=reason)
        return not reason

    async def _refusal(self) -> str:
        nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command, CHECK, stdin=nothing, stdout=nothing, stderr=pipe
            )
        except OSError as error:
            return f"{self.command[0]}: {error.strerror}"
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                _, said = await process.communicate()
        except TimeoutError:
            return f"no answer in {CHECK_SECONDS:g} s"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == os.EX_OK:
            return ""
        return said.decode("utf-8", "replace").strip() or f"exit code {process.returncode}"

    def replace_process(self) -> NoReturn:
        """Become the installed program; a SIGHUP is ignored until it listens to it."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(self.command[0], [*self.command])  # noqa: S606 - our own command line
