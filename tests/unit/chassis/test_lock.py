"""One process per folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.errors import OperatorError
from chassis.lock import LockHeld, ProcessLock, is_held

HOLDER = """
import sys
from pathlib import Path
from chassis.lock import ProcessLock
with ProcessLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with ProcessLock(path), pytest.raises(LockHeld) as caught, ProcessLock(path):
        pass
    assert str(caught.value) == f"{path}: process {os.getpid()} is running on this folder; end it first"


def test_holder_that_has_not_written_its_id_yet(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with ProcessLock(path):
        path.write_text("", encoding="ascii")
        with pytest.raises(LockHeld, match="another process"), ProcessLock(path):
            pass


def test_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with ProcessLock(path):
        assert path.read_text(encoding="ascii") == f"{os.getpid()}\n"
    assert path.read_text(encoding="ascii") == ""
    with ProcessLock(path):
        pass


def test_whether_it_is_held_can_be_asked_without_taking_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists()
    with ProcessLock(path):
        assert is_held(path)
    assert not is_held(path)


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockHeld, match=f"process {holder.pid} "), ProcessLock(path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
    with ProcessLock(path):
        assert path.read_text(encoding="ascii") == f"{os.getpid()}\n"


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path / "absent" / "lock")
    with pytest.raises(OperatorError, match="cannot be opened: No such file or directory"), lock:
        pass
