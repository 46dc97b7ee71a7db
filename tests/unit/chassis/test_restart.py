"""Whether the installed program would start; that it then does is seen in `test_lifecycle`."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chassis import restart
from chassis.restart import Restart, own_command, restart_of_a_service

PROGRAM = "import sys; assert sys.argv[1:] == ['--check']; "


def program(code: str) -> Restart:
    return Restart([sys.executable, "-S", "-c", PROGRAM + code])


async def reason(attempt: Restart) -> str:
    with capture_logs() as logs:
        assert not await attempt.is_possible()
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("restart_refused", "error")
    return str(line["reason"])


async def test_one_that_would_start() -> None:
    with capture_logs() as logs:
        assert await program("sys.stderr.write('a warning')").is_possible()
    assert logs == []


async def test_one_that_says_why_not() -> None:
    assert await reason(program("sys.exit('listeners.tsl: unknown')")) == "listeners.tsl: unknown"


async def test_one_that_does_not_say_why() -> None:
    assert await reason(program("sys.exit(3)")) == "exit code 3"


async def test_one_that_is_not_installed_any_more() -> None:
    assert await reason(Restart(["/nowhere/python"])) == "/nowhere/python: No such file or directory"


async def test_one_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "CHECK_SECONDS", 0.1)
    async with asyncio.timeout(20):
        assert await reason(program("import signal; signal.pause()")) == "no answer in 0.1 s"


def test_on_a_terminal_a_hang_up_is_no_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, side = os.openpty()
    with os.fdopen(terminal), os.fdopen(side, "w") as screen, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", screen)
        assert restart_of_a_service() is None
    with Path(os.devnull).open("w", encoding="ascii") as log, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", log)
        assert restart_of_a_service() == Restart()


def test_the_own_command_names_the_interpreter_and_its_arguments() -> None:
    command = own_command()
    assert command[0] == sys.executable
    assert command[1:] == sys.orig_argv[1:]
