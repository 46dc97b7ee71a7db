"""Bad input and bad manners on real sockets: refused clearly, within bounds, and others are not disturbed."""

import asyncio
import base64
import socket
import ssl
from collections.abc import Awaitable, Callable

import pytest

from tests.integration.listeners.conftest import Edge, Start
from tests.support.clients import DOMAIN, Clients, Raw, until
from tests.support.cores import Disk
from xmpp.errors import StreamCondition
from xmpp.jid import JID
from xmpp.stanza import Stanza

HEADER = (
    b"<?xml version='1.0'?><stream:stream to='corp.example' version='1.0' xmlns='jabber:client'"
    b" xmlns:stream='http://etherx.jabber.org/streams'>"
)
PLAIN = {"require_tls": False, "has_tls": False}


def closed(edge: Edge, reason: str) -> bool:
    return bool(edge.listener.metrics.closed[reason])


async def quiet(edge: Edge, clients: Clients) -> Callable[[], Awaitable[None]]:
    """Log in two who talk, to see that nobody disturbs them."""
    anna = await clients.login(edge.tcp.port, "anna")
    bruno = await clients.login(edge.tcp.port, "bruno")

    async def talk() -> None:
        anna.send(Stanza("message", to=JID.parse("bruno@corp.example"), inner=b"<body>still there?</body>"))
        assert (await bruno.stanza()).inner == b"<body>still there?</body>"

    return talk


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"<message><body>never closed</message>", "not-well-formed"),
        (b"<!-- a comment -->", "restricted-xml"),
        (b"<message><x:body/></message>", "bad-namespace-prefix"),
        (b"<message><body>\xff\xfe</body></message>", "not-well-formed"),
        (b"<message><body>" + b"x" * 300_000, "policy-violation"),
        (b"<message>" + b"<a>" * 100, "policy-violation"),
        (b"<unknown xmlns='urn:unknown'/>", "unsupported-stanza-type"),
    ],
    ids=["tags", "comment", "prefix", "utf-8", "size", "depth", "element"],
)
async def test_bad_input_ends_its_own_stream(start: Start, clients: Clients, data: bytes, condition: str) -> None:
    edge = await start(**PLAIN)
    talk = await quiet(edge, clients)
    chloe = await clients.login(edge.tcp.port, "chloe")
    chloe.write(data)
    error = (await chloe.closed()).error
    assert error is not None
    assert error.condition == condition
    await talk()
    assert edge.core.attachments[-1].ended == (False, error.condition)


async def test_stanzas_before_authentication_are_refused(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN)
    raw = await clients.raw(edge.tcp.port)
    raw.write(HEADER + b"<message to='bruno@corp.example'><body>hi</body></message>")
    assert b"<not-authorized" in await raw.read_to_end()
    assert edge.core.attachments == []


async def test_bytes_behind_starttls_are_refused(start: Start, clients: Clients) -> None:
    edge = await start()
    raw = await clients.raw(edge.tcp.port)
    raw.write(HEADER + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message/>")
    answer = await raw.read_to_end()
    assert b"<policy-violation" in answer
    assert b"<proceed" not in answer


async def test_without_tls_there_is_no_plain_even_where_tls_is_not_required(start: Start, clients: Clients) -> None:
    edge = await start(require_tls=False)
    raw = await clients.raw(edge.tcp.port)
    raw.write(HEADER)
    features = await raw.read_until(b"</stream:features>")
    assert b"SCRAM-SHA-256<" in features
    assert b"PLAIN" not in features
    password = base64.b64encode(b"\0anna\0anna")
    raw.write(b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + password + b"</auth>")
    assert b"<success" not in await raw.read_until(b"</failure>")


async def test_required_tls_comes_before_everything(start: Start, clients: Clients) -> None:
    edge = await start()
    raw = await clients.raw(edge.tcp.port)
    raw.write(HEADER)
    features = await raw.read_until(b"</stream:features>")
    assert b"<required" in features
    assert b"mechanism" not in features


def plain(name: str, password: str) -> bytes:
    encoded = base64.b64encode(f"\0{name}\0{password}".encode())
    return b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + encoded + b"</auth>"


async def test_plain_inside_tls_checks_the_password_and_bounds_the_attempts(
    start: Start, clients: Clients, context: ssl.SSLContext
) -> None:
    edge = await start(negotiation={"sasl_attempts_max": 3})
    raw = await clients.raw(edge.tcp.tls_port, context)
    raw.write(HEADER)
    assert b"PLAIN" in await raw.read_until(b"</stream:features>")
    for name, password in (("anna", "wrong"), ("nobody", "wrong")):
        raw.write(plain(name, password))
        assert b"<not-authorized" in await raw.read_until(b"</failure>")
    raw.write(plain("anna", "anna"))
    await raw.read_until(b"<success")
    assert edge.listener.metrics.logins == {"failure": 2, "success": 1}
    other = await clients.raw(edge.tcp.tls_port, context)
    other.write(HEADER)
    await other.read_until(b"</stream:features>")
    for _ in range(3):
        other.write(plain("anna", "wrong"))
        await other.read_until(b"</failure>")
    assert b"<policy-violation" in await other.read_until(b"</stream:stream>")


async def test_too_many_failures_throttle_the_address(start: Start, clients: Clients, context: ssl.SSLContext) -> None:
    edge = await start(negotiation={"failures_per_address_max": 2, "failure_seconds": 3600})
    for _ in range(2):
        raw = await clients.raw(edge.tcp.tls_port, context)
        raw.write(HEADER)
        await raw.read_until(b"</stream:features>")
        raw.write(plain("anna", "wrong"))
        await raw.read_until(b"</failure>")
    anna = await clients.connect(edge.tcp.tls_port, "anna", tls=context, is_direct=True)
    error = (await anna.closed()).error
    assert error is not None
    assert error.condition is StreamCondition.POLICY_VIOLATION
    assert edge.listener.metrics.logins["throttled"] == 1


async def test_scram_plus_binds_to_our_certificate(start: Start, clients: Clients, context: ssl.SSLContext) -> None:
    edge = await start()
    raw = await clients.raw(edge.tcp.tls_port, context)
    raw.write(HEADER)
    features = await raw.read_until(b"</stream:features>")
    assert b"SCRAM-SHA-256-PLUS" in features
    assert b"tls-server-end-point" in features


async def test_the_account_lives_elsewhere(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN)
    edge.disk.homes["david"] = ("lyon.corp.example", 5322)
    david = await clients.connect(edge.tcp.port, "david")
    error = (await david.closed()).error
    assert error is not None
    assert (error.condition, error.address) == (StreamCondition.SEE_OTHER_HOST, "lyon.corp.example:5322")
    assert edge.listener.metrics.logins["failure"] == 0


async def test_silent_connections_cost_no_stream_and_expire(
    start: Start, clients: Clients, context: ssl.SSLContext
) -> None:
    edge = await start(negotiation={"seconds": 0.5, "connections_per_address_max": 300})
    silent = [await clients.raw(port) for port in (edge.tcp.port, edge.tcp.tls_port, edge.http.port) for _ in range(80)]
    await until(lambda: edge.listener.admission.negotiating == 240)
    assert not edge.listener.connections
    for raw in silent:
        assert await raw.read_to_end() == b""
    assert edge.listener.metrics.refused["silent"] == 240
    assert edge.listener.admission.connections == 0
    await clients.login(edge.tcp.port, "anna", tls=context)


async def test_half_a_handshake_and_half_a_login_expire(start: Start, clients: Clients) -> None:
    edge = await start(negotiation={"seconds": 0.5, "tls_seconds": 0.3}, connection={"closing_seconds": 0.5})
    hello = await clients.raw(edge.tcp.tls_port)
    hello.write(b"\x16\x03\x01")
    garbage = await clients.raw(edge.tcp.tls_port)
    garbage.write(b"GET / HTTP/1.0\r\n\r\n")
    half_way = await clients.raw(edge.tcp.port)
    half_way.write(HEADER + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    await half_way.read_until(b"<proceed")
    slow = await clients.raw(edge.tcp.port)
    slow.write(HEADER)
    assert b"<connection-timeout" in await slow.read_to_end()
    for raw in (hello, garbage, half_way):
        await raw.read_to_end()
    await until(lambda: edge.listener.admission.connections == 0)
    assert edge.listener.admission.negotiating == 0


def read_to_the_end_of_tls(port: int, context: ssl.SSLContext) -> bytes:
    """What a server says that ends the stream, and TLS as TLS is ended; the client only listens."""
    read = b""
    with (
        socket.create_connection(("127.0.0.1", port), 20) as plain,
        context.wrap_socket(plain, server_hostname=DOMAIN, suppress_ragged_eofs=False) as encrypted,
    ):
        encrypted.sendall(HEADER)
        while data := encrypted.recv(4096):
            read += data
    return read


async def test_a_client_that_does_not_answer_hears_the_end_of_tls(start: Start, context: ssl.SSLContext) -> None:
    """Some take a torn connection for one that stands."""
    edge = await start(negotiation={"seconds": 0.5}, connection={"closing_seconds": 0.5})
    assert edge.tcp.tls_port is not None
    read = await asyncio.to_thread(read_to_the_end_of_tls, edge.tcp.tls_port, context)
    assert read.endswith(b"</stream:stream>")
    await until(lambda: edge.listener.admission.connections == 0)


async def test_one_address_gets_no_more_than_its_share(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN, negotiation={"connections_per_address_max": 3})
    first = [await clients.raw(edge.tcp.port) for _ in range(3)]
    await until(lambda: edge.listener.admission.negotiating == 3)
    refused = await clients.raw(edge.tcp.port)
    assert b"<resource-constraint" in await refused.read_to_end()
    first[0].close()
    await until(lambda: edge.listener.admission.negotiating == 2)
    await clients.login(edge.tcp.port, "anna")
    await clients.login(edge.tcp.port, "bruno")  # who has logged in counts no longer


async def test_too_much_before_binding_is_refused(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN, negotiation={"size_bytes_max": 4096})
    raw = await clients.raw(edge.tcp.port)
    raw.write(HEADER + b" " * 5000)
    assert b"<policy-violation" in await raw.read_to_end()


async def test_a_client_that_sends_too_fast_is_read_slowly_and_loses_nothing(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN, rate={"burst_stanzas": 50, "stanzas_per_second": 400})
    talk = await quiet(edge, clients)
    chloe = await clients.login(edge.tcp.port, "chloe")
    for number in range(200):
        chloe.send(Stanza("message", id=str(number), to=JID.parse("chloe@corp.example")))
    received = [(await chloe.stanza()).id for _ in range(200)]
    assert received == [str(number) for number in range(200)]
    assert edge.listener.metrics.paused["rate"] > 0
    await talk()


async def test_a_client_that_waits_for_custody_is_not_read(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN, connection={"unhandled_stanzas_max": 10})
    edge.core.commits_at_once = False
    anna = await clients.login(edge.tcp.port, "anna")
    taken = edge.core.attachments[0].stanzas
    for number in range(10):
        anna.send(Stanza("message", id=str(number)))
    await until(lambda: len(taken) == 10)
    assert edge.listener.metrics.paused["custody"] == 1
    anna.send(Stanza("message", id="10"))
    edge.core.commit()
    await until(lambda: len(taken) == 11)


async def test_a_client_that_does_not_read_is_given_up(start: Start, clients: Clients) -> None:
    bounds = {"write_buffer_bytes": 16_384, "write_buffer_bytes_max": 65_536, "slow_seconds_max": 0.5}
    edge = await start(**PLAIN, connection=bounds)
    talk = await quiet(edge, clients)
    await clients.login(edge.tcp.port, "chloe", resource="slow")
    flood = b"<message><body>" + b"x" * 60_000 + b"</body></message>"
    channel = edge.core.attachments[2].channel
    for _ in range(400):
        channel.deliver(flood)
        await asyncio.sleep(0)
        if edge.core.attachments[2].ended:
            break
    await until(lambda: edge.core.attachments[2].ended)
    assert edge.core.attachments[2].ended in [(False, "resource-constraint"), (False, "slow")]
    await talk()


async def test_the_end_of_a_stream_is_told(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN)
    anna = await clients.login(edge.tcp.port, "anna")
    bruno = await clients.login(edge.tcp.port, "bruno")
    anna.stream.close()
    assert (await anna.closed()).is_clean
    bruno.close()
    await until(lambda: edge.core.attachments[1].ended)
    assert [each.ended for each in edge.core.attachments] == [(True, "closed"), (False, "closed")]


async def test_the_drain_tells_the_clients(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN)
    anna = await clients.login(edge.tcp.port, "anna")
    drained = asyncio.get_running_loop().create_task(edge.listener.drain())
    error = (await anna.closed()).error
    assert error is not None
    assert error.condition is StreamCondition.SYSTEM_SHUTDOWN
    anna.close()
    await drained
    late: Raw = await clients.raw(edge.tcp.port)
    await late.read_to_end()
    assert edge.listener.metrics.refused["draining"] == 1


@pytest.mark.parametrize("way", ["plain", "direct"])
async def test_who_is_let_in_while_the_others_are_told_is_told_too(
    start: Start, clients: Clients, context: ssl.SSLContext, way: str
) -> None:
    edge = await start(require_tls=False)
    raw = await clients.raw(edge.tcp.port if way == "plain" else edge.tcp.tls_port)
    await until(lambda: edge.listener.admission.negotiating == 1)
    await edge.listener.drain()
    if way == "direct":
        await raw.writer.start_tls(context, server_hostname=DOMAIN)
    raw.write(HEADER)
    assert b"<system-shutdown" in await raw.read_until(b"</stream:stream>")
    raw.close()
    await until(lambda: edge.listener.admission.connections == 0)


async def test_management_counts_from_enabling_on(start: Start, clients: Clients) -> None:
    edge = await start(**PLAIN)
    anna = await clients.login(edge.tcp.port, "anna")
    to = JID.parse(f"bruno@{DOMAIN}")
    anna.send(Stanza("message", to=to))
    anna.write(
        b"<enable xmlns='urn:xmpp:sm:3' resume='true'/><message to='bruno@corp.example'/><r xmlns='urn:xmpp:sm:3'/>"
    )
    async with asyncio.timeout(10):
        answer = await anna.reader.readuntil(b"<a ")
        answer += await anna.reader.readuntil(b"/>")
    assert b"<enabled " in answer
    assert b'h="1"' in answer
    assert isinstance(edge.disk, Disk)
