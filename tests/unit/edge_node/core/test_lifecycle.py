"""Stream management as a client meets it (XEP-0198), and how sessions end."""

import pytest

from edge_node.core.lifecycle import parse_resumption_id, resumption_id
from tests.support.edge import Client, Edge
from xmpp.errors import StreamCondition, StreamError

PING = '<iq to="corp.example" id="ping" type="get"><ping xmlns="urn:xmpp:ping"/></iq>'


def message(to: str, body: str) -> str:
    return f'<message to="{to}@corp.example" type="chat"><body>{body}</body></message>'


SUBSCRIBE = '<presence to="bruno@corp.example" type="subscribe"/>'


async def pair(edge: Edge) -> tuple[Client, Client]:
    """Anna, and Bruno with stream management and nothing unacknowledged."""
    anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
    bruno.acknowledge()
    anna.received()
    return anna, bruno


class TestEnabling:
    async def test_gives_an_id_and_a_time(self, edge: Edge) -> None:
        client = await edge.bind("anna", "phone")
        await client.manage(max_seconds=60)
        assert client.wire.management_seconds == 60
        assert parse_resumption_id(client.wire.resumption_id) == (client.wire.key, client.session.secret)

    async def test_does_not_give_more_time_than_there_is(self, edge: Edge) -> None:
        client = await edge.bind("anna", "phone")
        await client.manage(max_seconds=100_000)
        assert client.wire.management_seconds == 600

    async def test_without_resumption_gives_no_id(self, edge: Edge) -> None:
        client = await edge.bind("anna", "phone")
        await client.manage(resume=False)
        assert (client.wire.resumption_id, client.wire.management_seconds) == ("", 0)
        await client.drop()
        assert len(edge.core.registry) == 0

    async def test_is_refused_before_binding_and_the_second_time(self, edge: Edge) -> None:
        unbound = edge.connect()
        unbound.attachment.enable_management(True, None)
        assert unbound.wire.is_management_refused
        client = await edge.login("anna", "phone", managed=True)
        await client.manage()
        assert client.wire.is_management_refused

    async def test_starts_both_counts(self, edge: Edge) -> None:
        client = await edge.bind("anna", "phone")
        client.send("<presence/>")
        await edge.settle()
        await client.manage()
        client.received()
        client.send("<presence/>")
        await edge.settle()
        assert (client.wire.taken, client.wire.count, len(client.received())) == (1, 1, 1)
        client.acknowledge(1)
        assert client.is_online

    async def test_counts_what_was_promised_before(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.bind("bruno", "desk")
        await bruno.ask(PING)
        edge.store.hold()
        anna.send(message("bruno", "x").replace("bruno@corp.example", "bruno@corp.example/desk"))
        await bruno.manage()
        edge.store.release()
        await edge.settle()
        anna.send(message("bruno", "y").replace("bruno@corp.example", "bruno@corp.example/desk"))
        await edge.settle()
        assert bruno.bodies() == ["x", "y"]
        assert bruno.session.number_out == bruno.wire.count == 2
        await edge.restart()
        assert (await edge.resume(bruno, 0)).bodies() == ["x", "y"]

    @pytest.mark.parametrize(
        "early",
        [
            [message("bruno", "early")],
            [SUBSCRIBE],
            [message("bruno", "early"), '<iq type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>'],
            [SUBSCRIBE, *[message("bruno", "early")] * 3],
        ],
        ids=["message", "subscription", "iq behind it", "messages behind it"],
    )
    async def test_does_not_count_what_is_under_way(self, edge: Edge, early: list[str]) -> None:
        bruno, anna = await edge.login("bruno", "desk"), await edge.bind("anna", "phone")
        edge.store.hold()
        for stanza in early:
            anna.send(stanza)
        anna.attachment.enable_management(True, None)
        edge.store.release()
        await edge.settle()
        assert (anna.wire.taken, anna.session.handled, anna.session.durable) == (0, 0, 0)
        anna.send(message("bruno", "first"))
        await edge.settle()
        assert (anna.wire.taken, anna.session.handled, anna.session.durable) == (1, 1, 1)
        assert bruno.bodies() == ["early"] * sum("early" in stanza for stanza in early) + ["first"]


class TestAcknowledgements:
    async def test_too_high_ends_the_session(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        bruno.acknowledge(1000)
        (error,) = bruno.wire.closed
        assert error is not None
        assert error.condition is StreamCondition.UNDEFINED_CONDITION

    async def test_are_asked_for_now_and_then(self, edge: Edge) -> None:
        anna, bruno = await pair(edge)
        edge.pass_time(10)
        assert bruno.wire.requests == 0
        anna.send(message("bruno", "one"))
        await edge.settle()
        edge.pass_time(9)
        assert bruno.wire.requests == 0
        edge.pass_time(1)
        edge.pass_time(10)
        assert bruno.wire.requests == 1

    async def test_that_never_come_end_the_session_and_lose_nothing(self) -> None:
        async with Edge("anna", "bruno", sessions={"unacknowledged_max": 10}) as edge:
            anna, bruno = await pair(edge)
            bodies = [str(number) for number in range(15)]
            for body in bodies:
                anna.send(message("bruno", body))
            await edge.settle()
            assert bruno.bodies() == bodies[:10]
            edge.pass_time(1)
            assert [error.condition for error in bruno.wire.closed if error] == [StreamCondition.RESOURCE_CONSTRAINT]
            await edge.settle()
            again = await edge.bind("bruno", "desk")
            again.send("<presence/>")
            await edge.settle()
            assert again.bodies() == bodies


class TestResumption:
    async def test_brings_what_was_missed_in_order_and_once(self, edge: Edge) -> None:
        anna, bruno = await pair(edge)
        anna.send(message("bruno", "read"))
        await edge.settle()
        h = bruno.wire.count
        anna.send(message("bruno", "on the wire"))
        await edge.settle()
        await bruno.drop()
        anna.send(message("bruno", "while away"))
        await edge.settle()
        again = await edge.resume(bruno, h)
        assert again.bodies() == ["on the wire", "while away"]
        anna.send(message("bruno", "after"))
        await edge.settle()
        assert again.bodies() == ["after"]
        again.acknowledge()
        assert again.is_online

    async def test_tells_how_much_was_taken(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        await bruno.drop()
        again = await edge.resume(bruno)
        assert again.wire.resumed_with == bruno.wire.taken

    async def test_waits_for_what_is_being_stored(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        taken = bruno.wire.taken
        edge.store.hold()
        bruno.send(message("anna", "one"))
        await bruno.drop()
        again = await edge.resume(bruno)
        assert again.wire.resumed_with is None
        edge.store.release()
        await edge.settle()
        assert again.wire.resumed_with == taken + 1

    async def test_keeps_the_address_and_presence(self, edge: Edge) -> None:
        anna, bruno = await pair(edge)
        await bruno.drop()
        again = await edge.resume(bruno)
        assert again.jid == bruno.jid
        assert anna.received("presence") == []
        assert again.session.is_available

    async def test_takes_over_from_a_connection_that_is_still_there(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        again = await edge.resume(bruno)
        assert [error.condition for error in bruno.wire.closed if error] == [StreamCondition.CONFLICT]
        await bruno.drop()
        assert again.session.channel is again.wire

    async def test_needs_the_right_id_and_the_right_account(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        await bruno.drop()
        for account, id_ in (
            ("bruno", "nonsense"),
            ("bruno", bruno.wire.resumption_id[:-2] + "00"),
            ("anna", bruno.wire.resumption_id),
        ):
            client = edge.connect()
            client.attachment.authenticated(account)
            client.attachment.resume(id_, 0)
            await edge.settle()
            assert client.wire.resumption_refused_with == [None]

    async def test_is_over_after_its_time(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        await bruno.drop()
        edge.pass_time(599)
        assert len(edge.core.registry) == 2
        edge.pass_time(2)
        again = await edge.resume(bruno)
        assert again.wire.resumption_refused_with == [None]

    async def test_with_a_count_that_is_too_high_is_an_error(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        await bruno.drop()
        again = await edge.resume(bruno, 1000)
        assert [error.condition for error in again.wire.closed if error] == [StreamCondition.UNDEFINED_CONDITION]
        assert (await edge.resume(bruno)).wire.resumed_with is not None

    async def test_by_a_connection_that_is_lost_meanwhile_leaves_the_session_waiting(self, edge: Edge) -> None:
        anna, bruno = await pair(edge)
        await bruno.drop()
        edge.store.hold()
        anna.send(message("bruno", "one"))
        lost = await edge.resume(bruno)
        await lost.drop()
        edge.store.release()
        await edge.settle()
        assert lost.wire.resumed_with is None
        again = await edge.resume(bruno)
        assert again.bodies() == ["one"]
        await again.drop()
        edge.pass_time(601)
        assert edge.core.registry.account("bruno@corp.example") is None

    async def test_of_a_client_that_was_silent_for_long_knows_how_much_was_taken(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        anna.send(PING)
        await edge.settle()
        for _ in range(300):
            edge.pass_time(10)
            await edge.settle()
        anna.acknowledge()
        await edge.restart()
        again = await edge.resume(anna)
        assert again.wire.resumed_with == anna.wire.taken > 0


class TestStore:
    async def test_keeps_only_sessions_that_can_come_back(self, edge: Edge) -> None:
        await edge.login("anna", "phone")
        await edge.login("bruno", "desk", managed=True)
        await edge.settle()
        assert [record.account for record in await edge.store.sessions.load_all()] == ["bruno"]

    async def test_forgets_sessions_that_have_ended(self, edge: Edge) -> None:
        _, bruno = await pair(edge)
        await bruno.leave()
        await edge.settle()
        assert list(await edge.store.sessions.load_all()) == []

    async def test_keeps_all_where_connections_outlive_the_core(self) -> None:
        async with Edge("anna", listeners={"processes": 1}) as edge:
            anna = await edge.login("anna", "phone")
            await edge.settle()
            (record,) = await edge.store.sessions.load_all()
            assert (record.key, record.resource, record.managed) == (anna.wire.key, "phone", False)


async def test_every_session_of_an_account_is_ended_at_once(edge: Edge) -> None:
    clients = [await edge.login("anna", each) for each in ("phone", "desk")]
    edge.core.lifecycle.end_account("anna", StreamError(StreamCondition.NOT_AUTHORIZED))
    edge.core.lifecycle.end_account("nobody", StreamError(StreamCondition.NOT_AUTHORIZED))
    assert [client.is_online for client in clients] == [False, False]
    assert edge.core.registry.account("anna@corp.example") is None


async def test_resumption_ids_say_which_session(edge: Edge) -> None:
    anna = await edge.login("anna", "phone", managed=True)
    assert parse_resumption_id(resumption_id(anna.session)) == (anna.session.key, anna.session.secret)
    assert [parse_resumption_id(each) for each in ("", "xyz", "0123456789abcdefg")] == [None, None, None]


class TestWithoutArchive:
    """What clients send is then not stored, and so is not how much of it there was."""

    async def test_the_count_is_told_at_once(self) -> None:
        async with Edge("anna", "bruno", archive={"enabled": False}) as edge:
            anna, _ = await pair(edge)
            before = anna.wire.taken
            edge.store.hold()
            anna.send(message("bruno", "one"))
            await edge.settle()
            assert anna.wire.taken == before + 1
            edge.store.release()

    async def test_a_restarted_core_resumes_no_session(self) -> None:
        async with Edge("anna", "bruno", archive={"enabled": False}) as edge:
            anna, _ = await pair(edge)
            await edge.restart()
            again = await edge.resume(anna)
            assert again.wire.resumption_refused_with == [None]
