"""What leaves: in order, once it is stored, with gaps where it was not."""

import asyncio

import pytest

from cascade.codec import decode_envelope
from cascade.envelope import Kind
from edge_node.adapters.memory import MemoryStore, open_store
from edge_node.custody import Acceptance
from edge_node.uplink.departures import Departures
from tests.support.edge import Edge, Hub, condition_of, jid
from xmpp.errors import StanzaError
from xmpp.stanza import Stanza


class Site:
    """Departures over a store, with a link if there is a hub."""

    def __init__(
        self,
        store: MemoryStore | None = None,
        hub: Hub | None = None,
        *,
        envelopes_max: int = 100,
        bytes_max: int = 100_000,
    ) -> None:
        self.store = store or open_store(epoch=3)
        self.ids = 0
        self.departures = Departures(
            site="paris",
            is_open=True,
            store=self.store.outbox,
            envelopes_max=envelopes_max,
            bytes_max=bytes_max,
            custody=self.store.custody,
            next_id=self.next_id,
            deadline_seconds=30,
        )
        if hub is not None:
            self.departures.connect(hub)

    def next_id(self) -> int:
        self.ids += 1
        return self.ids

    def promise(self, id_: str) -> tuple[int, bytes]:
        return self.departures.promise(to_david(id_), self.next_id())

    def accept(self, id_: str) -> None:
        """What the message path does."""
        acceptance = Acceptance(self.next_id())
        acceptance.envelope = self.departures.promise(to_david(id_), acceptance.id)
        sequence = acceptance.envelope[0]

        def done(error: Exception | None) -> None:
            if error is None:
                self.departures.committed(sequence)
            else:
                self.departures.abandoned(sequence)

        self.store.custody.accept(acceptance, done)


def to_david(id_: str = "1", kind: Kind = "message") -> Stanza:
    return Stanza(kind, None, id_, jid("david"), jid("anna/phone"))


class TestHeld:
    async def test_a_promise_is_what_the_store_is_to_keep(self) -> None:
        site = Site()
        sequence, encoded = site.promise("one")
        envelope = decode_envelope(encoded)
        assert (sequence, envelope.sequence, envelope.epoch, envelope.origin) == (1, 1, 3, "paris")
        assert (envelope.sender, envelope.recipients, envelope.id) == (
            str(jid("anna/phone")),
            (str(jid("david")),),
            "one",
        )

    async def test_nothing_leaves_before_it_is_stored_and_then_in_order(self) -> None:
        hub = Hub()
        site = Site(hub=hub)
        site.store.hold()
        for id_ in "abc":
            site.accept(id_)
        assert hub.held == []
        site.store.release()
        assert [(envelope.sequence, envelope.id) for envelope in hub.held] == [(1, "a"), (2, "b"), (3, "c")]

    async def test_what_could_not_be_stored_leaves_a_gap(self) -> None:
        hub = Hub()
        site = Site(hub=hub)
        site.store.hold()
        site.accept("lost")
        site.store.custody.is_failing = True
        site.store.release()
        site.store.custody.is_failing = False
        site.accept("kept")
        site.store.release()
        assert [(envelope.sequence, envelope.id) for envelope in hub.held] == [(2, "kept")]
        assert [sequence for sequence, _ in await site.store.outbox.read(0, 10)] == [2]

    async def test_what_is_abandoned_is_forgotten_and_may_be_abandoned_again(self) -> None:
        site = Site(hub=Hub())
        sequence, _ = site.promise("one")
        for _ in range(2):
            site.departures.abandoned(sequence)
        with pytest.raises(KeyError):
            site.departures.committed(sequence)

    async def test_sequences_go_on_after_what_the_store_has(self) -> None:
        first = Site()
        first.accept("one")
        first.store.release()
        hub = Hub()
        second = Site(first.store, hub)
        second.accept("two")
        second.store.release()
        assert [envelope.sequence for envelope in hub.held] == [2]

    async def test_without_a_link_it_stays_in_the_outbox(self) -> None:
        site = Site()
        site.accept("one")
        site.store.release()
        assert [sequence for sequence, _ in await site.store.outbox.read(0, 10)] == [1]


class TestBound:
    async def test_is_full_by_number_also_of_what_is_being_stored(self) -> None:
        site, seen = Site(envelopes_max=2), []
        site.accept("one")
        site.store.release()
        seen.append(site.departures.is_full)
        site.store.hold()
        site.accept("two")
        seen.append(site.departures.is_full)
        site.store.release()
        seen.append(site.departures.is_full)
        site.store.outbox.trim(1)
        site.store.release()
        seen.append(site.departures.is_full)
        assert seen == [False, True, True, False]

    async def test_is_full_by_size(self) -> None:
        site, seen = Site(bytes_max=150), []
        for letter in "xy":
            site.accept(letter * 40)
            site.store.release()
            seen.append(site.departures.is_full)
        assert seen == [False, True]

    async def test_what_a_client_wants_held_needs_room(self) -> None:
        site = Site(envelopes_max=1)
        site.departures.require_room()
        site.accept("one")
        site.store.release()
        with pytest.raises(StanzaError, match="resource-constraint") as refused:
            site.departures.require_room()
        assert refused.value.text == "too much waits for other sites already"

    async def test_the_age_is_that_of_what_the_link_has(self) -> None:
        hub = Hub()
        site = Site(hub=hub)
        hub.oldest_us = 7
        assert (site.departures.oldest_us, Site().departures.oldest_us) == (7, 0)


class TestHold:
    async def test_returns_once_it_is_stored(self) -> None:
        hub = Hub()
        site = Site(hub=hub)
        site.store.hold()
        async with asyncio.TaskGroup() as tasks:
            held = tasks.create_task(site.departures.hold(to_david("sub", "presence")))
            await asyncio.sleep(0)
            assert not held.done()
            assert hub.held == []
            site.store.release()
        assert [(envelope.kind, envelope.id) for envelope in hub.held] == [("presence", "sub")]

    async def test_a_store_that_fails_is_a_resource_constraint_and_nothing_leaves(self) -> None:
        hub = Hub()
        site = Site(hub=hub)
        site.store.custody.is_failing = True
        with pytest.raises(StanzaError, match="resource-constraint"):
            await site.departures.hold(to_david())
        assert (hub.held, site.store.outbox.envelopes) == ([], 0)

    async def test_leaves_also_when_nobody_waits_any_more(self) -> None:
        hub = Hub()
        site = Site(hub=hub)
        site.store.hold()
        async with asyncio.TaskGroup() as tasks:
            held = tasks.create_task(site.departures.hold(to_david("sub", "presence")))
            await asyncio.sleep(0)
            held.cancel()
        site.store.release()
        assert [envelope.id for envelope in hub.held] == ["sub"]

    async def test_its_client_is_told_that_the_store_fails(self) -> None:
        async with Edge("anna") as edge:
            anna = await edge.login("anna", "phone")
            edge.store.custody.is_failing = True
            anna.send('<presence to="david@corp.example/pad" id="p"/>')
            await edge.settle()
            (answer,) = anna.received("presence")
            assert (condition_of(answer), answer.id) == ("resource-constraint", "p")
            edge.store.custody.is_failing = False


class TestTransient:
    async def test_has_a_deadline_and_no_sequence(self) -> None:
        hub = Hub()
        assert Site(hub=hub).departures.send_transient(to_david("ping", "iq"))
        (envelope,) = hub.transient
        assert (envelope.sequence, envelope.deadline_ms, envelope.id) == (0, 30_000, "ping")

    async def test_goes_now_or_not_at_all(self) -> None:
        hub = Hub()
        site = Site(hub=hub)
        hub.is_linked = False
        assert not site.departures.send_transient(to_david())
        assert not Site().departures.send_transient(to_david())


class TestState:
    async def test_goes_to_the_link(self) -> None:
        hub = Hub()
        departures = Site(hub=hub).departures
        departures.watch("david@corp.example")
        departures.watch("emil@corp.example")
        departures.unwatch("david@corp.example")
        assert hub.watched == ["emil@corp.example"]
        hub.asked_for.add("anna@corp.example")
        assert [departures.is_asked_for(f"{name}@corp.example") for name in ("anna", "bruno")] == [True, False]
        departures.publish("anna@corp.example", 5, {"phone": b"<presence/>"})
        (presence,) = hub.published
        assert (presence.account, presence.version) == ("anna@corp.example", 5)
        assert [(each.resource, each.stanza) for each in presence.resources] == [("phone", b"<presence/>")]
