"""A wire that can be cut: TCP from a port of its own to another."""

import asyncio
from contextlib import suppress

PIECE_BYTES = 65_536


class Proxy:
    """Passes bytes on in both directions, as long as it is whole.

    `cut`: connections are reset, and new ones at once.  `freeze`: connections stand, and nothing passes.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._open: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections = 0
        """How many there were."""

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection, and refuse further ones."""
        self._is_cut = True
        self._flowing.set()
        for writer in list(self._open):
            writer.transport.abort()

    def freeze(self) -> None:
        """Let nothing pass; nobody is told."""
        self._flowing.clear()

    def heal(self) -> None:
        """Let everything pass again; what was frozen comes first."""
        self._is_cut = False
        self._flowing.set()

    def close(self) -> None:
        """End."""
        self.cut()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        try:
            await self._flowing.wait()
            if self._is_cut:
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._open.add(far_writer)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pass(reader, far_writer))
                    tasks.create_task(self._pass(far_reader, writer))
            finally:
                self._open.discard(far_writer)
                far_writer.transport.abort()
        except OSError:
            pass  # the target is not there: neither are we
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction; its end is the end of both."""
        with suppress(ConnectionError):
            while data := await reader.read(PIECE_BYTES):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
