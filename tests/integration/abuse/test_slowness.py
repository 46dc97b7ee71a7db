"""Those who are slow, silent, or do not read: time-outs and bounds end them, and nobody waits for them."""

import asyncio
import ssl
from contextlib import suppress

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.conftest import Connect
from tests.integration.abuse.edge_process import EdgeProcess
from tests.integration.abuse.offender import Offender, Way, next_address

ENDS = ("slow", "resource-constraint")
ROSTER_ITEMS_MAX = 20


@pytest.fixture
def edge(small_edge: EdgeProcess) -> EdgeProcess:
    return small_edge


@pytest.mark.parametrize("way", Way)
async def test_a_stream_that_stays_without_a_login(bystanders: Bystanders, connect: Connect, way: Way) -> None:
    offender = await connect(way)
    await offender.features()
    assert await offender.verdict() == "connection-timeout"
    await bystanders.talk()


@pytest.mark.parametrize("way", [Way.TCP, Way.TLS])
async def test_a_header_byte_by_byte(bystanders: Bystanders, connect: Connect, way: Way) -> None:
    """Each byte comes in time, and still it ends: the time is that of the whole login."""
    offender = await connect(way)
    async with asyncio.TaskGroup() as tasks:
        verdict = tasks.create_task(offender.verdict())
        sent = 0
        while not verdict.done() and sent < 10_000:
            offender.write(b"<stream:stream "[sent:][:1] or b" ")
            sent += 1
            await bystanders.talk()
    assert verdict.result() == "connection-timeout"


@pytest.mark.parametrize("port", ["tcp", "tls", "http"])
async def test_a_socket_that_says_nothing(bystanders: Bystanders, edge: EdgeProcess, port: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", getattr(edge, port), local_addr=(next_address(), 0))
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()
    await bystanders.talk()


@pytest.mark.parametrize(
    ("port", "data"),
    [("tls", b"\x16\x03\x01"), ("http", b"\x16\x03\x01"), ("http", b"GET /ws")],
    ids=["half a handshake", "half a handshake to HTTP", "plain HTTP"],
)
async def test_half_a_handshake(bystanders: Bystanders, edge: EdgeProcess, port: str, data: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", getattr(edge, port), local_addr=(next_address(), 0))
    writer.write(data)
    async with asyncio.timeout(20):
        with suppress(ConnectionError):
            await reader.read()
    writer.close()
    await bystanders.talk()


async def test_starttls_without_a_handshake(bystanders: Bystanders, connect: Connect) -> None:
    offender = await connect(Way.TCP)
    await offender.features()
    offender.write(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    await offender.read_until(b"/>")
    assert await offender.read_to_end() == b""
    await bystanders.talk()


async def test_half_a_request(bystanders: Bystanders, edge: EdgeProcess, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", edge.http, ssl=context, server_hostname="corp.example", local_addr=(next_address(), 0)
    )
    writer.write(b"GET /ws HTTP/1.1\r\nHost:")
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()
    await bystanders.talk()


async def ask_for_ever(offender: Offender, question: bytes) -> None:
    async with asyncio.timeout(60):
        while True:
            offender.write(question * 16)
            await offender.writer.drain()


async def test_a_client_that_does_not_read(bystanders: Bystanders, edge: EdgeProcess, connect: Connect) -> None:
    """He asks and asks, and takes no answer: the bound on what is written for him ends it."""
    offender = await (await connect(Way.TLS)).log_in()
    offender.writer.transport.pause_reading()  # type: ignore[attr-defined]  # uvloop's transport can
    before = edge.rss_bytes
    question = b"<iq type='get' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>" % (b"q" * 1000)
    async with bystanders.talking() as rounds:
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await ask_for_ever(offender, question)
    assert rounds.slowest < 5
    assert edge.rss_bytes - before < 64_000_000
    closed = await edge.metrics()
    ends = [closed.get(f'edge_connections_closed_total{{reason="{reason}"}}', 0) for reason in ENDS]
    assert sum(ends) >= 1, closed


async def test_a_roster_grows_to_its_bound_and_no_further(bystanders: Bystanders, connect: Connect) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    answers = []
    for number in range(ROSTER_ITEMS_MAX + 10):
        query = f"<query xmlns='jabber:iq:roster'><item jid='contact{number}@corp.example'/></query>"
        answers.append(await offender.answer(f"<iq type='set' id='r{number}'>{query}</iq>", b">"))
        if b"error" in answers[-1]:
            answers[-1] += await offender.read_until(b"</iq>")
    assert [b"resource-constraint" in answer for answer in answers] == [False] * ROSTER_ITEMS_MAX + [True] * 10
    await bystanders.talk()
