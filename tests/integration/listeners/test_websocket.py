"""XMPP over WebSocket, with a client library that nobody here wrote."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from picows import WSMsgType

from edge_node.listeners.websocket import WebSocketConnection
from tests.integration.listeners.conftest import Edge, Start
from tests.support.clients import DOMAIN, KEYS, Clients, until
from xmpp.client_stream import ClientSettings, ClientStream
from xmpp.errors import StreamCondition
from xmpp.events import ClientEvent, Online, StreamClosed
from xmpp.framing import WebSocketFraming
from xmpp.jid import JID
from xmpp.parser import ParserPool
from xmpp.sasl.client import Login
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.stanza import Stanza


class WebClient:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, name: str) -> None:
        self.socket = socket
        login = Login(username=name, password=name, derive_keys=KEYS.derive_keys)
        settings = ClientSettings(domain=DOMAIN, login=login, token=lambda: "token", requires_tls=False)
        self.stream = ClientStream(settings, WebSocketFraming(), ParserPool(), TransportFacts(is_encrypted=True))
        self.events: list[ClientEvent | StreamClosed] = []

    async def flush(self) -> None:
        for message in self.stream.messages_to_send():
            await self.socket.send_str(message.decode())

    async def event(self) -> ClientEvent | StreamClosed | aiohttp.WSMessage:
        while not self.events:
            await self.flush()
            message = await self.socket.receive(timeout=20)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return message
            self.stream.receive_data(message.data.encode())
            self.events += self.stream.events_received()
        return self.events.pop(0)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as opened:
        yield opened


def url(edge: Edge, path: str = "/ws", scheme: str = "wss") -> str:
    return f"{scheme}://127.0.0.1:{edge.http.port}{path}"


async def test_two_clients_talk(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start()
    people = []
    for name in ("anna", "bruno"):
        socket = await session.ws_connect(url(edge), protocols=["xmpp"], max_msg_size=0)
        people.append(WebClient(socket, name))
        assert isinstance(await people[-1].event(), Online)
    anna, bruno = people
    body = b"<body>hello</body>"
    anna.stream.send(Stanza("message", "chat", "m1", JID.parse("bruno@corp.example"), inner=body))
    await anna.flush()
    received = await bruno.event()
    assert isinstance(received, Stanza)
    assert received.inner == body
    await anna.socket.close()
    bruno.stream.close()
    await bruno.flush()
    assert isinstance(await bruno.event(), StreamClosed)
    assert edge.core.attachments[0].facts.encrypted


@pytest.mark.parametrize("path", ["/.well-known/host-meta", "/.well-known/host-meta.json"])
async def test_host_meta_tells_pages_of_all_origins(start: Start, session: aiohttp.ClientSession, path: str) -> None:
    edge = await start()
    async with session.get(url(edge, path, "https")) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        text = await response.text()
    assert f"wss://127.0.0.1:{edge.http.port}/ws" in text
    assert "urn:xmpp:alt-connections:websocket" in text


async def test_other_requests_are_refused_and_released(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start(http={"origins": ("https://chat.corp.example",)})
    async with session.get(url(edge, "/etc/passwd", "https")) as response:
        assert response.status == 404
    async with session.post(url(edge, "/ws", "https"), data=b"x") as response:
        assert response.status == 400
    for protocols, origin, status in ((["mqtt"], None, 400), (["xmpp"], "https://evil.example", 403)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url(edge), protocols=protocols, origin=origin)
        assert refused.value.status == status
    assert edge.listener.metrics.refused == {"origin": 1}
    socket = await session.ws_connect(url(edge), protocols=["xmpp"], origin="https://chat.corp.example")
    await socket.close()
    await until(lambda: edge.listener.admission.connections == 0)
    assert edge.listener.admission.negotiating == 0


async def test_a_trusted_proxy_speaks_for_its_clients(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start(http={"has_tls": False, "trusted_proxies": ("127.0.0.0/8",)})
    headers = {"X-Forwarded-For": "192.0.2.7, 198.51.100.9, 127.0.0.3", "X-Forwarded-Proto": "https"}
    socket = await session.ws_connect(url(edge, scheme="ws"), protocols=["xmpp"], headers=headers)
    anna = WebClient(socket, "anna")
    assert isinstance(await anna.event(), Online)
    facts = edge.core.attachments[0].facts
    assert (facts.remote_address, facts.encrypted) == ("198.51.100.9", True)
    await socket.close()


async def test_the_proxys_tls_is_not_bound_to_our_certificate(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start(http={"has_tls": False, "trusted_proxies": ("127.0.0.0/8",)})
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    socket = await session.ws_connect(url(edge, scheme="ws"), protocols=["xmpp"], headers=headers)
    anna = WebClient(socket, "anna")
    await anna.flush()
    await socket.receive_str(timeout=20)
    features = await socket.receive_str(timeout=20)
    assert "SCRAM-SHA-256" in features
    assert "-PLUS" not in features
    assert "tls-server-end-point" not in features


async def test_nobody_else_is_believed(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start(http={"has_tls": False})
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    socket = await session.ws_connect(url(edge, scheme="ws"), protocols=["xmpp"], headers=headers)
    anna = WebClient(socket, "anna")
    event = await anna.event()
    assert isinstance(event, StreamClosed)
    assert event.error is not None
    assert event.error.condition is StreamCondition.POLICY_VIOLATION
    await socket.close()


def upgrade_request(**changes: str | None) -> bytes:
    """A request for a WebSocket, with headers changed, added or (None) left out."""
    headers: dict[str, str | None] = {
        "Host": DOMAIN,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "xmpp",
    }
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(["GET /ws HTTP/1.1", *lines, "", ""]).encode()


async def test_a_request_that_is_refused_at_last_leaves_no_count(start: Start, clients: Clients) -> None:
    edge = await start(http={"has_tls": False})
    for changes in ({"Upgrade": None}, {"Sec_WebSocket_Version": "1"}, {"Sec_WebSocket_Key": None}):
        raw = await clients.raw(edge.http.port)
        raw.write(upgrade_request(**changes))
        assert b" 400 " in await raw.read_to_end()
        raw.close()
    await until(lambda: edge.listener.admission.connections == 0)
    assert edge.listener.admission.negotiating == 0


@pytest.mark.parametrize("connection", ["keep-alive, Upgrade", "Upgrade, keep-alive", "upgrade"])
async def test_every_browsers_way_to_ask_for_an_upgrade_is_understood(
    start: Start, clients: Clients, connection: str
) -> None:
    edge = await start(http={"has_tls": False})
    raw = await clients.raw(edge.http.port)
    raw.write(upgrade_request(Connection=connection, Sec_WebSocket_Protocol="chat, xmpp"))
    assert b" 101 " in await raw.read_until(b"\r\n\r\n")


async def test_the_line_that_the_proxy_adds_counts_and_not_the_one_of_its_client(
    start: Start, clients: Clients
) -> None:
    edge = await start(http={"has_tls": False, "trusted_proxies": ("127.0.0.0/8",)}, require_tls=True)
    raw = await clients.raw(edge.http.port)
    forged = "https\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 192.0.2.7"
    raw.write(upgrade_request(X_Forwarded_Proto=forged))
    assert b" 101 " in await raw.read_until(b"\r\n\r\n")
    connection = next(iter(edge.listener.connections))
    assert isinstance(connection, WebSocketConnection)
    assert connection._facts.remote_address == "192.0.2.7"  # noqa: SLF001 - told to the core with the first question
    assert not connection._facts.encrypted  # noqa: SLF001


@pytest.mark.parametrize(
    ("messages", "condition"),
    [
        ([("str", "<message>")], "bad-format"),
        ([("str", "<message/><message/>")], "bad-format"),
        ([("bytes", "<message/>")], "bad-format"),
        ([("str", "<message></presence>")], "not-well-formed"),
        ([("str", "<!-- -->")], "restricted-xml"),
        ([("str", " ")], "bad-format"),
    ],
    ids=["half", "two", "binary", "tags", "comment", "keep-alive"],
)
async def test_bad_messages_end_the_stream(
    start: Start, session: aiohttp.ClientSession, messages: list[tuple[str, str]], condition: str
) -> None:
    edge = await start()
    socket = await session.ws_connect(url(edge), protocols=["xmpp"])
    anna = WebClient(socket, "anna")
    assert isinstance(await anna.event(), Online)
    for kind, text in messages:
        await (socket.send_str(text) if kind == "str" else socket.send_bytes(text.encode()))
    event = await anna.event()
    assert isinstance(event, StreamClosed)
    assert event.error is not None
    assert event.error.condition == condition
    assert "<close" in (await socket.receive_str(timeout=20))
    assert (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.CLOSE
    await until(lambda: edge.core.attachments[0].ended)


async def test_a_message_over_the_bound_ends_its_connection(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start(connection={"stanza_size_bytes_max": 20_000})
    socket = await session.ws_connect(url(edge), protocols=["xmpp"], max_msg_size=0)
    anna = WebClient(socket, "anna")
    assert isinstance(await anna.event(), Online)
    await socket.send_str("<message><body>" + "x" * 30_000 + "</body></message>")
    while (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
        pass
    assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await until(lambda: edge.core.attachments[0].ended)


async def test_messages_in_fragments_are_put_together(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start()
    socket = await session.ws_connect(url(edge), protocols=["xmpp"], max_msg_size=0)
    anna = WebClient(socket, "anna")
    assert isinstance(await anna.event(), Online)
    text = b'<message xmlns="jabber:client" id="f1"><body>in two</body></message>'
    connection = next(iter(edge.listener.connections))
    assert isinstance(connection, WebSocketConnection)
    # aiohttp's client does not write fragments.
    for part, fin, kind in ((text[:20], False, WSMsgType.TEXT), (text[20:], True, WSMsgType.CONTINUATION)):
        connection.frame_received(kind, part, is_last=fin, is_reserved=False)
    assert [stanza.id for stanza in edge.core.attachments[0].stanzas] == ["f1"]
    await socket.close()


async def test_who_is_not_read_cannot_answer_a_ping(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start(connection={"keepalive_idle_seconds": 10, "keepalive_seconds_max": 5})
    socket = await session.ws_connect(url(edge), protocols=["xmpp"])
    anna = WebClient(socket, "anna")
    assert isinstance(await anna.event(), Online)
    connection = next(iter(edge.listener.connections))
    assert isinstance(connection, WebSocketConnection)
    edge.listener.wheel.now += 60  # 15 seconds
    connection.expired()
    connection.pause_reading()
    for _ in range(3):
        edge.listener.wheel.now += 60
        connection.expired()
    assert not edge.core.attachments[0].ended
    connection.resume_reading()
    connection.expired()
    assert not edge.core.attachments[0].ended
    await socket.close()


async def test_a_silent_browser_is_pinged_and_then_given_up(start: Start, session: aiohttp.ClientSession) -> None:
    edge = await start(connection={"keepalive_idle_seconds": 10, "keepalive_seconds_max": 5})
    socket = await session.ws_connect(url(edge), protocols=["xmpp"], autoping=False)
    anna = WebClient(socket, "anna")
    assert isinstance(await anna.event(), Online)
    connection = next(iter(edge.listener.connections))
    assert isinstance(connection, WebSocketConnection)
    edge.listener.wheel.now += 60  # 15 seconds
    connection.expired()
    assert (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.PING
    edge.listener.wheel.now += 60
    connection.expired()
    await until(lambda: edge.core.attachments[0].ended)
    assert edge.core.attachments[0].ended == (False, "silent")
