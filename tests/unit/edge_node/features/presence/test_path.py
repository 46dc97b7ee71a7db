"""Presence as clients meet it (RFC 6121 section 4)."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from cascade.frame import AccountPresence, AvailableResource
from edge_node.custody import StoreUnavailable
from edge_node.features.presence.path import priority_of
from tests.support.edge import Client, Edge, condition_of, jid, parse
from xmpp.stanza import Stanza

Seen = list[tuple[str, str | None]]


def presences(client: Client) -> Seen:
    """(from, type) of the presences that came."""
    found = []
    for stanza in client.received("presence"):
        assert stanza.to is not None
        assert stanza.to.bare == client.jid.bare
        found.append((str(stanza.sender).replace("@corp.example", ""), stanza.type))
    return found


async def online(edge: Edge, account: str, resource: str, presence: str = "<presence/>") -> Client:
    client = await edge.bind(account, resource)
    client.send(presence)
    await edge.settle()
    return client


class TestInitialPresence:
    async def test_is_shown_to_contacts_and_to_the_own_resources(self, edge: Edge) -> None:
        bruno, chloe = await edge.login("bruno", "desk"), await edge.login("chloe", "pad")
        phone = await online(edge, "anna", "phone")
        assert presences(phone) == [("anna/phone", None), ("bruno/desk", None)]
        desk = await online(edge, "anna", "desk")
        assert presences(phone) == [("anna/desk", None)]
        assert sorted(presences(desk)) == [("anna/desk", None), ("anna/phone", None), ("bruno/desk", None)]
        assert presences(bruno) == [("anna/phone", None), ("anna/desk", None)]
        assert presences(chloe) == []

    async def test_is_not_shown_to_resources_that_sent_none(self, edge: Edge) -> None:
        silent, own = await edge.bind("bruno", "silent"), await edge.bind("anna", "silent")
        await online(edge, "anna", "phone")
        assert (presences(silent), presences(own)) == ([], [])

    async def test_carries_what_the_client_said(self, edge: Edge) -> None:
        bruno = await edge.login("bruno", "desk")
        await online(edge, "anna", "phone", '<presence id="p1"><show>dnd</show><status>busy</status></presence>')
        (stanza,) = bruno.received("presence")
        assert (stanza.id, stanza.inner) == ("p1", b"<show>dnd</show><status>busy</status>")

    async def test_is_told_once(self, edge: Edge) -> None:
        await edge.login("bruno", "desk")
        phone = await online(edge, "anna", "phone")
        presences(phone)
        phone.send("<presence><show>away</show></presence>")
        await edge.settle()
        assert presences(phone) == [("anna/phone", None)]

    async def test_brings_the_requests_that_wait(self, edge: Edge) -> None:
        chloe = await edge.login("chloe", "pad")
        chloe.send('<presence type="subscribe" to="anna@corp.example" id="please"><status>hi</status></presence>')
        await edge.settle()
        for _ in range(2):  # until it is answered
            phone = await online(edge, "anna", "phone")
            (request,) = [stanza for stanza in phone.received("presence") if stanza.type == "subscribe"]
            assert (str(request.sender), request.id, request.inner) == (
                "chloe@corp.example",
                "please",
                b"<status>hi</status>",
            )
            await phone.leave()


class TestUnavailable:
    async def test_is_shown_like_presence(self, edge: Edge) -> None:
        bruno, desk = await edge.login("bruno", "desk"), await edge.login("anna", "desk")
        phone = await edge.login("anna", "phone")
        bruno.received(), desk.received()
        phone.send('<presence type="unavailable"><status>bye</status></presence>')
        await edge.settle()
        assert presences(bruno) == [("anna/phone", "unavailable")]
        assert presences(desk) == [("anna/phone", "unavailable")]
        assert presences(phone) == [("anna/phone", "unavailable")]

    @pytest.mark.parametrize("how", ["leave", "drop"])
    async def test_is_said_by_the_server_when_a_session_ends(self, edge: Edge, how: str) -> None:
        bruno, phone = await edge.login("bruno", "desk"), await edge.login("anna", "phone")
        bruno.received()
        await getattr(phone, how)()
        assert presences(bruno) == [("anna/phone", "unavailable")]

    async def test_is_not_said_of_what_was_not_available(self, edge: Edge) -> None:
        bruno, silent = await edge.login("bruno", "desk"), await edge.bind("anna", "silent")
        silent.send('<presence type="unavailable"/>')
        await silent.leave()
        assert presences(bruno) == []

    async def test_is_not_said_while_the_session_can_be_resumed(self, edge: Edge) -> None:
        bruno, phone = await edge.login("bruno", "desk"), await edge.login("anna", "phone", managed=True)
        bruno.received()
        await phone.drop()
        assert presences(bruno) == []
        edge.pass_time(601)
        assert presences(bruno) == [("anna/phone", "unavailable")]


class TestDirectedPresence:
    async def test_reaches_whom_it_is_sent_to(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        desk, pad = await edge.login("chloe", "desk"), await edge.login("chloe", "pad")
        desk.received(), pad.received()
        anna.send('<presence to="chloe@corp.example/pad"/>')
        await edge.settle()
        assert (presences(desk), presences(pad)) == ([], [("anna/phone", None)])
        anna.send('<presence to="chloe@corp.example"/>')
        await edge.settle()
        assert (presences(desk), presences(pad)) == ([("anna/phone", None)], [("anna/phone", None)])

    async def test_is_taken_back_when_the_session_ends(self, edge: Edge) -> None:
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
        anna.send('<presence to="chloe@corp.example/pad"/>')
        await anna.leave()
        assert presences(chloe) == [("anna/phone", None), ("anna/phone", "unavailable")]

    async def test_is_taken_back_once(self, edge: Edge) -> None:
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
        for type_ in ("", ' type="unavailable"'):
            anna.send(f'<presence to="chloe@corp.example/pad"{type_}/>')
        await anna.leave()
        assert presences(chloe) == [("anna/phone", None), ("anna/phone", "unavailable")]

    async def test_to_a_contact_is_not_taken_back_twice(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.send('<presence to="bruno@corp.example/desk"/>')
        await anna.leave()
        assert presences(bruno) == [("anna/phone", None), ("anna/phone", "unavailable")]

    async def test_of_who_never_was_available_is_taken_back_from_a_contact_too(self, edge: Edge) -> None:
        bruno, anna = await edge.login("bruno", "desk"), await edge.bind("anna", "phone")
        anna.send('<presence to="bruno@corp.example/desk"/>')
        await anna.leave()
        assert presences(bruno) == [("anna/phone", None), ("anna/phone", "unavailable")]

    async def test_to_an_own_resource_is_taken_back_once(self, edge: Edge) -> None:
        desk, phone = await edge.login("anna", "desk"), await edge.login("anna", "phone")
        phone.send('<presence to="anna@corp.example/desk"/>')
        await edge.settle()
        desk.received()
        await phone.leave()
        assert presences(desk) == [("anna/phone", "unavailable")]

    async def test_is_taken_back_after_a_death_of_the_core(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        anna.send('<presence to="chloe@corp.example/pad"/>')
        await edge.settle()
        await edge.restart()
        chloe = await edge.login("chloe", "pad")
        await (await edge.resume(anna)).leave()
        assert presences(chloe) == [("anna/phone", "unavailable")]

    async def test_to_another_domain_is_answered(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send('<presence to="room@rooms.elsewhere.example/anna"/>')
        await edge.settle()
        (answer,) = anna.received()
        assert condition_of(answer) == "remote-server-not-found"

    async def test_to_another_site_is_held(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send('<presence to="david@corp.example/pad"/>')
        await edge.settle()
        await anna.leave()
        await edge.settle()
        assert [(envelope.type, envelope.recipients) for envelope in edge.hub.held] == [
            (None, ("david@corp.example/pad",)),
            ("unavailable", ("david@corp.example/pad",)),
        ]

    async def test_is_taken_back_from_many_in_one_commit(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        for number in range(60):
            anna.send(f'<presence to="david{number}@corp.example/pad"/>')
        await edge.settle()
        edge.hub.held.clear()
        anna.attachment.detach(clean=True, reason="closed")
        edge.store.hold()  # so that nothing but the goodbyes is in their commit
        await edge.settle()
        before = edge.store.counters.commits
        edge.store.release()
        await edge.settle()
        assert edge.store.counters.commits == before + 1
        assert {envelope.type for envelope in edge.hub.held} == {"unavailable"}
        assert len(edge.hub.held) == 60

    async def test_that_cannot_be_taken_back_is_reported_in_one_line(self) -> None:
        async with Edge("anna") as edge:
            anna = await edge.login("anna", "phone")
            for number in range(3):
                anna.send(f'<presence to="david{number}@corp.example/pad"/>')
            await edge.settle()
            edge.store.custody.is_failing = True
            with capture_logs() as logs:
                await anna.leave()
            edge.store.custody.is_failing = False
            ((stage, error),) = edge.reports.failures
            assert (stage, type(error)) == ("goodbye", StoreUnavailable)
            assert str(error).startswith("3 addresses elsewhere are not told that anna@corp.example/phone has gone: ")
            assert "task_failed" not in [entry["event"] for entry in logs]

    async def test_that_cannot_even_be_tried_is_reported(self) -> None:
        async with Edge("anna") as edge:
            anna = await edge.login("anna", "phone")
            anna.send('<presence to="david@corp.example/pad"/>')
            await edge.settle()
            tasks: Any = edge.core.tasks
            bound, tasks._tasks_max = tasks._tasks_max, 0  # noqa: SLF001  full
            await anna.leave()
            tasks._tasks_max = bound  # noqa: SLF001
            assert "too much is under way" in str(edge.reports.failures[-1][1])

    async def test_has_a_bound(self) -> None:
        async with Edge("anna", sessions={"directed_max": 1}) as edge:
            anna = await edge.login("anna", "phone")
            for name in ("one", "two", "one"):
                anna.send(f'<presence id="{name}" to="anna@corp.example/{name}"/>')
            await edge.settle()
            (answer,) = anna.received()
            assert (answer.id, condition_of(answer)) == ("two", "resource-constraint")

    @pytest.mark.parametrize("type_", [None, "unavailable", "subscribed", "unsubscribe", "unsubscribed"])
    async def test_to_a_resource_that_is_not_there_is_dropped(self, edge: Edge, type_: str | None) -> None:
        """RFC 6121 section 8.5.3.2.2."""
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "desk")
        kind = "" if type_ is None else f' type="{type_}"'
        anna.send(f'<presence to="chloe@corp.example/gone"{kind}/>')
        await edge.settle()
        assert (anna.received("presence"), chloe.received()) == ([], [])


class TestProbe:
    async def test_of_a_contact_shows_him(self, edge: Edge) -> None:
        anna, _ = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.received()
        anna.send('<presence type="probe" to="bruno@corp.example"/>')
        await edge.settle()
        assert presences(anna) == [("bruno/desk", None)]

    async def test_of_a_contact_who_is_away_says_so(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send('<presence type="probe" to="bruno@corp.example/desk"/>')
        await edge.settle()
        assert presences(anna) == [("bruno", "unavailable")]

    async def test_of_the_own_account_shows_its_resources(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send('<presence type="probe" to="anna@corp.example"/>')
        await edge.settle()
        assert presences(anna) == [("anna/phone", None)]

    async def test_of_a_stranger_at_another_site_shows_nothing(self, edge: Edge) -> None:
        """Somebody else here may see him, so his presence is known."""
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
        anna.send('<presence type="subscribe" to="david@corp.example"/>')
        await edge.settle()
        await edge.parts.presence.arrive(Stanza("presence", "subscribed", to=jid("anna"), sender=jid("david")))
        shown = Stanza("presence", sender=jid("david/pad")).render()
        edge.parts.arrivals.on_presence([AccountPresence("david@corp.example", 1, (AvailableResource("pad", shown),))])
        anna.received()
        for client in (anna, chloe):
            client.send('<presence type="probe" to="david@corp.example"/>')
        await edge.settle()
        assert (presences(anna), presences(chloe)) == ([("david/pad", None)], [])

    async def test_of_a_stranger_shows_nothing(self, edge: Edge) -> None:
        anna, _ = await edge.login("anna", "phone"), await edge.login("chloe", "desk")
        anna.send('<presence type="probe" to="chloe@corp.example"/>')
        await edge.settle()
        assert presences(anna) == []


async def test_a_type_that_is_none_is_answered(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    anna.send('<presence type="sleepy" id="p"/>')
    await edge.settle()
    (answer,) = anna.received()
    assert condition_of(answer) == "bad-request"


async def test_an_error_is_passed_on_and_never_answered(edge: Edge) -> None:
    anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
    anna.received()
    anna.send(f'<presence type="error" to="{bruno.jid}"/>')
    anna.send('<presence type="error"/>')
    await edge.settle()
    assert presences(bruno) == [("anna/phone", "error")]
    assert presences(anna) == []


async def test_an_error_for_another_site_is_held(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    anna.send('<presence type="error" to="david@corp.example/pad"/>')
    await edge.settle()
    assert [(each.kind, each.type, each.recipients) for each in edge.hub.held] == [
        ("presence", "error", ("david@corp.example/pad",))
    ]


@pytest.mark.parametrize(
    ("inner", "priority"),
    [
        ("", 0),
        ("<priority>5</priority>", 5),
        ("<priority> -128 </priority>", -128),
        ("<priority>127</priority>", 127),
        ("<priority>128</priority>", 0),
        ("<priority>-129</priority>", 0),
        ("<priority>high</priority>", 0),
        ("<priority/>", 0),
    ],
)
def test_priority(inner: str, priority: int) -> None:
    assert priority_of(parse(f"<presence>{inner}</presence>")) == priority


class TestFromOtherSites:
    async def test_subscriptions_are_taken(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        request = Stanza("presence", "subscribe", to=jid("anna"), sender=jid("david"))
        await edge.parts.presence.arrive(request)
        assert presences(anna) == [("david", "subscribe")]

    async def test_directed_presence_is_delivered(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        await edge.parts.presence.arrive(Stanza("presence", to=anna.jid, sender=jid("david/pad")))
        await edge.parts.presence.arrive(Stanza("presence", to=jid("anna"), sender=jid("david/pad")))
        await edge.parts.presence.arrive(Stanza("presence", to=jid("chloe"), sender=jid("david/pad")))
        assert presences(anna) == [("david/pad", None), ("david/pad", None)]
