"""A connection as a listener brings it to the core."""

from collections import deque
from collections.abc import Callable

import pytest

from cascade.frame import HomeAnswer
from edge_node.accounts.store import Account
from edge_node.sessions.session import Session
from tests.support.edge import Client, Edge, condition_of, jid
from xmpp.errors import StanzaCondition, StreamCondition
from xmpp.sasl import derive
from xmpp.stanza import Stanza

SUBSCRIBE = '<presence type="subscribe" to="chloe@corp.example"/>'
PING = '<iq to="corp.example" id="ping" type="get"><ping xmlns="urn:xmpp:ping"/></iq>'
VERIFIER = derive("demo", b"salt", 4096, "SHA-1")


def close_condition(client: Client) -> StreamCondition | None:
    (error,) = client.wire.closed
    return None if error is None else error.condition


class TestCredentials:
    async def test_of_a_local_account(self) -> None:
        async with Edge() as edge:
            await edge.parts.directory.apply(1, [Account("anna", False, (VERIFIER,), "Anna")], (), full=True)
            client = edge.connect()
            client.attachment.find_credentials("anna")
            (found,) = client.wire.credentials
            assert found is not None

    async def test_of_an_account_elsewhere_lead_there(self, edge: Edge) -> None:
        client = edge.connect()
        client.attachment.find_credentials("david")
        assert edge.hub.asked_homes == ["david@corp.example"]
        edge.parts.arrivals.on_home_answer(HomeAnswer("david@corp.example", "lyon", "lyon.corp.example", 5322))
        assert client.wire.redirection == ("lyon.corp.example", 5322)

    async def test_of_nobody(self, edge: Edge) -> None:
        client = edge.connect()
        edge.hub.is_linked = False
        client.attachment.find_credentials("nobody")
        assert client.wire.credentials == [None]


class TestBinding:
    async def test_gives_the_resource_asked_for(self, edge: Edge) -> None:
        assert (await edge.bind("anna", "phone")).jid == jid("anna/phone")

    async def test_chooses_one_where_none_is_asked_for(self, edge: Edge) -> None:
        one, other = await edge.bind("anna", None), await edge.bind("anna", None)
        assert one.jid != other.jid
        assert one.is_online

    async def test_of_a_resource_in_use_ends_the_older_session(self, edge: Edge) -> None:
        bruno = await edge.login("bruno", "desk")
        older = await edge.login("anna", "phone")
        bruno.received()
        newer = await edge.bind("anna", "phone")
        assert close_condition(older) is StreamCondition.CONFLICT
        assert newer.is_online
        assert [stanza.type for stanza in bruno.received("presence")] == ["unavailable"]
        older.send('<message to="bruno@corp.example"><body>too late</body></message>')
        await edge.settle()
        assert bruno.received() == []
        await older.drop()
        assert newer.session.channel is newer.wire

    async def test_of_a_resource_that_is_none(self, edge: Edge) -> None:
        client = await edge.bind("anna", "\u2028")
        assert client.wire.refusal is not None
        assert client.wire.refusal.condition is StanzaCondition.BAD_REQUEST

    async def test_has_a_bound(self) -> None:
        async with Edge("anna", sessions={"per_account_max": 2}) as edge:
            clients = [await edge.bind("anna", each) for each in ("one", "two", "three")]
            refusals = [client.wire.refusal for client in clients]
            assert refusals[:2] == [None, None]
            assert refusals[2] is not None
            assert refusals[2].condition is StanzaCondition.RESOURCE_CONSTRAINT
            assert (await edge.bind("anna", "one")).wire.refusal is None

    async def test_is_refused_while_the_edge_drains(self, edge: Edge) -> None:
        edge.core.is_draining = True
        client = await edge.bind("anna", "phone")
        assert client.wire.refusal is not None

    async def test_is_refused_to_an_account_that_is_gone(self, edge: Edge) -> None:
        client = edge.connect()
        client.attachment.authenticated("nobody")
        client.attachment.bind("phone")
        await edge.settle()
        assert client.wire.refusal is not None
        assert client.wire.refusal.condition is StanzaCondition.NOT_ALLOWED

    async def test_leaves_nothing_behind_when_the_connection_is_lost_meanwhile(self, edge: Edge) -> None:
        client = edge.connect()
        client.attachment.authenticated("anna")
        client.attachment.bind("phone")
        client.attachment.detach(clean=False, reason="lost")
        await edge.settle()
        assert (len(edge.core.registry), client.wire.jid) == (0, None)


class TestStanzas:
    async def test_before_binding_are_not_taken(self, edge: Edge) -> None:
        client = edge.connect()
        client.attachment.authenticated("anna")
        client.send("<presence/>")
        await edge.settle()
        assert client.received() == []

    @pytest.mark.parametrize("sender", ["anna@corp.example", "anna@corp.example/phone"])
    async def test_may_name_their_sender(self, edge: Edge, sender: str) -> None:
        anna = await edge.login("anna", "phone")
        anna.send(f'<presence from="{sender}"/>')
        await edge.settle()
        assert [str(stanza.sender) for stanza in anna.received()] == ["anna@corp.example/phone"]

    @pytest.mark.parametrize("sender", ["bruno@corp.example", "anna@corp.example/desk", "corp.example"])
    async def test_in_another_name_end_the_session(self, edge: Edge, sender: str) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.send(f'<message from="{sender}" to="bruno@corp.example"><body>hi</body></message>')
        await edge.settle()
        assert close_condition(anna) is StreamCondition.INVALID_FROM
        assert bruno.bodies() == []

    @pytest.mark.parametrize("kind", ["message", "presence", "iq"])
    async def test_to_what_is_no_address_are_answered(self, edge: Edge, kind: str) -> None:
        anna = await edge.login("anna", "phone")
        for type_ in ("get", "error"):
            anna.send(f'<{kind} to="@" id="x" type="{type_}"><ping xmlns="urn:xmpp:ping"/></{kind}>')
        await edge.settle()
        (answer,) = anna.received(kind)
        assert condition_of(answer) == "jid-malformed"

    async def test_that_make_a_part_fail_are_answered_and_the_core_goes_on(self) -> None:
        async with Edge("anna") as edge:
            anna = await edge.login("anna", "phone")
            works, edge.core.presence = edge.core.presence, None  # type: ignore[assignment]  # a bug
            anna.send("<presence/>")
            edge.core.presence = works
            (answer,) = anna.received()
            assert condition_of(answer) == "internal-server-error"
            assert [stage for stage, _ in edge.reports.failures] == ["presence"]
            anna.send("<presence/>")
            assert len(anna.received()) == 1

    async def test_are_counted_in_order_whatever_they_wait_for(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        before = anna.wire.taken
        edge.store.hold()
        anna.send('<presence type="subscribe" to="chloe@corp.example"/>')
        anna.send('<message to="bruno@corp.example" type="chat"><body>hi</body></message>')
        anna.send("<presence/>")
        await edge.settle()
        assert anna.wire.taken == before
        edge.store.release()
        await edge.settle()
        assert anna.wire.taken == before + 3


class SlowPresence:
    """Takes presence when it is told to."""

    def __init__(self) -> None:
        self.taken: list[Stanza] = []
        self.under_way: deque[Callable[[], None]] = deque()

    def send(self, session: Session, stanza: Stanza, done: Callable[[], None]) -> bool:
        del session
        self.taken.append(stanza)
        self.under_way.append(done)
        return False


class TestStanzasUnderWayAtAResumption:
    """The client is told that they were not handled, so it sends them again."""

    @pytest.fixture
    async def anna(self, edge: Edge) -> Client:
        """She has asked to subscribe, and her connection has been lost and resumed."""
        anna = await edge.login("anna", "phone", managed=True)
        self.slow = SlowPresence()
        edge.core.presence = self.slow
        self.before = anna.wire.taken
        anna.send(SUBSCRIBE)
        await anna.drop()
        again = await edge.resume(anna)
        assert again.wire.resumed_with == self.before
        return again

    async def test_are_not_told_to_be_handled_before_they_come_again(self, edge: Edge, anna: Client) -> None:
        self.slow.under_way.popleft()()
        await edge.settle()
        assert anna.wire.taken <= self.before
        anna.send(SUBSCRIBE)
        anna.send(PING)
        await edge.settle()
        assert (anna.wire.taken, len(self.slow.taken)) == (self.before + 2, 1)

    async def test_are_not_dealt_with_twice_when_they_come_meanwhile(self, edge: Edge, anna: Client) -> None:
        anna.send(SUBSCRIBE)
        anna.send(PING)
        self.slow.under_way.popleft()()
        await edge.settle()
        assert (anna.wire.taken, len(self.slow.taken)) == (self.before + 2, 1)


class TestEnd:
    async def test_of_a_clean_stream_ends_the_session(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        await anna.leave()
        assert len(edge.core.registry) == 0

    async def test_of_a_connection_ends_a_session_that_cannot_be_resumed(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        await anna.drop()
        assert len(edge.core.registry) == 0

    async def test_of_a_connection_leaves_one_that_can(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        await anna.drop()
        assert len(edge.core.registry) == 1
