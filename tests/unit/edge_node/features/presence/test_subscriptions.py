"""The handshake of subscriptions, with its effects on rosters, clients and presence (RFC 6121 section 3)."""

import pytest

from cascade.frame import AccountPresence, AvailableResource
from edge_node.custody import StoreUnavailable
from edge_node.sessions.roster import RosterItem, Subscription
from tests.support.edge import Client, Edge, condition_of, jid
from xmpp.payloads import roster as wire
from xmpp.stanza import Stanza

CHLOE, ANNA = "chloe@corp.example", "anna@corp.example"
Told = list[str]


def told(client: Client) -> Told:
    """Presences and pushes that came, in short."""
    lines = []
    for stanza in client.received():
        sender = str(stanza.sender).replace("@corp.example", "")
        if stanza.kind == "presence":
            lines.append(f"{sender} {stanza.type or 'available'}")
        elif stanza.type == "set":
            item = wire.read(stanza.elements()[0]).items[0]
            marks = (" ask" if item.is_asking else "") + (" approved" if item.is_approved else "")
            lines.append(f"push {item.jid.local} {item.subscription}{marks}")
    return lines


async def say(edge: Edge, client: Client, type_: str, to: str) -> None:
    client.send(f'<presence type="{type_}" to="{to}"/>')
    await edge.settle()


async def test_the_whole_handshake(edge: Edge) -> None:
    anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
    await say(edge, anna, "subscribe", CHLOE)
    assert told(anna) == ["push chloe none ask"]
    assert told(chloe) == ["anna subscribe"]

    await say(edge, chloe, "subscribed", ANNA)
    assert told(chloe) == ["push anna from"]
    assert told(anna) == ["chloe subscribed", "push chloe to", "chloe/pad available"]

    await say(edge, chloe, "subscribe", ANNA)
    assert told(chloe) == ["push anna from ask"]
    assert told(anna) == ["chloe subscribe"]
    await say(edge, anna, "subscribed", CHLOE)
    assert told(anna) == ["push chloe both"]
    assert told(chloe) == ["anna subscribed", "push anna both", "anna/phone available"]

    await say(edge, anna, "unsubscribe", CHLOE)
    assert told(anna) == ["push chloe from", "chloe/pad unavailable"]
    assert told(chloe) == ["anna unsubscribe", "push anna to"]
    await say(edge, anna, "unsubscribed", CHLOE)
    assert told(anna) == ["push chloe none"]
    assert told(chloe) == ["anna/phone unavailable", "anna unsubscribed", "push anna none"]


async def test_a_contact_elsewhere_goes_before_he_is_said_to_be_seen_no_more(edge: Edge) -> None:
    """RFC 6121 section 3.2.2."""
    anna = await edge.login("anna", "phone")
    await say(edge, anna, "subscribe", "david@corp.example")
    await edge.parts.presence.arrive(Stanza("presence", "subscribed", to=jid("anna"), sender=jid("david")))
    shown = Stanza("presence", sender=jid("david/pad")).render()
    edge.parts.arrivals.on_presence([AccountPresence("david@corp.example", 1, (AvailableResource("pad", shown),))])
    told(anna)
    await edge.parts.presence.arrive(Stanza("presence", "unsubscribed", to=jid("anna"), sender=jid("david")))
    assert told(anna) == ["david/pad unavailable", "david unsubscribed", "push david none"]


@pytest.mark.parametrize("contact", [CHLOE, "david@corp.example"])
async def test_both_sides_change_in_one_commit(edge: Edge, contact: str) -> None:
    anna = await edge.login("anna", "phone")
    before = edge.store.counters.commits
    await say(edge, anna, "subscribe", contact)
    assert edge.store.counters.commits == before + 1


async def test_a_request_is_refused(edge: Edge) -> None:
    anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
    await say(edge, anna, "subscribe", CHLOE)
    told(anna), told(chloe)
    await say(edge, chloe, "unsubscribed", ANNA)
    assert told(anna) == ["chloe unsubscribed", "push chloe none"]
    assert told(chloe) == []


async def test_a_request_is_shown_once(edge: Edge) -> None:
    anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
    for _ in range(2):
        await say(edge, anna, "subscribe", CHLOE)
    assert told(chloe) == ["anna subscribe"]


async def test_approval_before_the_request(edge: Edge) -> None:
    anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
    await say(edge, chloe, "subscribed", ANNA)
    assert told(chloe) == ["push anna none approved"]
    assert told(anna) == []
    await say(edge, anna, "subscribe", CHLOE)
    assert told(anna) == ["push chloe none ask", "chloe subscribed", "push chloe to", "chloe/pad available"]
    assert told(chloe) == ["push anna from"]


async def test_a_request_of_who_sees_already_is_answered_by_the_server(edge: Edge) -> None:
    anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
    told(anna)
    await say(edge, anna, "subscribe", "bruno@corp.example")
    assert told(bruno) == []
    assert told(anna) == []


async def test_requests_reach_available_resources_and_notices_interested_ones(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    interested = await edge.bind("chloe", "interested")
    await interested.ask('<iq type="get" id="r"><query xmlns="jabber:iq:roster"/></iq>')
    await say(edge, anna, "subscribe", CHLOE)
    assert told(interested) == []
    chloe = await edge.login("chloe", "pad")
    await say(edge, chloe, "subscribed", ANNA)
    await say(edge, anna, "unsubscribe", CHLOE)
    assert told(interested) == ["push anna from", "anna unsubscribe", "push anna none"]


@pytest.mark.parametrize(
    ("to", "condition"),
    [
        ("anna@corp.example", "not-allowed"),
        ("friend@elsewhere.example", "remote-server-not-found"),
        ("corp.example", "remote-server-not-found"),
    ],
)
async def test_whom_nobody_can_subscribe_to(edge: Edge, to: str, condition: str) -> None:
    anna = await edge.login("anna", "phone")
    await say(edge, anna, "subscribe", to)
    assert condition_of(anna.received()[0]) == condition


async def test_to_another_site_the_own_side_changes_and_the_stanza_is_held(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    await say(edge, anna, "subscribe", "david@corp.example/pad")
    assert told(anna) == ["push david none ask"]
    assert [(each.type, each.sender, each.recipients) for each in edge.hub.held] == [
        ("subscribe", "anna@corp.example", ("david@corp.example",))
    ]


async def test_a_roster_has_a_bound_for_requests_too() -> None:
    async with Edge("anna", "bruno", "chloe", rosters={"items_max": 1}) as edge:
        anna = await edge.login("anna", "phone")
        bruno, chloe = await edge.login("bruno", "desk"), await edge.login("chloe", "pad")
        await say(edge, bruno, "subscribe", ANNA)
        await say(edge, chloe, "subscribe", ANNA)
        assert told(anna) == ["bruno subscribe"]
        await say(edge, anna, "subscribe", CHLOE)
        assert condition_of(anna.received()[0]) == "resource-constraint"


async def test_what_a_request_says_has_a_bound() -> None:
    async with Edge("anna", "chloe", rosters={"request_size_bytes_max": 100}) as edge:
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
        for length in (101, 50):
            anna.send(f'<presence type="subscribe" to="{CHLOE}"><status>{"x" * length}</status></presence>')
        await edge.settle()
        assert condition_of(anna.received("presence")[0]) == "not-acceptable"
        assert told(chloe) == ["anna subscribe"]


async def test_is_taken_only_when_durable(edge: Edge) -> None:
    anna = await edge.login("anna", "phone", managed=True)
    before = anna.wire.taken
    edge.store.hold()
    await say(edge, anna, "subscribe", CHLOE)
    assert (anna.wire.taken, told(anna)) == (before, [])
    edge.store.release()
    await edge.settle()
    assert (anna.wire.taken, told(anna)) == (before + 1, ["push chloe none ask"])


async def test_what_has_no_room_in_the_outbox_changes_nothing() -> None:
    """A full outbox is an answer to the client; its roster stays as it was."""
    uplink = {"hub": "hub:1", "authority": "a", "certificate": "c", "key": "k", "outbox_envelopes_max": 16}
    async with Edge("anna", uplink=uplink) as edge:
        anna = await edge.login("anna", "phone")
        for _ in range(16):
            anna.send('<message to="david@corp.example" type="chat"><body>hello</body></message>')
        await edge.settle()
        for presence in ('type="subscribe" to="david@corp.example"', 'to="david@corp.example/pad"'):
            anna.send(f"<presence {presence}/>")
            await edge.settle()
            (answer,) = anna.received("presence")
            assert condition_of(answer) == "resource-constraint"
            assert b"too much waits for other sites already" in answer.inner
        assert (await edge.store.rosters.load(ANNA)).items == ()
        assert edge.store.outbox.envelopes == 16
        edge.store.outbox.trim(16)
        await edge.settle()
        await say(edge, anna, "subscribe", "david@corp.example")
        assert told(anna) == ["push david none ask"]


async def test_a_stanza_that_the_store_refuses_leaves_memory_and_store_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The own roster may have changed all the same; the client is told, and asks again."""
    async with Edge("anna") as edge:
        anna = await edge.login("anna", "phone")
        with monkeypatch.context() as patch:
            refusal = StoreUnavailable("too many messages wait for the store")
            patch.setattr(edge.store.custody, "accept", lambda _, done: done(refusal))
            await say(edge, anna, "subscribe", "david@corp.example")
        (answer,) = anna.received("presence")
        assert condition_of(answer) == "resource-constraint"
        roster = anna.session.account.roster
        assert roster is not None
        assert tuple(roster) == (await edge.store.rosters.load(ANNA)).items
        await say(edge, anna, "subscribe", "david@corp.example")
        assert [envelope.type for envelope in edge.hub.held] == ["subscribe"]


async def test_who_ends_it_and_leaves_at_once_is_seen_to_go(edge: Edge) -> None:
    anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
    told(anna)
    edge.store.hold()
    await say(edge, bruno, "unsubscribed", ANNA)
    await bruno.leave()
    edge.store.release()
    await edge.settle()
    assert "bruno unavailable" in told(anna)


async def test_who_ends_what_is_not_stored_yet_is_not_shown_afterwards(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    pad, phone = await edge.login("chloe", "pad"), await edge.login("chloe", "phone")
    await say(edge, anna, "subscribe", CHLOE)
    told(anna)
    edge.store.hold()
    await say(edge, pad, "subscribed", ANNA)
    await say(edge, phone, "unsubscribed", ANNA)
    edge.store.release()
    await edge.settle()
    heard = told(anna)
    assert heard[-1] == "push chloe none"
    assert not [line for line in heard if line.endswith(" available")]


async def test_a_contact_whose_removal_is_stored_after_a_session_has_come_back_goes(edge: Edge) -> None:
    """In memory he is on the roster no more, so he was not among those whom it was shown to be gone when it woke."""
    await edge.store.rosters.put(ANNA, RosterItem("david@corp.example", subscription=Subscription.TO), 2)
    desk = await edge.login("anna", "desk", managed=True)
    await edge.restart()
    phone = await edge.login("anna", "phone")
    edge.store.hold()
    removal = '<item jid="david@corp.example" subscription="remove"/>'
    phone.send(f'<iq type="set" id="1"><query xmlns="jabber:iq:roster">{removal}</query></iq>')
    await edge.settle()
    again = await edge.resume(desk)
    assert "david unavailable" not in told(again)
    edge.store.release()
    await edge.settle()
    assert told(again) == ["push david remove", "david unavailable"]
