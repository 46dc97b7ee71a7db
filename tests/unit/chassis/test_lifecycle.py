"""From start to exit, in real processes: signals and exit codes are the process's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chassis.lifecycle import EXIT_DRAIN_TIMED_OUT

PROGRAM = """
import asyncio, signal, sys, threading
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever the tests were started with
from chassis import lifecycle
from chassis.errors import OperatorError
lifecycle.ABORT_SECONDS = 0.5
{main}
sys.exit(lifecycle.run(main, drain_seconds={drain_seconds}{restart}))
"""

SERVES = """
async def main(drain):
    print("ready", type(asyncio.get_running_loop()).__module__, flush=True)
    await drain.wait()
    drain.request("later")
    print(drain.reason, drain.is_requested, flush=True)
"""

NEVER_DRAINS = """
async def main(drain):
    print("ready", flush=True)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        print("cleaned up", flush=True)
"""

BLOCKS_FOR_EVER = """
async def main(drain):
    print("ready", flush=True)
    await drain.wait()
    threading.Event().wait()
"""

LEAVES_A_THREAD = """
async def main(drain):
    threading.Thread(target=threading.Event().wait).start()
    print("ready", flush=True)
    await drain.wait()
"""


BEGINS_ANEW = """
async def main(drain):
    print("ready", flush=True)
    await drain.wait()
    print(drain.reason, drain.is_restart, flush=True)
from chassis.restart import Restart
answer = {answer}
if "--check" in sys.argv:
    sys.exit(answer)
"""


@contextmanager
def started(main: str, drain_seconds: float = 30.0, restart: str = "") -> Iterator[subprocess.Popen[str]]:
    program = PROGRAM.format(main=main, drain_seconds=drain_seconds, restart=restart)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            yield process
        finally:
            process.kill()


def finished(main: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(main=main, drain_seconds=1, restart="")
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_drains(number: signal.Signals) -> None:
    with started(SERVES) as process:
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (output, errors) == (f"{number.name} True\n", "")
    assert process.returncode == os.EX_OK


def test_loop_is_uvloop() -> None:
    done = finished("async def main(drain):\n    print(type(asyncio.get_running_loop()).__module__)\n")
    assert (done.stdout, done.returncode) == ("uvloop\n", os.EX_OK)


def test_drain_that_takes_too_long_is_cancelled() -> None:
    with started(NEVER_DRAINS, drain_seconds=0.05) as process:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert output == "cleaned up\n"
    assert process.returncode == EXIT_DRAIN_TIMED_OUT


def test_second_signal_does_not_wait_for_the_drain() -> None:
    with started(NEVER_DRAINS) as process:
        process.terminate()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == EXIT_DRAIN_TIMED_OUT


@pytest.mark.parametrize("main", [BLOCKS_FOR_EVER, LEAVES_A_THREAD])
def test_process_that_hangs_is_ended_and_says_where(main: str) -> None:
    with started(main, drain_seconds=0.05) as process:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "in wait" in errors


def test_hang_up_begins_anew_in_the_same_process() -> None:
    with started(BEGINS_ANEW.format(answer=0), restart=", restart=Restart()") as process:
        assert process.stdout is not None
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            assert process.stdout.readline() == "SIGHUP True\n"
            assert process.stdout.readline() == "ready\n"
        process.terminate()
        output, errors = process.communicate(timeout=30)
    assert (output, errors) == ("SIGTERM False\n", "")
    assert process.returncode == os.EX_OK


def test_hang_up_is_ignored_by_who_was_made_to() -> None:
    with started("import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + SERVES) as process:
        process.send_signal(signal.SIGHUP)
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert output == "SIGTERM True\n"


def test_hang_up_changes_nothing_if_the_program_would_not_start() -> None:
    with started(BEGINS_ANEW.format(answer="'port: taken'"), restart=", restart=Restart()") as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGHUP)
        assert "restart_refused" in (said := process.stdout.readline())
        assert "port: taken" in said
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert output == "SIGTERM False\n"


def test_operators_errors_are_lines_not_tracebacks() -> None:
    done = finished("async def main(drain):\n    raise OperatorError('port: taken')\n")
    assert (done.returncode, done.stderr) == (os.EX_CONFIG, "port: taken\n")


def test_operators_errors_of_several_tasks() -> None:
    done = finished(
        "async def fail(text):\n"
        "    raise OperatorError(text)\n"
        "async def main(drain):\n"
        "    async with asyncio.TaskGroup() as tasks:\n"
        "        tasks.create_task(fail('port: taken'))\n"
        "        tasks.create_task(fail('disk: full'))\n"
    )
    assert (done.returncode, done.stderr) == (os.EX_CONFIG, "port: taken\ndisk: full\n")


def test_faults_of_ours_keep_their_traceback() -> None:
    done = finished(
        "async def main(drain):\n    raise ExceptionGroup('both', [OperatorError('port: taken'), KeyError('x')])\n"
    )
    assert done.returncode == 1
    assert "KeyError: 'x'" in done.stderr
