"""What comes from the hub: in order, once, and answered for when it is stored."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from cascade.envelope import Envelope, Kind
from cascade.frame import (
    AccountPresence,
    AvailableResource,
    HomeAnswer,
    InterestChange,
    Refusal,
    Undeliverable,
    Welcome,
)
from cascade.inbox import Inbox, Verdict
from cascade.link import FailureReason, LinkFailure
from edge_node.custody import Acceptance, Done, StoreUnavailable
from edge_node.features.archive.store import PageRequest, Selection
from edge_node.uplink.arrivals import Arrivals
from edge_node.uplink.envelopes import envelope_of
from tests.support.edge import DOMAIN, Client, Edge, condition_of, jid, parse, types
from tests.support.virtual_time import run_in_virtual_time
from xmpp.payloads import disco
from xmpp.stanza import Stanza

DAVID = f"david@{DOMAIN}"
LOST = LinkFailure(FailureReason.LOST, "the WAN is cut")
WELCOME = Welcome(domain=DOMAIN, met=0, window_envelopes=100)


def envelope(sequence: int, *to: str, body: str = "", kind: Kind = "message", type_: str | None = "chat") -> Envelope:
    """From David in Lyon; its place on the link is its sequence."""
    inner = f"<body>{body or sequence}</body>".encode() if kind == "message" else b""
    return Envelope(
        origin="lyon",
        epoch=1,
        sequence=sequence,
        hub_sequence=sequence,
        sender=str(jid("david/pad")),
        recipients=tuple(str(jid(each)) for each in to),
        kind=kind,
        type=type_,
        id=str(sequence),
        payloads=("{jabber:client}body",) if inner else (),
        inner=inner,
    )


def presence(sequence: int, to: str, type_: str | None = None) -> Envelope:
    return envelope(sequence, to, kind="presence", type_=type_)


class Lyon:
    """The link to the hub, as far as envelopes go: what is not acknowledged is sent again, duplicates are dropped."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.inbox = Inbox({})
        self.acknowledged: list[int] = []

    def send(self, *envelopes: Envelope) -> None:
        new = [each for each in envelopes if not each.is_held or self.inbox.take(each) is Verdict.NEW]

        def stored(envelopes: Sequence[Envelope]) -> None:
            self.acknowledged.append(envelopes[-1].hub_sequence)
            for each in envelopes:
                self.inbox.store(each)

        self.edge.parts.arrivals.on_envelopes(new, stored)

    async def sends(self, *envelopes: Envelope) -> None:
        self.send(*envelopes)
        await self.edge.settle()

    async def sends_again(self, *envelopes: Envelope) -> None:
        """After a link that was ended because the store failed."""
        self.inbox.forget_taken()
        await self.sends(*envelopes)


def heard(client: Client) -> list[str]:
    """What came, in its order: texts of messages, types of presence; not what fills the place of something lost."""
    stanzas = [each for each in client.received() if each.kind != "iq"]
    return [body_of(each) if each.kind == "message" else each.type or "available" for each in stanzas]


def body_of(stanza: Stanza) -> str:
    element = stanza.find("{jabber:client}body")
    return "" if element is None else element.text


class TestHeld:
    async def test_is_acknowledged_once_all_of_it_is_stored(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        edge.store.hold()
        await lyon.sends(envelope(1, "bruno"), envelope(2, "bruno"))
        assert (lyon.acknowledged, heard(bruno)) == ([], [])
        edge.store.release()
        await edge.settle()
        assert (lyon.acknowledged, heard(bruno)) == ([2], ["1", "2"])
        assert await edge.store.inbox.watermarks() == {"lyon": (1, 2)}

    async def test_presence_keeps_its_place_among_messages(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        sent = [
            envelope(1, "bruno"),
            presence(2, "bruno", "subscribe"),
            envelope(3, "bruno"),
            presence(4, "bruno/desk"),
        ]
        await lyon.sends(*sent)
        assert heard(bruno) == ["1", "subscribe", "3", "available"]
        assert lyon.acknowledged == [4]
        assert await edge.store.inbox.watermarks() == {"lyon": (1, 4)}

    async def test_what_is_more_than_it_says_is_dropped_and_counts_as_taken(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        forged = f"1</body></message><message from='anna@{DOMAIN}'><body>2"
        smuggled = replace(presence(2, "bruno", "subscribe"), declarations=f" from='anna@{DOMAIN}'".encode())
        question = replace(envelope(0, "bruno/desk", kind="iq", type_="get"), inner=b"<a/></iq><iq>", payloads=("a",))
        with capture_logs() as logs:
            await lyon.sends(envelope(1, "bruno", body=forged), smuggled, question, envelope(3, "bruno"))
        assert [heard(bruno), lyon.acknowledged] == [["3"], [3]]
        assert edge.parts.arrivals.unsound == 3
        assert [(entry["event"], entry["origin"]) for entry in logs] == [("security_unsound_stanza", "lyon")]

    async def test_frames_are_taken_one_after_the_other(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        lyon.send(presence(1, "bruno", "subscribe"), envelope(2, "bruno"))
        lyon.send(envelope(3, "bruno"))
        await lyon.sends(envelope(4, "bruno"))
        assert heard(bruno) == ["subscribe", "2", "3", "4"]
        assert lyon.acknowledged == [2, 3, 4]

    async def test_what_comes_twice_matters_once(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        sent = [envelope(1, "bruno"), presence(2, "bruno", "subscribe"), envelope(3, "nobody")]
        for _ in range(2):
            await lyon.sends(*sent)
        assert heard(bruno) == ["1", "subscribe"]
        assert [each.type for each in edge.hub.held] == ["error"]

    async def test_a_subscription_that_comes_twice_matters_once_also_if_its_mark_was_not_stored(
        self, edge: Edge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        with monkeypatch.context() as patch:
            failing_from(edge, 1, patch)
            await lyon.sends(presence(1, "bruno", "subscribe"))
        assert (lyon.acknowledged, heard(bruno)) == ([], ["subscribe"])
        await lyon.sends_again(presence(1, "bruno", "subscribe"))
        assert (lyon.acknowledged, heard(bruno)) == ([1], [])

    async def test_for_an_unknown_recipient_is_taken_and_its_sender_told(self, edge: Edge) -> None:
        lyon = Lyon(edge)
        await lyon.sends(envelope(1, "nobody"), presence(2, "nobody", "subscribe"))
        assert lyon.acknowledged == [2]
        (answer,) = edge.hub.held
        assert (answer.kind, answer.type, answer.recipients) == ("message", "error", (str(jid("david/pad")),))

    async def test_without_any_address_it_is_taken_and_forgotten(self, edge: Edge) -> None:
        lyon, nowhere = Lyon(edge), envelope(1)
        nowhere.recipients = ("@",)
        await lyon.sends(nowhere)
        assert (lyon.acknowledged, edge.hub.held) == ([1], [])
        assert await edge.store.inbox.watermarks() == {"lyon": (1, 1)}

    async def test_for_several_recipients_reaches_each(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.received()
        lyon = Lyon(edge)
        await lyon.sends(envelope(1, "anna", "bruno"))
        assert (anna.bodies(), bruno.bodies(), lyon.acknowledged) == (["1"], ["1"], [1])

    async def test_for_several_recipients_it_has_its_mark_once_all_have_their_rows(self, edge: Edge) -> None:
        lyon = Lyon(edge)
        edge.store.hold()
        await lyon.sends(envelope(1, "anna", "bruno"))
        assert edge.store.custody.backlog == 1, "the row of the first"
        edge.store.release()
        assert await edge.store.inbox.watermarks() == {}
        await edge.settle()
        assert (lyon.acknowledged, await edge.store.inbox.watermarks()) == ([1], {"lyon": (1, 1)})
        for local in ("anna", "bruno"):
            assert await archived(edge, local) == ["1"]

    async def test_for_several_recipients_comes_again_for_the_first_of_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with Edge("anna", "bruno") as edge:
            lyon = Lyon(edge)
            with monkeypatch.context() as patch:
                failing_from(edge, 1, patch, until=2)
                await lyon.sends(envelope(1, "anna", "bruno"))
            assert (lyon.acknowledged, await edge.store.inbox.watermarks()) == ([], {})
            await lyon.sends_again(envelope(1, "anna", "bruno"))
            assert lyon.acknowledged == [1]
            for local in ("anna", "bruno"):
                assert await archived(edge, local) == ["1"]


def failing_from(edge: Edge, number: int, monkeypatch: pytest.MonkeyPatch, *, until: int = 99) -> None:
    """The store takes so many acceptances less one; the others, up to a last one, fail in their order."""
    custody = edge.store.custody
    accept, count = custody.accept, 0

    def counted(acceptance: Acceptance, done: Done) -> None:
        nonlocal count
        count += 1
        if not number <= count < until:
            accept(acceptance, done)
        else:
            custody.barrier(lambda _: done(StoreUnavailable("the disk is full")))

    monkeypatch.setattr(custody, "accept", counted)


class Origins:
    """Envelopes of several sites that come over a link which begins anew whenever something could not be stored."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.unacknowledged = [self._envelope(sequence, random.choice("ln")) for sequence in range(1, 25)]
        self.sent = {each.id: each for each in self.unacknowledged}

    def _envelope(self, sequence: int, initial: str) -> Envelope:
        if self.random.random() < 0.15:
            each = presence(sequence, "bruno/desk")
        elif self.random.random() < 0.15:
            each = envelope(sequence, "anna", "bruno")
        else:
            each = envelope(sequence, "bruno")
        each.origin = {"l": "lyon", "n": "nice"}[initial]
        return each

    async def cross(self, edge: Edge, inbox: Inbox) -> None:
        """One link: everything that is not acknowledged, in frames of any size, until something fails."""
        failures = edge.hub.failures
        left, numbers = list(self.unacknowledged), count(1)
        while left and edge.hub.failures == failures:
            size = self.random.choice((1, 2, 5, 24))
            frame, left = [replace(each, hub_sequence=next(numbers)) for each in left[:size]], left[size:]
            new = [each for each in frame if inbox.take(each) is Verdict.NEW]

            def stored(envelopes: Sequence[Envelope]) -> None:
                for each in envelopes:
                    inbox.store(each)
                marks = [(each, (each.epoch, each.sequence)) for each in self.unacknowledged]
                first = next((n for n, (each, mark) in enumerate(marks) if not inbox.is_stored(each.origin, mark)), 99)
                del self.unacknowledged[:first]

            if new:
                edge.parts.arrivals.on_envelopes(new, stored)
            if self.random.random() < 0.5:
                await edge.settle()
        await edge.settle()
        if edge.hub.failures > failures:
            inbox.forget_taken()


async def archived(edge: Edge, local: str) -> list[str]:
    """The texts in an account's archive."""
    page = await edge.store.archive.page(f"{local}@{DOMAIN}", Selection(), PageRequest(100))
    return [body_of(parse(each.stanza)) for each in page.rows]


class TestStoreThatFails:
    @pytest.mark.parametrize("seed", range(40))
    async def test_whatever_fails_everything_is_stored_and_nothing_twice(
        self, seed: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Single acceptances fail, and the edge is killed now and then."""
        random = Random(seed)
        async with Edge("anna", "bruno") as edge:
            custody, origins, lives = edge.store.custody, Origins(random), 0
            accept = custody.accept

            def unreliable(acceptance: Acceptance, done: Done) -> None:
                if random.random() < 0.1:
                    custody.barrier(lambda _: done(StoreUnavailable("not this one")))
                else:
                    accept(acceptance, done)

            monkeypatch.setattr(custody, "accept", unreliable)
            inbox = Inbox({})
            while origins.unacknowledged:
                await origins.cross(edge, inbox)
                if random.random() < 0.3:
                    await edge.restart()
                    inbox = Inbox(await edge.store.inbox.watermarks())
                lives += 1
                assert lives < 200, "it comes to an end"
            found = await archived(edge, "bruno")
            messages = [each for each in origins.sent.values() if each.kind == "message"]
            once = [text for text in found if len(origins.sent[text].recipients) == 1]
            for site in ("lyon", "nice"):
                expected = [each.id for each in messages if each.origin == site and len(each.recipients) == 1]
                assert [text for text in once if origins.sent[text].origin == site] == expected
            for local in ("anna", "bruno"):
                every = {each.id for each in messages if str(jid(local)) in each.recipients}
                assert set(await archived(edge, local)) == every

    async def test_what_was_stored_is_acknowledged_and_the_rest_comes_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with Edge("bruno") as edge:
            bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
            sent = [envelope(number, "bruno") for number in (1, 2, 3, 4)]
            with monkeypatch.context() as patch:
                failing_from(edge, 3, patch)
                await lyon.sends(*sent)
            assert (lyon.acknowledged, edge.hub.failures) == ([2], 1)
            assert await edge.store.inbox.watermarks() == {"lyon": (1, 2)}
            await lyon.sends_again(*sent[2:])
            assert (lyon.acknowledged, edge.hub.failures) == ([2, 4], 1)
            assert bruno.bodies() == ["1", "2", "3", "4"]

    async def test_nothing_is_stored_behind_what_was_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a restart the mark alone tells duplicates: it must not cover what has failed."""
        async with Edge("bruno") as edge:
            lyon = Lyon(edge)
            sent = [envelope(number, "bruno") for number in (1, 2, 3, 4)]
            with monkeypatch.context() as patch:
                failing_from(edge, 2, patch, until=3)
                await lyon.sends(*sent)
            assert (lyon.acknowledged, edge.hub.failures) == ([1], 1)
            await edge.restart()
            lyon.inbox = Inbox(await edge.store.inbox.watermarks())
            await lyon.sends(*sent[1:])
            assert lyon.acknowledged == [1, 4]
            assert await archived(edge, "bruno") == ["1", "2", "3", "4"]

    async def test_what_another_site_sent_meanwhile_is_stored_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with Edge("bruno") as edge:
            lyon = Lyon(edge)
            sent = [envelope(number, "bruno") for number in (1, 2, 3)]
            sent[1].origin = "nice"
            with monkeypatch.context() as patch:
                failing_from(edge, 1, patch, until=2)
                await lyon.sends(*sent)
            assert await edge.store.inbox.watermarks() == {"nice": (1, 2)}
            await lyon.sends_again(*sent)
            assert await archived(edge, "bruno") == ["2", "1", "3"]

    async def test_nothing_that_came_later_overtakes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with Edge("bruno") as edge:
            bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
            sent = [envelope(number, "bruno") for number in (1, 2, 3)]
            with monkeypatch.context() as patch:
                failing_from(edge, 1, patch)
                for each in sent:
                    lyon.send(each)
                await edge.settle()
            assert (lyon.acknowledged, edge.hub.failures, bruno.bodies()) == ([], 1, [])
            await lyon.sends_again(*sent)
            assert (lyon.acknowledged, bruno.bodies()) == ([3], ["1", "2", "3"])

    async def test_a_message_that_fails_keeps_the_presence_behind_it_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with Edge("bruno") as edge:
            bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
            sent = [envelope(1, "bruno"), envelope(2, "bruno"), presence(3, "bruno", "subscribe"), envelope(4, "bruno")]
            with monkeypatch.context() as patch:
                failing_from(edge, 2, patch)
                await lyon.sends(*sent)
            assert (lyon.acknowledged, edge.hub.failures) == ([1], 1)
            await lyon.sends_again(*sent[1:])
            assert (lyon.acknowledged, heard(bruno)) == ([1, 4], ["1", "2", "subscribe", "4"])

    async def test_presence_that_cannot_be_stored_keeps_what_is_behind_it_back(self) -> None:
        async with Edge("bruno") as edge:
            bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
            sent = [presence(1, "bruno", "subscribe"), envelope(2, "bruno")]
            edge.store.custody.is_failing = True
            with capture_logs() as logs:
                await lyon.sends(*sent)
            assert ("presence_not_stored", 1) in [(entry["event"], entry.get("sequence")) for entry in logs]
            assert (lyon.acknowledged, edge.hub.failures, heard(bruno)) == ([], 1, [])
            edge.store.custody.is_failing = False
            await lyon.sends_again(*sent)
            assert (lyon.acknowledged, heard(bruno)) == ([2], ["subscribe", "2"])

    async def test_too_much_under_way_is_as_a_store_that_fails(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        tasks: Any = edge.core.tasks
        bound, tasks._tasks_max = tasks._tasks_max, 0  # noqa: SLF001  full
        await lyon.sends(envelope(1, "bruno"))
        assert (lyon.acknowledged, edge.hub.failures) == ([], 1)
        tasks._tasks_max = bound  # noqa: SLF001
        await lyon.sends_again(envelope(1, "bruno"))
        assert (lyon.acknowledged, bruno.bodies()) == ([1], ["1"])

    async def test_a_fault_of_ours_does_not_leave_the_link_waiting(
        self, edge: Edge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)

        def fails(stanza: Stanza) -> None:
            raise RuntimeError("a bug")

        with monkeypatch.context() as patch, capture_logs() as logs:
            patch.setattr(edge.core.iqs, "arrive", fails)
            await lyon.sends(envelope(0, "bruno", kind="iq", type_="get"), envelope(1, "bruno"))
        assert (lyon.acknowledged, edge.hub.failures) == ([], 1)
        assert "envelopes_not_taken" in [entry["event"] for entry in logs]
        await lyon.sends_again(envelope(1, "bruno"))
        assert (lyon.acknowledged, bruno.bodies()) == ([1], ["1"])


class TestTransient:
    async def test_requests_are_answered_and_nothing_is_acknowledged(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        bruno.send(f'<presence to="{DAVID}"/>')
        request = parse(f'<iq type="get" id="p" to="{bruno.jid}"><ping xmlns="urn:xmpp:ping"/></iq>')
        request.sender = jid("david/pad")
        await lyon.sends(envelope_of(request, origin="lyon", epoch=1, sequence=0, sent_us=0))
        assert [each.id for each in bruno.received("iq")] == ["p"]
        assert lyon.acknowledged == []

    async def test_among_held_ones_they_cost_no_acknowledgement(self, edge: Edge) -> None:
        await edge.login("bruno", "desk")
        lyon = Lyon(edge)
        ping = envelope(0, "bruno", kind="iq", type_="get")
        ping.payloads, ping.inner = ("{urn:xmpp:ping}ping",), b'<ping xmlns="urn:xmpp:ping"/>'
        await lyon.sends(ping, envelope(1, "bruno"), ping)
        assert lyon.acknowledged == [1]
        assert [each.kind for each in edge.hub.transient] == ["iq", "iq"]

    async def test_messages_and_presence_must_be_held(self, edge: Edge) -> None:
        bruno, lyon = await edge.login("bruno", "desk"), Lyon(edge)
        await lyon.sends(envelope(0, "bruno"), presence(0, "bruno/desk"))
        assert bruno.received() == []


def from_anna(client: Client, text: str) -> Envelope:
    """An envelope as it left this site."""
    stanza = parse(text)
    stanza.sender = client.jid if stanza.kind == "message" else client.jid.bare_jid
    return envelope_of(stanza, origin="paris", epoch=1, sequence=1, sent_us=1)


class TestRefusals:
    async def test_of_a_message_becomes_an_error_to_its_sender(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        sent = from_anna(anna, f'<message to="{DAVID}" type="chat" id="m"><body>hello</body></message>')
        assert await edge.parts.arrivals.on_refused([(sent, Refusal(1, "forbidden", "not at home there"))]) == []
        await edge.settle()
        (answer,) = anna.received("message")
        assert (condition_of(answer), answer.id, str(answer.sender)) == ("forbidden", "m", DAVID)
        assert b"not at home there" in answer.inner

    async def test_of_a_message_to_nobody_is_the_one_of_the_rfc(self, edge: Edge) -> None:
        """RFC 6121 section 8.5.1."""
        anna = await edge.login("anna", "phone")
        sent = from_anna(anna, f'<message to="{DAVID}" type="chat" id="m"><body>hello</body></message>')
        assert await edge.parts.arrivals.on_refused([(sent, Refusal(1, "item-not-found", "no such account"))]) == []
        await edge.settle()
        assert condition_of(anna.received("message")[0]) == "service-unavailable"

    async def test_its_error_outlives_the_core(self, edge: Edge) -> None:
        """The outbox forgets the message as soon as its refusal is settled."""
        anna = await edge.login("anna", "phone", managed=True)
        sent = from_anna(anna, f'<message to="{DAVID}" type="chat" id="m"><body>hello</body></message>')
        edge.store.hold()
        async with asyncio.TaskGroup() as tasks:
            settling = tasks.create_task(edge.parts.arrivals.on_refused([(sent, Refusal(1, "forbidden"))]))
            await edge.settle()
            assert not settling.done()
            edge.store.release()
        assert settling.result() == []
        before = anna.wire.count - 1  # she has not had it when the core dies
        await edge.restart()
        again = await edge.resume(anna, before)
        (answer,) = again.received("message")
        assert (condition_of(answer), answer.id, str(answer.sender)) == ("forbidden", "m", DAVID)

    async def test_what_cannot_be_stored_is_told_and_not_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with Edge("anna") as edge:
            anna = await edge.login("anna", "phone")
            refused = [
                (from_anna(anna, f'<message to="{DAVID}" id="{id_}"><body>hello</body></message>'), Refusal(1, "gone"))
                for id_ in "abc"
            ]
            with monkeypatch.context() as patch:
                failing_from(edge, 2, patch, until=3)
                left = await edge.parts.arrivals.on_refused(refused)
            assert left == [refused[1]]
            assert await edge.parts.arrivals.on_refused(left) == []
            assert [answer.id for answer in anna.received("message")] == ["a", "c", "b"]

    async def test_of_a_subscription_becomes_an_error_to_the_account(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk")
        phone.received()
        sent = from_anna(phone, f'<presence to="{DAVID}" type="subscribe" id="s"/>')
        assert await edge.parts.arrivals.on_refused([(sent, Refusal(1, "forbidden"))]) == []
        await edge.settle()
        for client in (phone, desk):
            (answer,) = client.received("presence")
            assert (condition_of(answer), str(answer.sender)) == ("forbidden", DAVID)

    @pytest.mark.parametrize("type_", ["subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable"])
    async def test_of_presence_for_nobody_is_told_to_nobody(self, edge: Edge, type_: str) -> None:
        """RFC 6121 section 8.5.1."""
        phone = await edge.login("anna", "phone")
        phone.received()
        sent = from_anna(phone, f'<presence to="{DAVID}" type="{type_}"/>')
        assert await edge.parts.arrivals.on_refused([(sent, Refusal(1, "item-not-found"))]) == []
        await edge.settle()
        assert phone.received() == []

    @pytest.mark.parametrize("type_", ["", ' type="unavailable"'])
    async def test_of_directed_presence_is_the_end(self, edge: Edge, type_: str) -> None:
        """RFC 6121 section 8.5.1."""
        anna = await edge.login("anna", "phone")
        sent = from_anna(anna, f'<presence to="{DAVID}"{type_}/>')
        assert await edge.parts.arrivals.on_refused([(sent, Refusal(1, "item-not-found"))]) == []
        await edge.settle()
        assert anna.received() == []

    async def test_of_an_error_is_the_end(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        for text in (f'<message to="{DAVID}" type="error"/>', f'<presence to="{DAVID}" type="error"/>'):
            assert await edge.parts.arrivals.on_refused([(from_anna(anna, text), Refusal(1, "item-not-found"))]) == []
        await edge.settle()
        assert anna.received() == []

    async def test_for_a_reason_that_we_do_not_know_is_told_all_the_same(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        sent = from_anna(anna, f'<message to="{DAVID}"><body>hello</body></message>')
        assert await edge.parts.arrivals.on_refused([(sent, Refusal(1, "from-the-future"))]) == []
        await edge.settle()
        assert condition_of(anna.received("message")[0]) == "undefined-condition"

    async def test_when_the_sender_has_gone_costs_nothing(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        sent = from_anna(anna, f'<message to="{DAVID}"><body>hello</body></message>')
        await anna.leave()
        assert await edge.parts.arrivals.on_refused([(sent, Refusal(1, "item-not-found"))]) == []
        await edge.settle()
        assert await edge.store.archive.bounds("anna@corp.example") is None


class TestUndeliverable:
    async def asked(self, edge: Edge, condition: str, payload: str = '<ping xmlns="urn:xmpp:ping"/>') -> Stanza:
        """Ask David, whom the hub cannot reach, and say so twice."""
        anna = await edge.login("anna", "phone")
        anna.send(f'<iq type="get" id="q" to="{DAVID}">{payload}</iq>')
        for _ in range(2):
            edge.parts.arrivals.on_undeliverable(Undeliverable(str(anna.jid), DAVID, "iq", "q", condition))
        (answer,) = anna.received("iq")
        assert (answer.id, str(answer.sender)) == ("q", DAVID)
        return answer

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ("service-unavailable", "service-unavailable"),
            ("from-the-future", "remote-server-timeout"),
            ("item-not-found", "service-unavailable"),
        ],
    )
    async def test_a_request_is_answered_once(self, edge: Edge, said: str, told: str) -> None:
        assert condition_of(await self.asked(edge, said)) == told

    async def test_nobody_has_no_items(self, edge: Edge) -> None:
        """XEP-0030 section 8."""
        query = '<query xmlns="http://jabber.org/protocol/disco#{}"/>'
        answer = await self.asked(edge, "item-not-found", query.format("items"))
        assert answer.type == "result"
        assert disco.read_items(answer.elements()[0]) == disco.Items()

    async def test_nobody_has_no_information(self, edge: Edge) -> None:
        query = '<query xmlns="http://jabber.org/protocol/disco#info"/>'
        assert condition_of(await self.asked(edge, "item-not-found", query)) == "service-unavailable"

    async def test_items_of_somebody_who_is_not_reached_are_not_none(self, edge: Edge) -> None:
        query = '<query xmlns="http://jabber.org/protocol/disco#items"/>'
        assert condition_of(await self.asked(edge, "remote-server-timeout", query)) == "remote-server-timeout"

    @pytest.mark.parametrize(("sender", "recipient"), [("@", DAVID), (str(jid("anna/phone")), "@")])
    async def test_with_addresses_that_are_none_is_nothing(self, edge: Edge, sender: str, recipient: str) -> None:
        anna = await edge.login("anna", "phone")
        edge.parts.arrivals.on_undeliverable(Undeliverable(sender, recipient, "iq", "q", "service-unavailable"))
        assert anna.received() == []


async def test_an_answer_about_a_home_reaches_the_client(edge: Edge) -> None:
    client = edge.connect()
    client.attachment.find_credentials("david")
    edge.parts.arrivals.on_home_answer(HomeAnswer(DAVID, "lyon", "lyon.corp.example", 5222))
    assert client.wire.redirection == ("lyon.corp.example", 5222)


async def test_interest_of_others_is_answered_with_the_present_state(edge: Edge) -> None:
    await edge.login("anna", "phone")
    anna = f"anna@{DOMAIN}"
    edge.hub.asked_for.add(anna)
    edge.parts.arrivals.on_interest(InterestChange(added=((anna, 0),)))
    assert [each.account for each in edge.hub.published] == [anna]


def news(*resources: str, version: int = 1) -> AccountPresence:
    available = (
        AvailableResource(each, Stanza("presence", sender=jid(f"david/{each}")).render()) for each in resources
    )
    return AccountPresence(DAVID, version, tuple(available))


def story(tell: Callable[[Edge, Client, Arrivals], Any]) -> None:
    """Anna sees David, who is there, over a link that is up; hours pass in no time."""

    async def main() -> None:
        async with Edge("anna", sessions={"presence_grace_seconds": 30.0}) as edge:
            await edge.befriend(("anna", "david"))
            anna = await edge.login("anna", "phone")
            arrivals = edge.parts.arrivals
            arrivals.on_linked(WELCOME)
            edge.hub.known[DAVID] = news("pad")
            arrivals.on_presence([edge.hub.known[DAVID]])
            assert heard(anna) == ["available"]
            await tell(edge, anna, arrivals)

    run_in_virtual_time(main())


class TestGrace:
    def test_a_short_cut_is_not_seen(self) -> None:
        async def tell(edge: Edge, anna: Client, arrivals: Arrivals) -> None:
            arrivals.on_unlinked(LOST)
            assert not arrivals.is_linked
            await asyncio.sleep(29)
            arrivals.on_linked(WELCOME)
            await asyncio.sleep(3600)
            assert heard(anna) == []
            assert (arrivals.is_linked, arrivals.domain) == (True, DOMAIN)

        story(tell)

    def test_after_a_long_one_nothing_is_known(self) -> None:
        async def tell(edge: Edge, anna: Client, arrivals: Arrivals) -> None:
            arrivals.on_unlinked(LOST)
            await asyncio.sleep(31)
            assert heard(anna) == ["unavailable"]

        story(tell)

    def test_attempts_that_fail_do_not_prolong_it(self) -> None:
        async def tell(edge: Edge, anna: Client, arrivals: Arrivals) -> None:
            for _ in range(7):
                arrivals.on_unlinked(LOST)
                await asyncio.sleep(5)
            assert heard(anna) == ["unavailable"]

        story(tell)

    def test_when_the_link_is_back_contacts_are_shown_as_known_and_then_as_they_are(self) -> None:
        async def tell(edge: Edge, anna: Client, arrivals: Arrivals) -> None:
            arrivals.on_unlinked(LOST)
            await asyncio.sleep(31)
            anna.received()
            arrivals.on_linked(WELCOME)
            assert types(anna.received("presence")) == [None]
            arrivals.on_presence([news(version=2)])
            assert types(anna.received("presence")) == ["unavailable"]

        story(tell)

    def test_a_second_cut_has_a_grace_of_its_own(self) -> None:
        async def tell(edge: Edge, anna: Client, arrivals: Arrivals) -> None:
            arrivals.on_unlinked(LOST)
            await asyncio.sleep(20)
            arrivals.on_linked(WELCOME)
            arrivals.on_unlinked(LOST)
            await asyncio.sleep(20)
            assert heard(anna) == []
            await asyncio.sleep(11)
            assert heard(anna) == ["unavailable"]

        story(tell)

    def test_news_of_people_whom_nobody_watches_is_nothing(self) -> None:
        async def tell(edge: Edge, anna: Client, arrivals: Arrivals) -> None:
            stranger = Stanza("presence", sender=jid("emil/pad")).render()
            arrivals.on_presence([AccountPresence(f"emil@{DOMAIN}", 1, (AvailableResource("pad", stranger),))])
            assert heard(anna) == []

        story(tell)
