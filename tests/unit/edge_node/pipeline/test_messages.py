"""Messages on their way: taken, stored, delivered, refused, and handed on when a session ends."""

from collections.abc import Callable

import pytest

from edge_node.custody import EntryFlag, Watermark
from edge_node.features.archive.store import PageRequest, Selection
from edge_node.pipeline.feature import Drop, Feature, Stages, Verdict
from edge_node.pipeline.messages import MessagePath
from edge_node.pipeline.passage import Passage
from tests.support.edge import Client, Edge, condition_of, jid, parse, types
from xmpp import namespaces
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID

STANZA_ID = f"{{{namespaces.STANZA_ID}}}stanza-id"
WITHOUT_ARCHIVE = {"enabled": False}


def message(to: str, body: str = "hello", type_: str = "chat", more: str = "") -> str:
    return f'<message to="{jid(to)}" type="{type_}" id="m-{body}"><body>{body}</body>{more}</message>'


class TestDelivery:
    async def test_reaches_every_available_resource(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        devices = [await edge.login("bruno", resource) for resource in ("desk", "phone")]
        shy = await edge.login("bruno", "shy", priority=-1)
        anna.send(message("bruno"))
        await edge.settle()
        assert [device.bodies() for device in (*devices, shy)] == [["hello"], ["hello"], []]

    async def test_the_sender_is_stamped_and_the_address_kept(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.send(
            f'<message from="anna@corp.example" to="{bruno.jid}" xml:lang="fr" id="1"><body>salut</body></message>'
        )
        await edge.settle()
        (received,) = bruno.received("message")
        assert (received.sender, received.to, received.lang) == (anna.jid, bruno.jid, "fr")

    async def test_without_address_goes_to_the_own_account(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk")
        phone.send("<message type='chat'><body>note</body></message>")
        await edge.settle()
        assert (phone.bodies(), desk.bodies()) == (["note"], ["note"])

    async def test_keeps_the_order_between_stored_and_unstored(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        edge.store.hold()
        anna.send(message("bruno", "first"))
        anna.send('<message to="bruno@corp.example" type="headline"><body>second</body></message>')
        anna.send(f'<iq to="{bruno.jid}" type="get" id="third"><ping xmlns="urn:xmpp:ping"/></iq>')
        anna.send(f'<presence to="{bruno.jid}"><status>fourth</status></presence>')
        await edge.settle()
        assert bruno.received() == []
        edge.store.release()
        await edge.settle()
        assert [stanza.kind for stanza in bruno.received()] == ["message", "message", "iq", "presence"]


class TestRefusal:
    @pytest.mark.parametrize(
        ("to", "condition"),
        [
            ("corp.example", "service-unavailable"),
            ("anna@elsewhere.example", "remote-server-not-found"),
            ("rooms.elsewhere.example", "remote-server-not-found"),
            ("bruno@corp.example/nowhere", "service-unavailable"),
        ],
    )
    async def test_is_answered(self, edge: Edge, to: str, condition: str) -> None:
        anna = await edge.login("anna", "phone")
        anna.send(f'<message to="{to}" id="m"><body>?</body></message>')
        await edge.settle()
        (answer,) = anna.received("message")
        assert (condition_of(answer), answer.id, str(answer.sender)) == (condition, "m", to)

    async def test_an_error_is_never_answered(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send('<message to="anna@elsewhere.example" type="error"><body>?</body></message>')
        await edge.settle()
        assert anna.received() == []

    async def test_groupchat_to_an_account_is_refused(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.send(message("bruno", type_="groupchat"))
        await edge.settle()
        assert condition_of(anna.received("message")[0]) == "service-unavailable"
        assert bruno.received() == []

    async def test_a_refused_message_leaves_nothing_in_any_archive(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send('<message to="bruno@corp.example/nowhere"><body>?</body></message>')
        await edge.settle()
        assert await edge.store.archive.bounds("anna@corp.example") is None

    async def test_a_store_that_fails_is_answered_with_wait(self) -> None:
        async with Edge("anna", "bruno") as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
            edge.store.custody.is_failing = True
            anna.send(message("bruno", "lost"))
            await edge.settle()
            edge.store.custody.is_failing = False
            anna.send(message("bruno", "kept"))
            await edge.settle()
            assert [stage for stage, _ in edge.reports.failures] == ["commit"]
            assert condition_of(anna.received("message")[0]) == "resource-constraint"
            # The place of the lost one is filled, so that numbers stay true.
            place, kept = bruno.received()
            assert (place.kind, place.type) == ("iq", "get")
            assert kept.id == "m-kept"
            assert anna.session.handled == anna.session.number_in


class TestCustody:
    async def test_is_taken_only_after_the_commit(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone", managed=True), await edge.login("bruno", "desk")
        before = anna.wire.taken
        edge.store.hold()
        anna.send(message("bruno"))
        await edge.settle()
        assert (anna.wire.taken, bruno.received()) == (before, [])
        edge.store.release()
        assert (anna.wire.taken, bruno.bodies()) == (before + 1, ["hello"])

    async def test_without_archive_nothing_is_stored_for_who_is_there(self) -> None:
        async with Edge("anna", "bruno", archive=WITHOUT_ARCHIVE) as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
            edge.store.hold()
            anna.send(message("bruno"))
            assert bruno.bodies() == ["hello"]
            edge.store.release()

    async def test_to_another_site_goes_through_the_outbox(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        edge.store.hold()
        anna.send(message("david"))
        await edge.settle()
        assert edge.hub.held == []
        edge.store.release()
        (envelope,) = edge.hub.held
        assert (envelope.sequence, envelope.sender, envelope.recipients) == (1, str(anna.jid), ("david@corp.example",))
        assert edge.store.outbox.envelopes == 1

    async def test_that_the_outbox_has_no_room_for_is_refused_and_not_kept(self) -> None:
        uplink = {"hub": "hub:1", "authority": "a", "certificate": "c", "key": "k", "outbox_envelopes_max": 16}
        async with Edge("anna", uplink=uplink) as edge:
            anna = await edge.login("anna", "phone")
            for number in range(17):
                anna.send(message("david", body=str(number)))
            await edge.settle()
            (answer,) = anna.received("message")
            assert (condition_of(answer), edge.store.outbox.envelopes) == ("resource-constraint", 16)
            assert b"too much waits for other sites already" in answer.inner
            page = await edge.store.archive.page("anna@corp.example", Selection(), PageRequest(20, last=True))
            assert b"<body>15</body>" in page.rows[-1].stanza
            edge.store.outbox.trim(1)
            await edge.settle()
            anna.send(message("david"))
            await edge.settle()
            assert (anna.received(), edge.store.outbox.envelopes) == ([], 16)

    async def test_from_another_site_is_answered_after_the_commit(self, edge: Edge) -> None:
        bruno = await edge.login("bruno", "desk")
        outcomes: list[Exception | None] = []
        edge.store.hold()
        stanza = parse(message("bruno"))
        stanza.sender = jid("david/pad")
        edge.core.messages.arrive(stanza, Watermark("lyon", 1, 5), outcomes.append)
        await edge.settle()
        assert (outcomes, bruno.received()) == ([], [])
        edge.store.release()
        assert (outcomes, bruno.bodies()) == ([None], ["hello"])
        assert await edge.store.inbox.watermarks() == {"lyon": (1, 5)}

    async def test_from_another_site_to_nobody_is_taken_and_answered(self, edge: Edge) -> None:
        stanza = parse(message("nobody"))
        stanza.sender = jid("david/pad")
        outcomes: list[Exception | None] = []
        edge.core.messages.arrive(stanza, Watermark("lyon", 1, 5), outcomes.append)
        await edge.settle()
        assert outcomes == [None]
        assert [(envelope.type, envelope.recipients) for envelope in edge.hub.held] == [
            ("error", ("david@corp.example/pad",))
        ]


class TestStanzaIds:
    async def test_the_recipient_is_told_the_id_in_his_archive(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.send(message("bruno"))
        await edge.settle()
        (received,) = bruno.received("message")
        element = received.find(STANZA_ID)
        bounds = await edge.store.archive.bounds("bruno@corp.example")
        assert element is not None
        assert bounds is not None
        assert (element.get("by"), element.get("id")) == ("bruno@corp.example", f"{bounds[0].id:016x}")

    async def test_what_is_not_archived_has_none(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.send(message("bruno", more='<no-permanent-store xmlns="urn:xmpp:hints"/>'))
        await edge.settle()
        assert STANZA_ID not in bruno.received("message")[0].payloads

    async def test_forged_ones_are_removed_and_others_kept(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        claims = "".join(
            f'<stanza-id xmlns="urn:xmpp:sid:0" id="{number}" by="{by}"/>'
            for number, by in enumerate(("bruno@corp.example", "corp.example", "room@rooms.example", "@"), start=1)
        )
        anna.send(message("bruno", more=claims))
        await edge.settle()
        (received,) = bruno.received("message")
        ids = [element.get("id") for element in received.elements() if element.name == STANZA_ID]
        assert ids[0] == "3"
        assert len(ids) == 2
        assert len(ids[1] or "") == 16


class TestEndOfSession:
    async def test_unread_messages_wait_for_the_account(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
        bruno.acknowledge()
        anna.send(message("bruno", "unread"))
        await edge.settle()
        await bruno.leave()
        again = await edge.bind("bruno", "desk")
        again.send("<presence/>")
        await edge.settle()
        assert again.bodies() == ["unread"]

    async def test_read_messages_do_not(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
        anna.send(message("bruno", "read"))
        await edge.settle()
        bruno.acknowledge()
        await bruno.leave()
        again = await edge.bind("bruno", "desk")
        again.send("<presence/>")
        await edge.settle()
        assert again.bodies() == []

    async def test_unread_messages_go_to_another_resource(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
        bruno.acknowledge()
        anna.send(message("bruno/desk", "unread"))
        await edge.settle()
        other = await edge.login("bruno", "phone")
        await bruno.leave()
        assert other.bodies() == ["unread"]

    async def test_what_another_resource_got_too_is_not_given_again(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        desk, phone = await edge.login("bruno", "desk", managed=True), await edge.login("bruno", "phone")
        desk.acknowledge()
        anna.send(message("bruno"))
        await edge.settle()
        phone.received()
        await desk.leave()
        assert phone.bodies() == []

    async def test_without_archive_unread_messages_find_their_way_anew(self) -> None:
        async with Edge("anna", "bruno", archive=WITHOUT_ARCHIVE) as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
            bruno.acknowledge()
            anna.send(message("bruno/desk", "unread"))
            await bruno.leave()
            again = await edge.login("bruno", "desk")
            assert again.wire.count > 0
            assert "unread" in (await history(edge, "bruno@corp.example"))

    async def test_a_session_that_ends_during_the_commit_loses_nothing(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        edge.store.hold()
        anna.send(message("bruno", "late"))
        await bruno.leave()
        edge.store.release()
        await edge.settle()
        again = await edge.bind("bruno", "desk")
        again.send("<presence/>")
        await edge.settle()
        assert again.bodies() == ["late"]


async def history(edge: Edge, account: str) -> str:
    """Every stanza that the store ever kept for an account, as one text."""
    rows = edge.store.deliveries._tables.entries.get(account, {})  # noqa: SLF001  the tables are the truth
    return "".join(edge.store.deliveries._tables.messages[row].stanza.decode() for row in rows)  # noqa: SLF001


class Probe:
    """A feature that does what a test tells it to."""

    def __init__(self) -> None:
        self.verdict: Callable[[Passage], Verdict] = lambda _: None
        self.copied: list[Passage] = []
        self.record_error: Exception | None = None
        self.copy_error: Exception | None = None

    def guard(self, passage: Passage) -> Verdict:
        return self.verdict(passage)

    def record(self, passage: Passage) -> None:
        if self.record_error is not None:
            raise self.record_error
        passage.flags |= EntryFlag.ARCHIVED

    def copy(self, passage: Passage) -> None:
        if self.copy_error is not None:
            raise self.copy_error
        self.copied.append(passage)

    def feature(self) -> Feature:
        stages = Stages(guards=(self.guard,), records=(self.record,), copies=(self.copy,))
        return Feature(name="probe", specs=(), outbound=Stages(guards=(self.guard,)), inbound=stages)


@pytest.fixture
def probe() -> Probe:
    return Probe()


async def through(probe: Probe, edge: Edge) -> tuple[Client, Client]:
    """Anna and Bruno on an edge whose messages go by the probe only."""
    path = MessagePath(
        domain="corp.example",
        accounts=edge.parts.directory,
        registry=edge.parts.registry,
        custody=edge.store.custody,
        outbox=edge.parts.departures,
        waiting=edge.store.deliveries,
        next_id=edge.ids.next_id,
        features=[probe.feature()],
        journal=edge.reports,
        durable=False,
    )
    edge.core.messages = path
    return await edge.login("anna", "phone"), await edge.login("bruno", "desk")


class TestStages:
    async def test_a_guard_may_refuse(self, edge: Edge, probe: Probe) -> None:
        anna, bruno = await through(probe, edge)
        probe.verdict = lambda _: StanzaError(StanzaCondition.POLICY_VIOLATION)
        anna.send(message("bruno"))
        await edge.settle()
        assert condition_of(anna.received("message")[0]) == "policy-violation"
        assert bruno.received() == []

    async def test_a_guard_may_drop(self, edge: Edge, probe: Probe) -> None:
        anna, bruno = await through(probe, edge)
        probe.verdict = lambda _: Drop("no reason")
        anna.send(message("bruno"))
        await edge.settle()
        assert (anna.received("message"), bruno.received("message")) == ([], [])

    async def test_a_guard_that_raises_lets_nothing_pass(self, probe: Probe) -> None:
        async with Edge("anna", "bruno") as edge:
            anna, bruno = await through(probe, edge)
            probe.verdict = lambda _: 1 / 0  # type: ignore[assignment,return-value]  # what a bug does
            anna.send(message("bruno"))
            await edge.settle()
            assert condition_of(anna.received("message")[0]) == "internal-server-error"
            assert bruno.received() == []
            assert len(edge.reports.failures) == 1

    async def test_a_record_that_raises_is_answered_with_wait(self, probe: Probe) -> None:
        async with Edge("anna", "bruno") as edge:
            anna, bruno = await through(probe, edge)
            probe.record_error = RuntimeError("a bug")
            anna.send(message("bruno"))
            await edge.settle()
            (answer,) = anna.received()
            element = answer.find("{jabber:client}error")
            assert element is not None
            assert element.get("type") == "wait"
            assert bruno.received() == []

    async def test_a_copy_that_raises_stops_nothing(self, probe: Probe) -> None:
        async with Edge("anna", "bruno") as edge:
            anna, bruno = await through(probe, edge)
            probe.copy_error = RuntimeError("a bug")
            anna.send(message("bruno"))
            await edge.settle()
            assert (anna.received(), bruno.bodies()) == ([], ["hello"])
            assert [stage for stage, _ in edge.reports.failures] == ["copy"]

    async def test_copies_come_after_the_commit(self, edge: Edge, probe: Probe) -> None:
        anna, _ = await through(probe, edge)
        edge.store.hold()
        anna.send(message("bruno"))
        assert probe.copied == []
        edge.store.release()
        assert [passage.account is not None for passage in probe.copied] == [True]


async def test_the_server_sends_messages_too(edge: Edge) -> None:
    bruno = await edge.login("bruno", "desk")
    outcomes: list[Exception | None] = []
    stanza = parse(message("bruno", "notice"))
    stanza.sender = JID.parse("corp.example")
    edge.core.messages.inject(stanza, outcomes.append)
    await edge.settle()
    assert (outcomes, types(bruno.received("message"))) == ([None], ["chat"])


async def test_everything_accepted_is_marked_as_fulfilled(edge: Edge) -> None:
    anna, _ = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
    anna.send(message("bruno"))
    await edge.settle()
    assert list(await edge.store.deliveries.unfulfilled()) == []
