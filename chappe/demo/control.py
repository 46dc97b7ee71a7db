"""Orders to a running demo, over a socket in its folder: one line there, one line back."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

from chassis.errors import OperatorError

ORDER_SIZE_BYTES_MAX = 100
ANSWER_SECONDS = 5.0

Obey = Callable[[str, str], str]
"""Carries out an order (verb, site); returns the answer, or raises OperatorError."""


async def serve(path: Path, obey: Obey) -> asyncio.Server:
    """Take orders.  A socket file that a killed demo left is replaced."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                verb, _, site = (await reader.readline()).decode("utf-8", "replace").strip().partition(" ")
            answer = f"done {obey(verb, site)}"
        except (OperatorError, TimeoutError, ValueError) as error:
            answer = f"refused {error}"
        writer.write(f"{answer}\n".encode())
        writer.close()

    return await asyncio.start_unix_server(take, sock=_listening(path), limit=ORDER_SIZE_BYTES_MAX)


def _listening(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    _at(path, listening.bind)
    return listening


def order(path: Path, verb: str, site: str) -> str:
    """Give an order and return the answer.

    Raises:
        OperatorError: no demo runs in that folder, or it refuses.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            _at(path, connection.connect)
            connection.sendall(f"{verb} {site}\n".encode())
            answer = connection.makefile(encoding="utf-8").readline().strip()
        except OSError:
            raise OperatorError(f"no demo runs in {path.parent}: start one with `chappe demo`") from None
    outcome, _, text = answer.partition(" ")
    if outcome != "done":
        raise OperatorError(text or "the demo ended")
    return text


def _at(path: Path, use: Callable[[str], object]) -> None:
    """Use a socket's address by a short name: the kernel takes 107 bytes, and folders may be deep."""
    folder = os.open(path.parent, os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        use(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
