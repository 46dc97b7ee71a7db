"""A service of the demo as a real process: started, watched until it is ready, started again when it dies, ended."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import aiohttp

from chappe.demo.layout import HOST
from chassis.errors import OperatorError

READY_SECONDS: Final = 30.0
PROBE_SECONDS: Final = 0.05
RESTART_SECONDS: Final = 1.0
LINE_SIZE_BYTES_MAX: Final = 65_536
LAST_WORDS_MAX: Final = 5
PR_SET_PDEATHSIG: Final = 1

Told = Callable[[str, str], None]
"""Is told each line of a process's log: (name, line)."""


class Service:
    """One process.

    Args:
        name: of the process, as in its settings file.
        module: what Python runs.
        config: its settings.
        operations: its port for probes.
        serving: the port that its users connect to; listener processes open it after their core is ready.
        log: where its log is kept.
        told: is told each line of it.
    """

    def __init__(
        self, name: str, module: str, config: Path, *, operations: int, serving: int, log: Path, told: Told
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = (sys.executable, "-m", module, "--config", str(config.absolute()))
        self._operations = operations
        self._serving = serving
        self._log = log
        self._told = told
        self._process: asyncio.subprocess.Process | None = None
        self._last_words: list[str] = []
        self._ending = asyncio.Event()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        return 0 if self._process is None else self._process.pid

    async def run(self, ended: Callable[[str, int], None]) -> None:
        """Keep it running until `end`; `ended` hears of each time that it ended by itself."""
        with self._log.open("wb") as log:
            while not self._ending.is_set():
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    limit=LINE_SIZE_BYTES_MAX,
                    # Ctrl-C on the terminal is for the demo, which drains its services in its own order.
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                )
                if self._ending.is_set():  # it was asked to while it was being made
                    self._signal(signal.SIGTERM)
                code = await self._watch(self._process, log)
                if not self._ending.is_set():
                    ended(self.name, code)
                    self.restarts += 1
                    await asyncio.sleep(RESTART_SECONDS)

    async def ready(self) -> None:
        """Wait until it serves.

        Raises:
            OperatorError: it ended instead, or takes too long; with its last words.
        """
        url = f"http://{HOST}:{self._operations}/readyz"
        try:
            async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
                while not (await _is_ready(session, url) and await _listens(self._serving)):
                    if self.restarts:
                        raise OperatorError(f"{self.name} does not start:\n  " + "\n  ".join(self._last_words))
                    await asyncio.sleep(PROBE_SECONDS)
        except TimeoutError:
            raise OperatorError(f"{self.name} is not ready after {READY_SECONDS:g} s; see {self._log}") from None

    def end(self) -> None:
        """Ask it to drain."""
        self._ending.set()
        self._signal(signal.SIGTERM)

    async def ended(self, seconds: float) -> None:
        """Wait for the end; after `seconds` it is killed."""
        if self._process is not None:
            try:
                async with asyncio.timeout(seconds):
                    await self._process.wait()
            except TimeoutError:
                self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _watch(self, process: asyncio.subprocess.Process, log: BinaryIO) -> int:
        """Take its log until it ends.  Its listener processes may hold the log open and go on."""
        assert process.stderr is not None, "it is a pipe"  # noqa: S101 - narrows the type
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(process.stderr, log))
            code = await process.wait()
            await asyncio.wait([reading], timeout=0.2)
            reading.cancel()
        return code

    async def _read(self, source: asyncio.StreamReader, log: BinaryIO) -> None:
        while line := await _line(source):
            log.write(line)
            log.flush()
            text = line.decode("utf-8", "replace").rstrip("\n")
            self._last_words = [*self._last_words, text][-LAST_WORDS_MAX:]
            self._told(self.name, text)


async def _line(source: asyncio.StreamReader) -> bytes:
    try:
        return await source.readline()
    except ValueError:
        return b"(a line too long)\n"  # the reader has dropped it


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


def _die_with_parent() -> None:
    """Runs in the new process: it must not outlive a demo that was killed, and hold its ports."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def leftovers(folder: Path) -> list[int]:
    """Processes of an earlier demo in this folder, such as listeners that outlived a core which was killed."""
    marks = [f"--config\0{folder.absolute()}/".encode(), os.fsencode(sys.executable)]
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = place.read_bytes()
        except OSError:
            continue  # it has ended
        if all(mark in command for mark in marks) and int(place.parent.name) != os.getpid():
            found.append(int(place.parent.name))
    return found
