"""Those who speak another protocol, stop halfway, or try to slip something past TLS."""

import asyncio
import ssl
import struct

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.conftest import Connect
from tests.integration.abuse.edge_process import EdgeProcess
from tests.integration.abuse.offender import CONTINUATION, PING, TEXT, UPGRADE, Way, frame, next_address

STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
CLIENT_HELLO = bytes.fromhex("16030100f8010000f40303") + bytes(32)
PAUSED = 'edge_connections_paused_total{reason="rate"}'
HTTP_REQUEST = b"GET / HTTP/1.1\r\nHost: corp.example\r\n\r\n"


async def open_socket(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(next_address(), 0))


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Read until the server closes, however it does."""
    received = b""
    async with asyncio.timeout(20):
        try:
            while data := await reader.read(65_536):
                received += data
        except ConnectionError:
            pass
    return received


async def test_tls_to_the_port_of_starttls(bystanders: Bystanders, connect: Connect) -> None:
    offender = await connect(Way.TCP)
    offender.write(CLIENT_HELLO)
    assert await offender.verdict() in ("not-well-formed", "unsupported-encoding")
    await bystanders.talk()


@pytest.mark.parametrize(
    "data", [HTTP_REQUEST, b"<stream:stream to='corp.example'>", bytes(600), b"\x16\x03\x01\xff\xff" + bytes(500)]
)
async def test_plain_bytes_to_the_port_of_tls(bystanders: Bystanders, edge: EdgeProcess, data: bytes) -> None:
    reader, writer = await open_socket(edge.tls)
    writer.write(data)
    writer.write_eof()
    answer = await all_of(reader)
    assert answer == b"" or answer.startswith(b"\x15\x03"), "an alert of TLS or nothing"
    writer.close()
    await bystanders.talk()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_1])
async def test_an_old_version_of_tls(bystanders: Bystanders, edge: EdgeProcess, version: ssl.TLSVersion) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, version
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", edge.tls, ssl=old)
    await bystanders.talk()


@pytest.mark.parametrize("behind", [b"<auth/>", CLIENT_HELLO], ids=["an element", "a handshake"])
async def test_bytes_behind_starttls(bystanders: Bystanders, connect: Connect, behind: bytes) -> None:
    offender = await connect(Way.TCP)
    await offender.features()
    offender.write(STARTTLS + behind)
    assert await offender.verdict() == "policy-violation"
    await bystanders.talk()


async def test_what_is_sent_before_the_handshake_never_counts_as_encrypted(
    bystanders: Bystanders, connect: Connect
) -> None:
    offender = await connect(Way.TCP)
    await offender.features()
    offender.write(STARTTLS)
    await offender.read_until(b"/>")
    offender.write(b"<message to='anna@corp.example'><body>injected</body></message>")
    answer = await offender.read_to_end()
    assert not answer or answer.startswith(b"\x15\x03"), "an alert of TLS or nothing"
    await bystanders.talk()


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", b"400"),
        (UPGRADE.replace(b": xmpp", b": chat"), b"400"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789", b"400"),
    ],
)
async def test_http_that_is_not_ours(
    bystanders: Bystanders, edge: EdgeProcess, context: ssl.SSLContext, request_text: bytes, status: bytes
) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", edge.http, ssl=context, server_hostname="corp.example", local_addr=(next_address(), 0)
    )
    writer.write(request_text)
    assert (await all_of(reader)).startswith(b"HTTP/1.1 " + status)
    writer.close()
    await bystanders.talk()


async def test_a_request_head_without_end(bystanders: Bystanders, edge: EdgeProcess, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", edge.http, ssl=context, server_hostname="corp.example", local_addr=(next_address(), 0)
    )
    writer.write(b"GET /ws HTTP/1.1\r\n" + b"X-Filler: 0123456789\r\n" * 10_000)
    await all_of(reader)
    assert reader.at_eof() or reader.exception() is not None
    writer.close()
    await bystanders.talk()


@pytest.mark.parametrize(
    ("frames", "condition"),
    [
        (frame(b"\x00\x01\x02", opcode=2), "bad-format"),
        (frame(b"<open", is_last=False) + frame(b"<open/>", opcode=TEXT), "bad-format"),
        (frame(b"/>", opcode=CONTINUATION), "bad-format"),
        (frame(b"<a xmlns='urn:x'/><b xmlns='urn:x'/>"), "bad-format"),
        (frame(b"<a xmlns='urn:x'>"), "bad-format"),
        (frame(b""), "bad-format"),
    ],
    ids=["binary", "a message inside a message", "a stray continuation", "two elements", "half an element", "nothing"],
)
async def test_frames_that_are_no_messages(
    bystanders: Bystanders, connect: Connect, frames: bytes, condition: str
) -> None:
    offender = await connect(Way.WEBSOCKET)
    await offender.features()
    offender.write(frames)
    assert await offender.verdict() == condition
    await bystanders.talk()


async def test_an_unmasked_frame(bystanders: Bystanders, connect: Connect) -> None:
    offender = await connect(Way.WEBSOCKET)
    offender.write(struct.pack("!BB", 0x81, 2) + b"hi")
    assert struct.pack("!H", 1002) in await offender.read_to_end()
    await bystanders.talk()


@pytest.mark.parametrize("size", [0, 1], ids=["empty", "of one byte"])
async def test_a_message_in_very_many_pieces(
    bystanders: Bystanders, edge: EdgeProcess, connect: Connect, size: int
) -> None:
    offender = await (await connect(Way.WEBSOCKET)).log_in()
    before = edge.cpu_seconds
    offender.write(frame(b"<message xmlns='jabber:client'><body>", is_last=False))
    offender.write(frame(b"x" * size, opcode=CONTINUATION, is_last=False) * 50_000)
    async with bystanders.talking() as rounds:
        assert await offender.verdict() == "policy-violation"
    assert rounds.slowest < 5
    assert edge.cpu_seconds - before < 5, "the cost must not grow with the square"


async def test_very_many_websocket_pings(bystanders: Bystanders, edge: EdgeProcess, connect: Connect) -> None:
    """They count as stanzas do: beyond the burst the client is not read."""
    offender = await (await connect(Way.WEBSOCKET)).log_in()
    before, rss_bytes = (await edge.metrics()).get(PAUSED, 0), edge.rss_bytes
    offender.write(frame(b"are you there", opcode=PING) * 50_000)
    async with bystanders.talking() as rounds:
        async with asyncio.timeout(20):
            while (await edge.metrics()).get(PAUSED, 0) == before:
                pass
    assert rounds.slowest < 5
    assert edge.rss_bytes - rss_bytes < 50_000_000
