import asyncio
from pathlib import Path

import pytest

from chappe.client import (
    Client,
    Connected,
    Disconnected,
    Ended,
    Endpoint,
    LoginRefused,
    NotConnected,
    RequestTimedOut,
    Transport,
    Unreachable,
)
from tests.integration.listeners.conftest import Edge, Start
from tests.unit.chappe.client.conftest import Heard, MakeAccount
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.stanza import Stanza

PING = Element("{urn:xmpp:ping}ping")
BODY = "{jabber:client}body"


def drop_connections(edge: Edge) -> None:
    for connection in list(edge.listener.connections):
        connection.drop("test")  # type: ignore[attr-defined]  # those of TCP have it


def message(to: str, text: str) -> Stanza:
    return Stanza.build("message", Element(BODY, children=(text,)), type="chat", to=JID.parse(to))


def says(text: str) -> object:
    return lambda event: isinstance(event, Stanza) and BODY in event.payloads and event.elements()[0].text == text


@pytest.mark.parametrize("transport", [Transport.STARTTLS, Transport.TLS, Transport.WSS])
async def test_logs_in_asks_and_is_answered(
    start: Start, account: MakeAccount, heard: Heard, transport: Transport
) -> None:
    edge = await start()
    async with Client(account(edge, transport), heard) as client:
        assert client.jid == JID.parse("anna@corp.example/chosen")
        answer = await client.request(PING)
        assert answer.type == "result"
    assert isinstance(heard.events[0], Connected)
    assert edge.core.attachments[-1].ended is not None
    assert edge.core.attachments[-1].ended[0], "the session was ended cleanly"


async def test_messages_are_acknowledged(start: Start, account: MakeAccount, heard: Heard) -> None:
    edge = await start()
    other = Heard()
    async with Client(account(edge), heard) as anna, Client(account(edge, name="bruno"), other):
        for number in range(20):
            anna.send(message("bruno@corp.example", f"number {number}"))
        await other.until(says("number 19"))  # type: ignore[arg-type]
        await heard.until(lambda _event: anna.unacknowledged == 0)
    texts = [event.elements()[0].text for event in other.events if isinstance(event, Stanza)]
    assert texts == [f"number {number}" for number in range(20)]


async def test_a_lost_connection_is_resumed_and_nothing_is_lost(
    start: Start, account: MakeAccount, heard: Heard
) -> None:
    edge = await start()
    other = Heard()
    async with Client(account(edge), heard) as anna, Client(account(edge, name="bruno"), other):
        await anna.request(PING)
        drop_connections(edge)
        await heard.of(Disconnected)
        anna.send(message("bruno@corp.example", "said while away"))
        resumed = await heard.of(Connected, 2)
        await other.until(says("said while away"))  # type: ignore[arg-type]
    assert resumed == Connected(JID.parse("anna@corp.example/chosen"), is_resumed=True)
    assert len([event for event in other.events if isinstance(event, Stanza)]) == 1


async def test_a_session_that_is_gone_begins_anew(start: Start, account: MakeAccount, heard: Heard) -> None:
    edge = await start()
    other = Heard()
    async with Client(account(edge), heard) as anna, Client(account(edge, name="bruno"), other):
        await anna.request(PING)
        gone = [key for key, record in edge.disk.sessions.items() if record.jid.local == "anna"]
        drop_connections(edge)
        await heard.of(Disconnected)
        anna.send(message("bruno@corp.example", "said while away"))
        for key in gone:
            del edge.disk.sessions[key]
        again = await heard.of(Connected, 2)
        await other.until(says("said while away"))  # type: ignore[arg-type]
    assert again == Connected(JID.parse("anna@corp.example/chosen"), is_resumed=False)


async def test_is_sent_home(start: Start, account: MakeAccount, heard: Heard) -> None:
    away = await start()
    home = await start()
    away.disk.homes["anna"] = ("127.0.0.1", home.tcp.port or 0)
    async with Client(account(away), heard) as client:
        await client.request(PING)
    assert [each.account for each in home.core.attachments] == ["anna"]


async def test_a_wrong_password_is_said_at_once(start: Start, account: MakeAccount) -> None:
    edge = await start()
    client = Client(account(edge, password="wrong"))
    with pytest.raises(LoginRefused, match="wrong name or password"):
        await client.__aenter__()


@pytest.mark.parametrize("transport", [Transport.STARTTLS, Transport.TLS])
async def test_a_foreign_certificate_is_refused(start: Start, account: MakeAccount, transport: Transport) -> None:
    edge = await start()
    client = Client(account(edge, transport, ca=None))
    with pytest.raises(LoginRefused, match="certificate is not trusted"):
        await client.__aenter__()


async def test_a_certificate_of_another_domain_is_refused(start: Start, account: MakeAccount) -> None:
    edge = await start()
    client = Client(account(edge, Transport.TLS, jid=JID.parse("anna@elsewhere.example")))
    with pytest.raises(LoginRefused, match=r"elsewhere\.example"):
        await client.__aenter__()


async def test_a_file_of_authorities_that_is_not_there(start: Start, account: MakeAccount) -> None:
    edge = await start()
    client = Client(account(edge, ca=Path("/nowhere/ca.pem")))
    with pytest.raises(LoginRefused, match="nowhere"):
        await client.__aenter__()


async def test_nobody_is_there(start: Start, account: MakeAccount) -> None:
    edge = await start()
    wanted = account(edge)
    edge.tcp.stop()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        await Client(wanted).__aenter__()


async def test_gives_up_when_the_password_changes_while_away(start: Start, account: MakeAccount, heard: Heard) -> None:
    edge = await start()
    async with Client(account(edge), heard) as client:
        edge.disk.add_account("anna", "another")
        drop_connections(edge)
        ended = await heard.of(Ended)
        await client.wait_ended()
        with pytest.raises(NotConnected):
            client.send(message("bruno@corp.example", "too late"))
    assert isinstance(ended, Ended)
    assert "wrong name or password" in ended.reason


async def test_an_answer_that_does_not_come(start: Start, account: MakeAccount) -> None:
    edge = await start()
    async with Client(account(edge)) as client:
        edge.core.commits_at_once = False
        with pytest.raises(RequestTimedOut):
            await client.request(PING, seconds=0.05)


async def test_an_answer_from_somebody_else_is_none(start: Start, account: MakeAccount) -> None:
    edge = await start()
    async with Client(account(edge)) as anna, Client(account(edge, name="bruno")) as bruno:
        edge.core.commits_at_once = False
        asking = asyncio.Event()
        sent: list[Stanza] = []

        def send(stanza: Stanza) -> None:
            sent.append(stanza)
            asking.set()

        async with asyncio.TaskGroup() as tasks:
            question = Stanza.build("iq", PING, type="get", id="guessed", to=JID.parse("chloe@corp.example/desk"))
            answer = tasks.create_task(anna._pending.ask(question, send, 5.0))  # noqa: SLF001 - a chosen id
            await asking.wait()
            edge.core.commits_at_once = True
            forged = Stanza.build("iq", type="result", id="guessed", to=anna.jid)
            bruno.send(forged)
            await bruno.request(PING)
            await anna.request(PING)
            assert not answer.done()
            edge.core.deliver(forged.copy(sender=question.to).render(), anna.jid)
            assert (await answer).sender == question.to


async def test_requests_of_others_are_answered(start: Start, account: MakeAccount, heard: Heard) -> None:
    edge = await start()

    def refuse(_iq: Stanza) -> tuple[Element, ...]:
        raise StanzaError(StanzaCondition.FORBIDDEN)

    other = Heard()
    async with (
        Client(account(edge), heard, {"{urn:example}secret": refuse}) as anna,
        Client(account(edge, name="bruno"), other) as bruno,
    ):
        # The toy core answers every request itself; these are put into the session as if they came from bruno.
        for payload in ("urn:xmpp:ping}ping", "urn:example}secret", "urn:example}unknown"):
            iq = Stanza.build("iq", Element("{" + payload), type="get", id="q1", to=anna.jid, sender=bruno.jid)
            edge.core.deliver(iq.render(), anna.jid)
        await asyncio.wait_for(anna.request(PING), 5)
        answers = [each for each in edge.core.attachments[0].stanzas if each.id == "q1"]
    assert [each.type for each in answers] == ["result", "error", "error"]
    errors = [StanzaError.from_element(each.elements()[-1]).condition for each in answers[1:]]
    assert errors == [StanzaCondition.FORBIDDEN, StanzaCondition.SERVICE_UNAVAILABLE]


class Relay:
    """Passes bytes on until it is told to swallow them: a connection that is dead without a word."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.is_dead = False
        self._tasks: set[asyncio.Task[None] | None] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass(reader, back))
            tasks.create_task(self._pass(there, writer))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        was_alive = not self.is_dead
        while data := await source.read(65536):
            if not (was_alive and self.is_dead):
                target.write(data)
        target.close()


async def test_a_connection_that_is_dead_without_a_word_is_noticed(
    start: Start, account: MakeAccount, heard: Heard
) -> None:
    edge = await start()
    relay = Relay(edge.tcp.port or 0)
    server = await asyncio.start_server(relay.take, "127.0.0.1", 0)
    endpoint = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    async with Client(account(edge, endpoint=endpoint, silence_seconds=0.2), heard) as client:
        await client.request(PING)
        relay.is_dead = True
        again = await heard.of(Connected, 2)
        await client.request(PING)
    server.close()
    assert again == Connected(client.jid, is_resumed=True)
