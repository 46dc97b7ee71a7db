"""IQs: answered here, passed to a resource, or sent to another site (RFC 6120 section 8.2.3, RFC 6121 section 8.5)."""

import pytest

from edge_node.pipeline.feature import Answer, Feature, Query, Request, To
from edge_node.pipeline.iqs import IQPath
from edge_node.pipeline.pending import PendingRequests
from tests.support.edge import Client, Edge, condition_of, jid, parse
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.stanza import Stanza

PING = '<ping xmlns="urn:xmpp:ping"/>'
UNKNOWN = '<thing xmlns="urn:example"/>'


def iq(to: str = "", type_: str = "get", payload: str = PING, id_: str = "i") -> str:
    address = f' to="{to}"' if to else ""
    return f'<iq type="{type_}" id="{id_}"{address}>{payload}</iq>'


async def error_of(client: Client, text: str) -> str:
    client.received()
    client.send(text)
    await client.edge.settle()
    (answer,) = client.received("iq")
    return condition_of(answer)


class TestRequests:
    @pytest.mark.parametrize(
        "text",
        [
            '<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>',
            '<iq id="i"><ping xmlns="urn:xmpp:ping"/></iq>',
            '<iq type="ask" id="i"><ping xmlns="urn:xmpp:ping"/></iq>',
            '<iq type="get" id="i"/>',
            f'<iq type="set" id="i">{PING}{PING}</iq>',
        ],
    )
    async def test_that_are_none(self, edge: Edge, text: str) -> None:
        assert await error_of(await edge.login("anna", "phone"), text) == "bad-request"

    @pytest.mark.parametrize(
        ("to", "condition"),
        [
            ("", "service-unavailable"),
            ("anna@corp.example", "service-unavailable"),
            ("corp.example", "service-unavailable"),
            ("corp.example/part", "service-unavailable"),
            ("bruno@corp.example", "service-unavailable"),
            ("bruno@corp.example/gone", "service-unavailable"),
            ("chloe@corp.example/silent", "service-unavailable"),
            ("friend@elsewhere.example", "remote-server-not-found"),
        ],
    )
    async def test_that_nobody_can_answer(self, edge: Edge, to: str, condition: str) -> None:
        anna = await edge.login("anna", "phone")
        for type_ in ("get", "set"):
            assert await error_of(anna, iq(to, type_, UNKNOWN)) == condition

    async def test_go_to_the_resource_they_name(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.bind("bruno", "desk")
        anna.send(iq(str(bruno.jid)))
        (request,) = bruno.received()
        assert (request.sender, request.to, request.payloads) == (anna.jid, bruno.jid, ("{urn:xmpp:ping}ping",))
        bruno.send(f'<iq type="result" id="i" to="{anna.jid}"/>')
        (answer,) = anna.received("iq")
        assert (answer.type, answer.id, answer.sender) == ("result", "i", bruno.jid)

    async def test_of_strangers_are_answered_for_the_resource(self, edge: Edge) -> None:
        """RFC 6121 section 8.5.3.1: to be asked is to be seen."""
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
        assert await error_of(anna, iq(str(chloe.jid))) == "service-unavailable"
        request = parse(iq(str(chloe.jid)))
        request.sender = jid("david/pad")
        edge.core.iqs.arrive(request)
        assert [envelope.type for envelope in edge.hub.transient] == ["error"]
        assert chloe.received() == []

    @pytest.mark.parametrize("to", ["anna@corp.example", "anna@corp.example/phone"])
    async def test_of_who_was_sent_presence_reach_the_resource(self, edge: Edge, to: str) -> None:
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
        chloe.send(f'<presence to="{to}"/>')
        anna.send(iq(str(chloe.jid)))
        assert [stanza.sender for stanza in chloe.received("iq")] == [anna.jid]

    async def test_reach_the_other_resources_of_the_account(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.bind("anna", "desk")
        phone.send(iq(str(desk.jid)))
        assert [stanza.sender for stanza in desk.received("iq")] == [phone.jid]

    async def test_to_a_dormant_session_are_answered_for_it(self, edge: Edge) -> None:
        bruno = await edge.login("bruno", "desk", managed=True)
        await edge.restart()
        anna = await edge.login("anna", "phone")
        assert await error_of(anna, iq(str(bruno.jid))) == "service-unavailable"

    async def test_that_the_client_never_had_are_answered_when_its_session_ends(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
        anna.send(iq(str(bruno.jid), id_="had"))
        bruno.acknowledge()
        await bruno.drop()
        anna.send(iq(str(bruno.jid), id_="not had"))
        anna.received()
        edge.pass_time(601)
        (answer,) = anna.received("iq")
        assert (answer.id, condition_of(answer)) == ("not had", "service-unavailable")

    async def test_that_were_answered_and_not_acknowledged_are_not_answered_again(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
        for id_ in ("answered", "not answered"):
            anna.send(iq(str(bruno.jid), id_=id_))
        bruno.send(f'<iq type="result" id="answered" to="{anna.jid}"/>')
        await bruno.leave()
        answers = [(answer.id, answer.type) for answer in anna.received("iq")]
        assert answers == [("answered", "result"), ("not answered", "error")]


class TestResponses:
    async def test_are_never_answered(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        for to in ("", "corp.example", "bruno@corp.example", "bruno@corp.example/gone", "friend@elsewhere.example/x"):
            for type_ in ("result", "error"):
                anna.send(iq(to, type_, ""))
        await edge.settle()
        assert anna.received("iq") == []


class TestOtherSites:
    async def test_a_request_goes_there_and_its_answer_comes_back_once(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send(iq("david@corp.example/pad"))
        (envelope,) = edge.hub.transient
        assert (envelope.kind, envelope.id, envelope.recipients) == ("iq", "i", ("david@corp.example/pad",))
        answer = Stanza("iq", "result", "i", anna.jid, jid("david/pad"))
        for _ in range(2):
            edge.core.iqs.arrive(answer.copy())
        assert [each.id for each in anna.received("iq")] == ["i"]

    @pytest.mark.parametrize(("sender", "id_"), [("david/other", "i"), ("david", "i"), ("david/pad", "j")])
    async def test_only_who_was_asked_answers_and_only_what_was_asked(self, edge: Edge, sender: str, id_: str) -> None:
        anna = await edge.login("anna", "phone")
        anna.send(iq("david@corp.example/pad"))
        edge.core.iqs.arrive(Stanza("iq", "result", id_, anna.jid, jid(sender)))
        assert anna.received("iq") == []

    async def test_a_request_that_is_not_answered_times_out(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send(iq("david@corp.example/pad"))
        edge.pass_time(29)
        assert anna.received("iq") == []
        edge.pass_time(2)
        (answer,) = anna.received("iq")
        assert (condition_of(answer), str(answer.sender)) == ("remote-server-timeout", "david@corp.example/pad")
        edge.core.iqs.arrive(Stanza("iq", "result", "i", anna.jid, jid("david/pad")))
        assert anna.received("iq") == []

    async def test_a_request_while_the_link_is_down_is_refused(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        edge.hub.is_linked = False
        assert await error_of(anna, iq("david@corp.example")) == "remote-server-timeout"
        edge.pass_time(60)
        assert anna.received("iq") == []

    async def test_a_request_that_the_hub_gives_back_is_answered(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send(iq("david@corp.example"))
        for _ in range(2):
            edge.core.iqs.undeliverable(anna.jid, jid("david"), "i", StanzaCondition.SERVICE_UNAVAILABLE)
        (answer,) = anna.received("iq")
        assert condition_of(answer) == "service-unavailable"

    async def test_too_many_at_once_are_refused(self) -> None:
        async with Edge("anna", requests={"waiting_max": 1}) as edge:
            anna = await edge.login("anna", "phone")
            anna.send(iq("david@corp.example", id_="one"))
            assert await error_of(anna, iq("david@corp.example", id_="two")) == "resource-constraint"

    async def test_requests_from_there_are_answered(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        for number, (to, condition) in enumerate(
            (("anna", "service-unavailable"), ("anna/gone", "service-unavailable"), ("nobody", "service-unavailable"))
        ):
            request = parse(iq(str(jid(to)), payload=UNKNOWN, id_=str(number)))
            request.sender = jid("david/pad")
            edge.core.iqs.arrive(request)
            envelope = edge.hub.transient[-1]
            assert (envelope.type, envelope.id, envelope.recipients) == (
                "error",
                str(number),
                ("david@corp.example/pad",),
            )
            assert condition.encode() in envelope.inner
        anna.send('<presence to="david@corp.example"/>')
        request = parse(iq(str(anna.jid)))
        request.sender = jid("david/pad")
        edge.core.iqs.arrive(request)
        assert [each.sender for each in anna.received("iq")] == [jid("david/pad")]


class Asked:
    """A feature whose handlers do what a test tells them to."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def at_once(self, request: Request) -> Answer:
        if self.error is not None:
            raise self.error
        return request.stanza.result()

    async def later(self, request: Request) -> Answer:
        return self.at_once(request)

    async def silently(self, request: Request) -> Answer:
        del request
        return None


@pytest.fixture
def asked() -> Asked:
    return Asked()


async def asking(asked: Asked, edge: Edge) -> Client:
    names = {"now": asked.at_once, "later": asked.later, "silent": asked.silently}
    handlers = {Query("get", f"{{urn:example}}{name}", To.ACCOUNT): handler for name, handler in names.items()}
    edge.core.iqs = IQPath(
        router=edge.core.iqs._router,  # noqa: SLF001  the composed one
        registry=edge.core.registry,
        features=[Feature(name="asked", specs=(), iq=handlers)],
        pending=PendingRequests(edge.clock.monotonic, deadline_seconds=1, requests_max=1),
        tasks=edge.core.tasks,
        journal=edge.reports,
    )
    return await edge.bind("anna", "phone")


class TestHandlers:
    @pytest.mark.parametrize("name", ["now", "later"])
    async def test_answer(self, edge: Edge, asked: Asked, name: str) -> None:
        anna = await asking(asked, edge)
        assert (await anna.ask(iq(payload=f'<{name} xmlns="urn:example"/>'))).type == "result"

    async def test_may_answer_on_their_own(self, edge: Edge, asked: Asked) -> None:
        anna = await asking(asked, edge)
        anna.send(iq(payload='<silent xmlns="urn:example"/>'))
        await edge.settle()
        assert anna.received() == []

    @pytest.mark.parametrize("name", ["now", "later"])
    async def test_may_refuse(self, edge: Edge, asked: Asked, name: str) -> None:
        anna = await asking(asked, edge)
        asked.error = StanzaError(StanzaCondition.GONE)
        assert await error_of(anna, iq(payload=f'<{name} xmlns="urn:example"/>')) == "gone"

    @pytest.mark.parametrize("name", ["now", "later"])
    async def test_that_fail_are_answered_for(self, asked: Asked, name: str) -> None:
        async with Edge("anna") as edge:
            anna = await asking(asked, edge)
            asked.error = RuntimeError("a bug")
            assert await error_of(anna, iq(payload=f'<{name} xmlns="urn:example"/>')) == "internal-server-error"
            assert [stage for stage, _ in edge.reports.failures] == [f"{{urn:example}}{name}"]

    async def test_have_a_bound(self, asked: Asked) -> None:
        async with Edge("anna") as edge:
            anna = await asking(asked, edge)
            edge.core.tasks._tasks_max = 0  # type: ignore[attr-defined]  # noqa: SLF001  full
            assert await error_of(anna, iq(payload='<later xmlns="urn:example"/>')) == "resource-constraint"
