import asyncio
from collections.abc import AsyncIterator

import pytest

from chappe.demo.wire import Wire

PATIENCE_SECONDS = 5.0


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@pytest.fixture
async def wire(unused_tcp_port: int) -> AsyncIterator[Wire]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = Wire(unused_tcp_port, server.sockets[0].getsockname()[1])
    await made.open()
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield made
        await made.close()
        server.close()


async def send(port: int, data: bytes) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await reader.read(100), reader, writer
    except ConnectionError:
        return b"", reader, writer


async def test_it_passes_on(wire: Wire, unused_tcp_port: int) -> None:
    answer, _, writer = await send(unused_tcp_port, b"hello")
    assert answer == b"hello"
    writer.close()


async def test_cut_breaks_what_stands_and_refuses_what_comes(wire: Wire, unused_tcp_port: int) -> None:
    _, reader, _ = await send(unused_tcp_port, b"hello")
    wire.cut()
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    assert (await send(unused_tcp_port, b"hello"))[0] == b""
    wire.heal()
    answer, _, writer = await send(unused_tcp_port, b"again")
    assert answer == b"again"
    writer.close()


async def test_nobody_behind_it(unused_tcp_port_factory: "pytest.FixtureRequest") -> None:
    here, there = unused_tcp_port_factory(), unused_tcp_port_factory()  # type: ignore[operator]  # the plugin's own type
    wire = Wire(here, there)
    await wire.open()
    assert (await send(here, b"hello"))[0] == b""
    await wire.close()
