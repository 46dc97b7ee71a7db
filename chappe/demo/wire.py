"""The wire between a site and the hub: a relay on loopback that can be cut, as a WAN can.

Cut means that both ends see their connection break, and that nobody gets through until it is healed.
"""

import asyncio

from chappe.demo.layout import HOST

CHUNK_SIZE_BYTES = 65_536


class Wire:
    """Passes connections to `port` (0: the kernel chooses) on to `target`."""

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.is_cut = False

    async def open(self) -> int:
        """Listen; gives the port.  Raises OSError if it is taken."""
        self._server = await asyncio.start_server(self._take, HOST, self._port)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self.is_cut = True
        for writer in list(self._open):
            writer.transport.abort()

    def heal(self) -> None:
        """Let connections through again."""
        self.is_cut = False

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await self._server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            there, onward = await asyncio.open_connection(HOST, self._target)
        except OSError:  # the hub is away
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(onward)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass(reader, onward))
                tasks.create_task(_pass(there, writer))
        finally:
            self._open -= {writer, onward}


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry bytes until either side ends; then the other side is ended as well."""
    try:
        while data := await source.read(CHUNK_SIZE_BYTES):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.transport.abort()
