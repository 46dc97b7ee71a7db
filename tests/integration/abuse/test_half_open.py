"""Thousands of sockets that say nothing, from many addresses; `SOCKETS=1000` for less."""

import asyncio
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.conftest import Connect
from tests.integration.abuse.edge_process import EdgeProcess, edge_process
from tests.integration.abuse.offender import Way, next_address

SOCKETS = int(os.environ.get("SOCKETS", "10000"))
OF_ONE_ADDRESS = 250
KIB_OF_ONE = 4
SLACK_BYTES = 16_000_000
NEGOTIATING = "edge_connections_negotiating"

Socket = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def edge(folder: Path, context: ssl.SSLContext, tmp_path: Path) -> Iterator[EdgeProcess]:
    """One with room for all of them."""
    tables = {"listeners.negotiation": {"seconds": 8.0, "connections_max": SOCKETS + 100}}
    with edge_process(tmp_path / "roomy", folder, tables) as started:
        yield started


async def open_many(port: int, number: int, address: str) -> list[Socket]:
    return [await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)) for _ in range(number)]


async def ends_of(sockets: list[Socket]) -> set[bytes]:
    async with asyncio.timeout(60):
        ends = {await reader.read() for reader, _ in sockets}
    for _, writer in sockets:
        writer.close()
    return ends


async def test_silent_sockets_cost_little_and_expire(
    bystanders: Bystanders, edge: EdgeProcess, connect: Connect
) -> None:
    before = edge.rss_bytes
    opened: list[Socket] = []
    async with bystanders.talking() as rounds:
        for start in range(0, SOCKETS, OF_ONE_ADDRESS):
            opened += await open_many(edge.tcp, min(OF_ONE_ADDRESS, SOCKETS - start), next_address())
        assert (await edge.metrics())[NEGOTIATING] == SOCKETS
        held = edge.rss_bytes - before
        await (await connect(Way.TLS)).log_in()
        assert await ends_of(opened) == {b""}
    assert held < SOCKETS * KIB_OF_ONE * 1024 + SLACK_BYTES
    assert rounds.slowest < 5
    assert (await edge.metrics())[NEGOTIATING] == 0


async def test_one_address_gets_its_share_and_no_more(
    bystanders: Bystanders, edge: EdgeProcess, connect: Connect
) -> None:
    address = next_address()
    opened = await open_many(edge.tcp, 256, address)
    refused = await connect(Way.TCP, address)
    assert await refused.verdict() == "resource-constraint"
    await (await connect(Way.TLS)).log_in()
    await bystanders.talk()
    for _, writer in opened:
        writer.close()
