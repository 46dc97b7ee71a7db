"""Restart in place: a process that has drained becomes the program that is installed now, with today's settings.

Its id stays, and so do its children.

Rule: nothing is given up before the installed program has said that it would start (`--check`).
"""

import asyncio
import os
import signal
import subprocess
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


def restart_of_a_service() -> "Restart | None":
    """How this process begins anew at SIGHUP; not at all on a terminal, which says by it that it is gone."""
    return None if os.isatty(sys.stderr.fileno()) else Restart()


@dataclass(frozen=True, slots=True)
class Restart:
    """How this process begins anew."""

    command: Sequence[str] = field(default_factory=own_command)

    async def is_possible(self) -> bool:
        """Ask the installed program whether it would start; if not, the log says why."""
        reason = await asyncio.to_thread(self._refusal)
        if reason:
            log.error("restart_refused", reason=reason)
        return not reason

    def _refusal(self) -> str:
        try:
            # Not asyncio's: gRPC has something to say whenever a process is forked that uses it; this one is not.
            done = subprocess.run(  # noqa: S603 - our own command line
                [*self.command, CHECK],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=CHECK_SECONDS,
                check=False,
            )
        except OSError as error:
            return f"{self.command[0]}: {error.strerror}"
        except subprocess.TimeoutExpired:
            return f"no answer in {CHECK_SECONDS:g} s"
        if done.returncode == os.EX_OK:
            return ""
        return done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"

    def replace_process(self) -> NoReturn:
        """Become the installed program; a SIGHUP is ignored until it listens to it."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(self.command[0], [*self.command])  # noqa: S606 - our own command line
