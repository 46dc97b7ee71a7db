"""The demo as a newcomer starts it: one command, real processes."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Self

import pytest

from chappe.demo.layout import Layout
from chappe.demo.process import leftovers
from tests.unit.chappe.demo.conftest import layout

__all__ = ["layout"]

PATIENCE_SECONDS = 60.0
CHAPPE = [sys.executable, "-m", "chappe"]


class Spoken:
    """A process whose lines are read as they come."""

    def __init__(self, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*CHAPPE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.seen: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert self.process.stdout is not None
        self._reading = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reading.start()

    def _read(self, source: IO[str]) -> None:
        with source:
            for line in source:
                self._lines.put(line.rstrip("\n"))
        self._lines.put("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        assert self.process.stdin is not None
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self._reading.join(PATIENCE_SECONDS)

    def until(self, words: str) -> str:
        """Return the next line with these words in it."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_SECONDS)
            except queue.Empty:
                raise AssertionError(f"{words!r} did not come; what came: {self.seen}") from None
            self.seen.append(line)
            if words in line:
                return line
            assert line or self.process.poll() is None, f"it has ended: {self.seen}"

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


class Demo:
    """One folder's demo, started as often as one likes."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def start(self, *options: str) -> Spoken:
        place = ["--folder", str(self.layout.folder), "--offset", str(self.layout.offset)]
        demo = Spoken(["demo", *place, *options])
        try:
            demo.until("Ready.")
            demo.until("Ctrl-C")
        except AssertionError:
            demo.__exit__()
            raise
        return demo

    def chat(self, name: str, *options: str) -> Spoken:
        profile = {"CHAPPE_PROFILE": str(self.layout.config("profile"))}
        return Spoken(["chat", f"{name}@corp.example", *options], profile)

    def order(self, *options: str) -> str:
        command = [*CHAPPE, "demo", "--folder", str(self.layout.folder), *options]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def demo(layout: Layout) -> Iterator[Demo]:
    yield Demo(layout)
    for pid in leftovers(layout.folder):
        os.kill(pid, signal.SIGKILL)
