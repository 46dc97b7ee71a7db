"""Processes of the product as children of a test: their log as events, their ends by process id, and ports for them."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from aiohttp import ClientSession

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 20.0
"""For anything that has to happen; a test that waits longer has failed."""

Line = Mapping[str, Any]
"""One event of a log."""


class HeldPort:
    """A port of loopback chosen by the kernel, and kept for one process through its restarts.

    The socket is bound and never listens, so that a process may listen there (SO_REUSEADDR) while the kernel gives the
    port to nobody else.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Give it back."""
        self._socket.close()


class Process(asyncio.SubprocessProtocol):
    """One process and what it logs.  Its descendants that inherit its standard error are heard as well."""

    def __init__(self, name: str, *arguments: str) -> None:
        """Make it: `name` in the log, `arguments` of the Python interpreter."""
        self.name = name
        self._arguments = arguments
        self._transport: asyncio.SubprocessTransport | None = None
        self._waiting: list[tuple[Callable[[Line], bool], asyncio.Future[Line]]] = []
        self._rest = b""
        self._ended = asyncio.Event()
        self.lines: list[Line] = []
        """Events logged, in order; a line that is not JSON is the event `text`."""
        self.on_line: Callable[[Line], None] = lambda _line: None
        """Hears each line."""

    async def start(self) -> None:
        """Start it."""
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: self,
            sys.executable,
            *self._arguments,
            stdin=None,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=str(ROOT),
        )
        self._transport = transport

    @property
    def pid(self) -> int:
        assert self._transport is not None
        return self._transport.get_pid()

    @property
    def is_running(self) -> bool:
        return self._transport is not None and not self._ended.is_set()

    # --- called by the loop ---------------------------------------------------

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for raw in lines:
            self._hear(raw)

    def process_exited(self) -> None:
        self._ended.set()
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(AssertionError(f"{self.name} has ended: {self.texts()}"))

    def _hear(self, raw: bytes) -> None:
        try:
            line = cast("Line", json.loads(raw))
        except ValueError:
            line = {"event": "text", "text": raw.decode(errors="replace")}
        self.lines.append(line)
        for matches, future in self._waiting:
            if not future.done() and matches(line):
                future.set_result(line)
        self.on_line(line)

    # --- waits ----------------------------------------------------------------

    async def logged(self, event: str, *, after: int = 0, **circumstances: object) -> Line:
        """Wait for an event with these circumstances; `after`: how many lines not to look at (`len(lines)`)."""

        def matches(line: Line) -> bool:
            return line.get("event") == event and all(line.get(key) == value for key, value in circumstances.items())

        for line in self.lines[after:]:
            if matches(line):
                return line
        future: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        self._waiting.append((matches, future))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await future
        except TimeoutError:
            raise AssertionError(f"{self.name} has not logged {event} {circumstances}") from None
        finally:
            self._waiting.remove((matches, future))

    async def exit_code(self) -> int:
        """Wait for its end."""
        assert self._transport is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._ended.wait()
        code = self._transport.get_returncode()
        assert code is not None
        return code

    def texts(self) -> str:
        """What it wrote that is not an event of the log: messages for an operator, tracebacks."""
        return "\n".join(line["text"] for line in self.lines if line["event"] == "text")

    # --- ends -----------------------------------------------------------------

    def hang_up(self) -> None:
        """SIGHUP: begin anew in place."""
        os.kill(self.pid, signal.SIGHUP)

    async def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        if self.is_running:
            os.kill(self.pid, signal.SIGKILL)
            await self.exit_code()

    async def terminate(self) -> int:
        """SIGTERM: drain; gives the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return await self.exit_code()

    def pause(self) -> None:
        """SIGSTOP: as good as dead, but its connections stand."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    async def close(self) -> None:
        """Be sure that it is gone."""
        await self.kill()
        if self._transport is not None:
            self._transport.close()


async def figures(port: int) -> dict[str, float]:
    """The metrics at an operations port, by name and labels as Prometheus writes them."""
    text = await operations(port, "/metrics")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def operations(port: int, path: str) -> str:
    """What an operations port answers with status 200."""
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        assert answer.status == HTTPStatus.OK, await answer.text()
        return await answer.text()


class Descendant:
    """A process that a process of ours has started, held by a descriptor, so that its id can't become another's."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def close(self) -> None:
        """Be sure that it is gone."""
        self.kill()
        os.close(self._descriptor)
