import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chappe.demo.wire import Wire

PATIENCE_SECONDS = 5.0


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[tuple[Wire, int]]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = Wire(0, server.sockets[0].getsockname()[1])
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield made, await made.open()
        await made.close()
        server.close()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.transport.abort()


async def said(reader: asyncio.StreamReader) -> bytes:
    """What comes; nothing if the connection ends, in whichever way."""
    try:
        return await reader.read(100)
    except ConnectionError:
        return b""


async def test_it_passes_on(wire: tuple[Wire, int]) -> None:
    async with connected(wire[1]) as (reader, writer):
        writer.write(b"hello")
        assert await said(reader) == b"hello"


async def test_cut_breaks_what_stands_and_refuses_what_comes(wire: tuple[Wire, int]) -> None:
    cable, port = wire
    async with connected(port) as (standing, writer):
        writer.write(b"hello")
        assert await said(standing) == b"hello"
        cable.cut()
        assert await said(standing) == b""
    async with connected(port) as (reader, _):
        assert await said(reader) == b""
    cable.heal()
    async with connected(port) as (reader, writer):
        writer.write(b"again")
        assert await said(reader) == b"again"


async def test_nobody_behind_it() -> None:
    gone = await asyncio.start_server(echo, "127.0.0.1", 0)
    target = gone.sockets[0].getsockname()[1]
    gone.close()
    await gone.wait_closed()
    cable = Wire(0, target)
    async with connected(await cable.open()) as (reader, _):
        assert await said(reader) == b""
    await cable.close()
