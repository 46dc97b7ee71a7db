"""What a core does with the sessions of the core before it."""

import asyncio
from collections.abc import Sequence

import pytest

from edge_node.backplane.ports import Reattachment
from edge_node.custody import StoreUnavailable
from edge_node.features.offline.store import Undelivered
from edge_node.sessions.roster import RosterItem, Subscription
from tests.support.edge import FACTS, Client, Edge, Wire, parse
from xmpp import namespaces

PING = '<iq to="corp.example" id="ping" type="get"><ping xmlns="urn:xmpp:ping"/></iq>'
WITH_LISTENERS = {"processes": 1}
STANZA_ID = f"{{{namespaces.STANZA_ID}}}stanza-id"


def message(to: str, body: str) -> str:
    return f'<message to="{to}@corp.example" type="chat"><body>{body}</body></message>'


async def say(edge: Edge, client: Client, to: str, *bodies: str) -> None:
    for body in bodies:
        client.send(message(to, body))
    await edge.settle()


async def bodies_at_arrival(edge: Edge) -> list[str]:
    """What waits for Bruno."""
    client = await edge.bind("bruno", "desk")
    client.send("<presence/>")
    await edge.settle()
    return client.bodies()


class TestDormant:
    async def test_sessions_are_seen_and_not_sent_to(self, edge: Edge) -> None:
        await edge.login("bruno", "desk", managed=True)
        await edge.restart()
        anna = await edge.bind("anna", "phone")
        anna.send("<presence/>")
        await edge.settle()
        assert "bruno@corp.example/desk" in {str(stanza.sender) for stanza in anna.received("presence")}
        assert edge.core.registry.account("bruno@corp.example") is not None

    async def test_sessions_that_nobody_claims_end_and_their_messages_wait(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        bruno = await edge.login("bruno", "desk", managed=True)
        bruno.acknowledge()
        await say(edge, anna, "bruno", "unread")
        await edge.restart()
        edge.pass_time(601)
        await edge.settle()
        assert edge.core.registry.account("bruno@corp.example") is None
        again = await edge.bind("bruno", "desk")
        again.send("<presence/>")
        await edge.settle()
        assert again.bodies() == ["unread"]

    async def test_one_that_had_just_become_available_is_shown_its_contacts_anew(self, edge: Edge) -> None:
        """The last core may have shown it somebody who is gone, and its record does not say so."""
        bruno = await edge.bind("bruno", "desk")
        await bruno.manage()
        save = edge.store.sessions.save
        edge.store.sessions.save = lambda record: None  # type: ignore[method-assign]  # noqa: ARG005  # it came too late
        bruno.send("<presence/>")
        await edge.settle()
        edge.store.sessions.save = save  # type: ignore[method-assign]
        await edge.restart()
        again = await edge.resume(bruno, 0)
        again.send("<presence/>")
        await edge.settle()
        assert ("unavailable", "anna@corp.example") in {
            (stanza.type, str(stanza.sender)) for stanza in again.received("presence")
        }

    async def test_they_hear_of_contacts_elsewhere_that_were_removed_meanwhile(self, edge: Edge) -> None:
        both = RosterItem("david@corp.example", subscription=Subscription.BOTH)
        await edge.store.rosters.put("bruno@corp.example", both, 2)
        desk = await edge.login("bruno", "desk", managed=True)
        await edge.restart()
        phone = await edge.login("bruno", "phone")
        removal = '<item jid="david@corp.example" subscription="remove"/>'
        await phone.ask(f'<iq type="set" id="1"><query xmlns="jabber:iq:roster">{removal}</query></iq>')
        again = await edge.resume(desk)
        assert ("unavailable", "david@corp.example") in {
            (stanza.type, str(stanza.sender)) for stanza in again.received("presence")
        }

    async def test_what_comes_for_them_waits(self, edge: Edge) -> None:
        await edge.login("bruno", "desk", managed=True)
        await edge.restart()
        await say(edge, await edge.login("anna", "phone"), "bruno", "late")
        assert await edge.store.deliveries.count_waiting("bruno@corp.example", 10) == 1

    async def test_a_record_that_cannot_be_read_is_reported_and_the_others_come_back(self) -> None:
        async with Edge("anna", "bruno") as edge:
            anna = await edge.login("anna", "phone", managed=True)
            await edge.login("bruno", "desk", managed=True)
            await edge.settle()
            records = edge.store.sessions._tables.sessions  # noqa: SLF001  spoil what is stored
            record = records[anna.wire.key]
            records[anna.wire.key] = type(record)(
                record.key, record.secret, record.account, record.resource, record.managed, b"\xc1", record.updated_us
            )
            await edge.restart()
            assert [stage for stage, _ in edge.reports.failures] == ["restore"]
            assert [account.local for account in edge.core.registry.accounts()] == ["bruno"]


class TestResumption:
    async def test_brings_what_was_missed_and_then_what_is_new(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        bruno = await edge.login("bruno", "desk", managed=True, carbons=True)
        bruno.acknowledge()
        await say(edge, anna, "bruno", "read", "missed")
        h = bruno.wire.count - 1
        await edge.restart()
        anna = await edge.login("anna", "phone")
        await say(edge, anna, "bruno", "waited")
        again = await edge.resume(bruno, h)
        assert again.bodies() == ["missed", "waited"]
        await say(edge, anna, "bruno", "new")
        assert again.bodies() == ["new"]
        assert again.session.carbons
        again.acknowledge()
        assert again.is_online

    async def test_brings_messages_as_they_were_first_sent(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        bruno = await edge.login("bruno", "desk", managed=True)
        h = bruno.wire.count
        await say(edge, anna, "bruno", "missed")
        (first,) = bruno.wire.written
        await edge.restart()
        again = await edge.resume(bruno, h)
        assert first in again.wire.written
        assert STANZA_ID in parse(first).payloads

    async def test_twice_still_counts_truly(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        bruno = await edge.login("bruno", "desk", managed=True)
        h = bruno.wire.count
        await say(edge, anna, "bruno", "one", "two")
        await edge.restart()
        again = await edge.resume(bruno, h)
        assert again.bodies() == ["one", "two"]
        await edge.restart()
        third = await edge.resume(again, h + 1)
        assert third.bodies() == ["two"]

    async def test_of_a_session_behind_its_revival_reads_the_store_again(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        bruno = await edge.login("bruno", "desk", managed=True)
        h = bruno.wire.count
        await say(edge, anna, "bruno", "one", "two")
        await edge.restart()
        again = await edge.resume(bruno, h + 1)
        assert again.bodies() == ["two"]
        await again.drop()
        last = await edge.resume(again, h)
        assert last.bodies() == ["one", "two"]

    async def test_does_not_take_twice_what_was_taken(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        bruno = await edge.login("bruno", "desk")
        await say(edge, anna, "bruno", "stored")
        edge.store.hold()
        anna.send(message("bruno", "lost"))
        taken = anna.wire.taken
        await edge.restart()
        bruno = await edge.login("bruno", "desk")
        again = await edge.resume(anna)
        assert again.wire.resumed_with == taken
        await say(edge, again, "bruno", "lost")
        assert bruno.bodies() == ["lost"]

    async def test_after_its_time_still_tells_how_much_was_taken(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        await say(edge, anna, "bruno", "one")
        await edge.restart()
        edge.pass_time(601)
        await edge.settle()
        again = await edge.resume(anna)
        assert again.wire.resumption_refused_with == [anna.wire.taken]

    @pytest.mark.parametrize("account", ["bruno", "anna"])
    async def test_needs_the_secret_after_a_restart_too(self, edge: Edge, account: str) -> None:
        anna = await edge.login("anna", "phone", managed=True)
        await say(edge, anna, "bruno", "one")
        await edge.restart()
        client = edge.connect()
        client.attachment.authenticated(account)
        wrong = account == "bruno"
        client.attachment.resume(anna.wire.resumption_id if wrong else anna.wire.resumption_id[:-2] + "zz", 0)
        await edge.settle()
        assert client.wire.resumption_refused_with == [None]


class TestSeveralDevices:
    """Of one account: what one of them has or will get does not wait."""

    async def both(self, edge: Edge) -> tuple[Client, Client]:
        """Two dormant sessions of Bruno, which have not said that they had the message."""
        anna = await edge.login("anna", "phone")
        desk, phone = [await edge.login("bruno", each, managed=True) for each in ("desk", "phone")]
        for client in (desk, phone):
            client.acknowledge()
        await say(edge, anna, "bruno", "unread")
        await edge.restart()
        return desk, phone

    async def waiting(self, edge: Edge) -> int:
        return await edge.store.deliveries.count_waiting("bruno@corp.example", 9)

    async def test_one_that_ends_leaves_it_to_the_other(self, edge: Edge) -> None:
        _, phone = await self.both(edge)
        desk = await edge.bind("bruno", "desk")
        assert await self.waiting(edge) == 0
        desk.send("<presence/>")
        again = await edge.resume(phone, phone.wire.count - 1)
        assert again.bodies() == ["unread"]
        again.send("<presence/>")
        await edge.settle()
        assert (again.bodies(), desk.bodies()) == ([], [])

    async def test_the_last_one_leaves_it_to_the_account(self, edge: Edge) -> None:
        await self.both(edge)
        edge.pass_time(601)
        await edge.settle()
        assert await self.waiting(edge) == 1

    async def test_so_it_is_when_they_end_after_they_have_come_back(self, edge: Edge) -> None:
        desk, phone = await self.both(edge)
        desk, phone = [await edge.resume(each, each.wire.count - 1) for each in (desk, phone)]
        await desk.leave()
        assert await self.waiting(edge) == 0
        await phone.leave()
        assert await self.waiting(edge) == 1

    async def test_a_device_that_is_there_gets_what_an_ended_one_has_left(self, edge: Edge) -> None:
        anna, desk = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
        desk.acknowledge()
        await say(edge, anna, "bruno", "unread")
        await edge.restart()
        phone = await edge.login("bruno", "phone")
        edge.pass_time(601)
        await edge.settle()
        assert phone.bodies() == ["unread"]


class TestGivingUp:
    async def left(self, edge: Edge) -> None:
        """A message is unread when the core dies."""
        anna, desk = await edge.login("anna", "phone"), await edge.login("bruno", "desk", managed=True)
        desk.acknowledge()
        await say(edge, anna, "bruno", "unread")
        await say(edge, anna, "anna", "this tells the store that the other one has left the core")
        await edge.restart()

    async def test_is_tried_again_when_the_store_cannot_be_read(self, edge: Edge) -> None:
        await self.left(edge)
        read = edge.store.deliveries.delivered_to

        async def fail(account: str, session: int, after_number: int) -> Sequence[Undelivered]:
            raise StoreUnavailable

        edge.store.deliveries.delivered_to = fail  # type: ignore[method-assign]
        edge.pass_time(601)
        await edge.settle()
        assert [stage for stage, _ in edge.reports.failures] == ["give_up"]
        edge.reports.failures.clear()
        edge.store.deliveries.delivered_to = read  # type: ignore[method-assign]
        edge.pass_time(1)
        await edge.settle()
        assert await bodies_at_arrival(edge) == ["unread"]

    async def test_is_tried_again_when_too_much_is_under_way(self) -> None:
        async with Edge("anna", "bruno", tasks_max=16) as edge:
            await self.left(edge)
            over = asyncio.Event()
            for _ in range(16):
                edge.core.tasks.spawn(self.wait(over))
            edge.pass_time(601)
            over.set()
            await edge.settle()
            edge.pass_time(1)
            await edge.settle()
            assert await bodies_at_arrival(edge) == ["unread"]

    @pytest.mark.parametrize("processes", [0, 1])
    async def test_is_made_up_for_by_the_next_core(self, processes: int) -> None:
        """The session had been replaced; its core died before it had seen to what was left."""
        async with Edge("anna", "bruno", listeners={"processes": processes}) as edge:
            await self.left(edge)
            read = edge.store.deliveries.delivered_to
            over = asyncio.Event()

            async def linger(account: str, session: int, after_number: int) -> Sequence[Undelivered]:
                await over.wait()
                return await read(account, session, after_number)

            edge.store.deliveries.delivered_to = linger  # type: ignore[method-assign]
            newer = await edge.bind("bruno", "desk")
            assert newer.wire.jid is None  # it has to wait for what is left
            edge.store.deliveries.delivered_to = read  # type: ignore[method-assign]
            await edge.restart()
            assert await bodies_at_arrival(edge) == ["unread"]
            over.set()

    async def wait(self, event: asyncio.Event) -> None:
        await event.wait()


class TestReattachment:
    async def test_goes_on_where_the_socket_was(self) -> None:
        async with Edge("anna", "bruno", listeners=WITH_LISTENERS) as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
            await say(edge, anna, "bruno", "seen")
            bruno.received()
            await edge.restart()
            back = [await edge.reattach(client) for client in (anna, bruno)]
            assert back[0] is not None
            assert back[1] is not None
            await say(edge, back[0], "bruno", "again")
            assert back[1].bodies() == ["again"]

    async def test_brings_what_was_stored_and_not_written(self) -> None:
        async with Edge("anna", "bruno", listeners=WITH_LISTENERS) as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
            await say(edge, anna, "bruno", "written", "cut off")
            bruno.wire.count -= 1
            await edge.restart()
            back = await edge.reattach(bruno)
            assert back is not None
            assert back.bodies() == ["cut off"]

    async def test_goes_on_counting_from_what_the_listener_knows(self) -> None:
        """It may have been told of more than the store had, if the session cannot be resumed."""
        async with Edge("anna", "bruno", listeners=WITH_LISTENERS) as edge:
            anna = await edge.login("anna", "phone")
            anna.send(PING)
            taken = anna.wire.taken
            await edge.restart()
            back = await edge.reattach(anna)
            assert back is not None
            back.send(PING)
            await edge.settle()
            assert back.wire.taken == taken + 1

    async def test_hears_the_answers_to_what_is_said_before_it_is_awake(self) -> None:
        async with Edge("anna", listeners=WITH_LISTENERS) as edge:
            anna = await edge.login("anna", "phone")
            await edge.restart()
            wire = Wire()
            wire.jid, wire.key = anna.wire.jid, anna.wire.key
            state = Reattachment(anna.jid, anna.wire.key, anna.wire.taken, anna.wire.count)
            attachment = edge.core.reattach(wire, FACTS, state)
            assert attachment is not None
            back = Client(edge, wire, attachment)
            assert (await back.ask(PING)).type == "result"

    async def test_that_never_comes_leaves_only_what_may_not_have_been_read(self) -> None:
        async with Edge("anna", "bruno", listeners=WITH_LISTENERS) as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
            await say(edge, anna, "bruno", "read long ago")
            edge.pass_time(300)
            await say(edge, anna, "bruno", "of the last moments")
            assert bruno.bodies() == ["read long ago", "of the last moments"]
            await edge.restart()
            edge.pass_time(601)
            await edge.settle()
            assert (await bodies_at_arrival(edge)) == ["of the last moments"]

    async def test_drops_what_was_taken_and_takes_the_rest(self) -> None:
        async with Edge("anna", "bruno", listeners=WITH_LISTENERS) as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
            handled = anna.wire.taken
            await say(edge, anna, "bruno", "stored")
            anna.wire.taken = handled  # the answer of the core was lost with it
            bruno.received()
            await edge.restart()
            back, other = await edge.reattach(anna), await edge.reattach(bruno)
            assert back is not None
            assert other is not None
            await say(edge, back, "bruno", "stored", "new")
            assert other.bodies() == ["new"]
            assert back.wire.taken == handled + 2

    async def test_without_stream_management_does_not_make_a_session_resumable(self) -> None:
        async with Edge("anna", "bruno", listeners=WITH_LISTENERS) as edge:
            bruno = await edge.login("bruno", "desk")
            await edge.restart()
            back = await edge.reattach(bruno)
            assert back is not None
            await back.drop()
            assert edge.core.registry.account("bruno@corp.example") is None

    async def test_of_a_session_that_is_not_known_is_refused(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        await edge.restart()
        assert await edge.reattach(anna) is None

    async def test_is_not_for_a_session_that_is_awake(self) -> None:
        async with Edge("anna", listeners=WITH_LISTENERS) as edge:
            anna = await edge.login("anna", "phone")
            assert await edge.reattach(anna) is None
            assert anna.is_online


async def test_what_no_session_got_before_the_crash_waits(edge: Edge) -> None:
    """The session was not one that could come back, so nobody will ask for it."""
    anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
    fulfilled = edge.store.custody.fulfilled
    edge.store.custody.fulfilled = lambda id: None  # type: ignore[method-assign]  # noqa: ARG005  # the core dies before it says so
    await say(edge, anna, "bruno", "in between")
    edge.store.custody.fulfilled = fulfilled  # type: ignore[method-assign]
    assert bruno.bodies() == ["in between"]
    await edge.restart()
    await edge.settle()
    again = await edge.bind("bruno", "desk")
    again.send("<presence/>")
    await edge.settle()
    assert again.bodies() == ["in between"]
