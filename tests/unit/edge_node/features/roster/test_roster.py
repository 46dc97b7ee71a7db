"""Roster requests as clients make them (RFC 6121 section 2)."""

import pytest

from edge_node.features.roster.feature import PUSHES_MAX
from tests.support.edge import Client, Edge, condition_of
from xmpp.payloads import roster as wire
from xmpp.stanza import Stanza

Subscription = wire.Subscription
REMOVE_BRUNO = '<item jid="bruno@corp.example" subscription="remove"/>'
REMOVE_ANNA = '<item jid="anna@corp.example" subscription="remove"/>'
DAVID = "david@corp.example"


async def get(client: Client, version: str | None = None) -> Stanza:
    ver = "" if version is None else f' ver="{version}"'
    return await client.ask(f'<iq type="get" id="g"><query xmlns="jabber:iq:roster"{ver}/></iq>')


async def set_(client: Client, items: str, to: str = "") -> Stanza:
    address = f' to="{to}"' if to else ""
    return await client.ask(f'<iq type="set" id="s"{address}><query xmlns="jabber:iq:roster">{items}</query></iq>')


def item(contact: str, name: str = "", groups: tuple[str, ...] = (), more: str = "") -> str:
    inner = "".join(f"<group>{group}</group>" for group in groups)
    return f'<item jid="{contact}" name="{name}"{more}>{inner}</item>'


def roster_in(answer: Stanza) -> wire.Roster:
    assert answer.type == "result", answer.inner
    return wire.read(answer.elements()[0])


def pushes(client: Client) -> list[tuple[wire.Item, str | None]]:
    found: list[tuple[wire.Item, str | None]] = []
    for stanza in client.received("iq"):
        if stanza.type == "set":
            assert stanza.sender is None
            pushed = wire.read(stanza.elements()[0])
            found.extend((each, pushed.version) for each in pushed.items)
    return found


class TestGet:
    async def test_brings_everything(self, edge: Edge) -> None:
        anna = await edge.bind("anna", "phone")
        (bruno,) = roster_in(await get(anna)).items
        assert (str(bruno.jid), bruno.subscription) == ("bruno@corp.example", Subscription.BOTH)

    async def test_leaves_out_mere_requests(self, edge: Edge) -> None:
        chloe = await edge.login("chloe", "pad")
        chloe.send('<presence type="subscribe" to="anna@corp.example"/>')
        await edge.settle()
        anna = await edge.bind("anna", "phone")
        assert [str(each.jid) for each in roster_in(await get(anna)).items] == ["bruno@corp.example"]

    async def test_of_another_account_is_forbidden(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        answer = await anna.ask('<iq type="get" id="g" to="bruno@corp.example"><query xmlns="jabber:iq:roster"/></iq>')
        assert condition_of(answer) == "forbidden"


class TestSet:
    async def test_adds_and_tells_every_interested_resource(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk")
        other = await edge.bind("anna", "uninterested")
        answer = await set_(phone, item(DAVID, "David", ("Work", "Lyon")))
        assert (answer.type, answer.inner) == ("result", b"")
        for client in (phone, desk):
            ((pushed, version),) = pushes(client)
            assert (str(pushed.jid), pushed.name, pushed.groups) == (DAVID, "David", ("Work", "Lyon"))
            assert (pushed.subscription, version) == (Subscription.NONE, "2")
        assert pushes(other) == []

    async def test_changes_name_and_groups_only(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        await set_(anna, item("bruno@corp.example", "B", ("Team",), ' subscription="nonsense" ask="subscribe"'))
        ((pushed, _),) = pushes(anna)
        assert pushed == wire.Item(pushed.jid, "B", Subscription.BOTH, ("Team",))

    async def test_without_a_resource(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        await set_(anna, item(f"{DAVID}/pad"))
        assert str(pushes(anna)[0][0].jid) == DAVID

    @pytest.mark.parametrize(
        ("items", "condition"),
        [
            ("", "bad-request"),
            (item("a@corp.example") + item("b@corp.example"), "bad-request"),
            (item(DAVID, groups=("Work", "Work")), "bad-request"),
            (item(DAVID, groups=("",)), "not-acceptable"),
            (item(DAVID, "n" * 2000), "not-acceptable"),
            (item(DAVID, groups=("g" * 2000,)), "not-acceptable"),
            (item(DAVID, groups=tuple(f"g{number}" for number in range(101))), "not-acceptable"),
            (item("@"), "jid-malformed"),
            (item("anna@corp.example"), "not-allowed"),
            (item(DAVID, more=' subscription="remove"'), "item-not-found"),
        ],
    )
    async def test_errors(self, edge: Edge, items: str, condition: str) -> None:
        anna = await edge.login("anna", "phone")
        assert condition_of(await set_(anna, items)) == condition
        assert pushes(anna) == []

    async def test_of_another_account_is_forbidden(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        assert condition_of(await set_(anna, item(DAVID), "bruno@corp.example")) == "forbidden"

    async def test_of_a_contact_who_merely_asked_is_not_found(self, edge: Edge) -> None:
        chloe = await edge.login("chloe", "pad")
        chloe.send('<presence type="subscribe" to="anna@corp.example"/>')
        anna = await edge.login("anna", "phone")
        answer = await set_(anna, item("chloe@corp.example", more=' subscription="remove"'))
        assert condition_of(answer) == "item-not-found"

    async def test_has_a_bound(self) -> None:
        async with Edge("anna", rosters={"items_max": 2}) as edge:
            anna = await edge.login("anna", "phone")
            for number in range(2):
                assert (await set_(anna, item(f"c{number}@corp.example"))).type == "result"
            assert condition_of(await set_(anna, item("c2@corp.example"))) == "resource-constraint"
            assert (await set_(anna, item("c1@corp.example", "still"))).type == "result"

    async def test_is_durable_before_it_is_answered(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        edge.store.hold()
        anna.send(f'<iq type="set" id="s"><query xmlns="jabber:iq:roster">{item(DAVID)}</query></iq>')
        await edge.settle()
        assert anna.received() == []
        edge.store.release()
        await edge.settle()
        assert [stanza.type for stanza in anna.received("iq")] == ["set", "result"]


class TestRemoval:
    async def test_ends_both_subscriptions(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.received()
        assert (await set_(anna, item("bruno@corp.example", more=' subscription="remove"'))).type == "result"
        presences = anna.received("presence")
        assert [(str(each.sender), each.type) for each in presences] == [("bruno@corp.example/desk", "unavailable")]
        told = bruno.received()
        kinds = [(stanza.kind, stanza.type) for stanza in told]
        assert ("presence", "unsubscribe") in kinds
        assert ("presence", "unsubscribed") in kinds
        # RFC 6121 section 3.2.2: she goes while he still may see her.
        assert kinds.index(("presence", "unavailable")) < kinds.index(("presence", "unsubscribed"))
        states = [wire.read(stanza.elements()[0]).items[0].subscription for stanza in told if stanza.kind == "iq"]
        assert states[-1] is Subscription.NONE

    async def test_is_pushed(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        await set_(anna, item("bruno@corp.example", more=' subscription="remove"'))
        ((pushed, version),) = pushes(anna)
        assert (pushed.subscription, version) == (Subscription.REMOVE, "2")

    async def test_tells_a_contact_at_another_site(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        anna.send(f'<presence type="subscribe" to="{DAVID}"/>')
        await edge.settle()
        edge.hub.held.clear()
        await set_(anna, item(DAVID, more=' subscription="remove"'))
        assert [(envelope.kind, envelope.type) for envelope in edge.hub.held] == [("presence", "unsubscribe")]

    @pytest.mark.parametrize("contact", ["bruno@corp.example", DAVID])
    async def test_is_one_commit_with_the_end_of_the_subscriptions(self, edge: Edge, contact: str) -> None:
        """No crash leaves a contact subscribed who is on no roster any more."""
        await edge.befriend(("anna", "david"))
        anna = await edge.login("anna", "phone")
        before = edge.store.counters.commits
        await set_(anna, item(contact, more=' subscription="remove"'))
        assert edge.store.counters.commits == before + 1

    async def test_that_another_site_cannot_be_told_of_is_refused(self) -> None:
        uplink = {"hub": "hub:1", "authority": "a", "certificate": "c", "key": "k", "outbox_envelopes_max": 16}
        async with Edge("anna", uplink=uplink) as edge:
            await edge.befriend(("anna", "david"))
            anna = await edge.login("anna", "phone")
            for _ in range(16):
                anna.send(f'<message to="{DAVID}" type="chat"><body>hello</body></message>')
            await edge.settle()
            removal = item(DAVID, more=' subscription="remove"')
            assert condition_of(await set_(anna, removal)) == "resource-constraint"
            assert [each.contact for each in (await edge.store.rosters.load("anna@corp.example")).items] == [DAVID]
            edge.store.outbox.trim(16)
            await edge.settle()
            assert (await set_(anna, removal)).type == "result"
            assert (await edge.store.rosters.load("anna@corp.example")).items == ()


class TestVersions:
    async def test_are_offered(self, edge: Edge) -> None:
        names = {element.name for feature in edge.parts.features for element in feature.stream_features}
        assert "{urn:xmpp:features:rosterver}ver" in names

    async def test_the_current_one_brings_nothing(self, edge: Edge) -> None:
        anna = await edge.bind("anna", "phone")
        version = roster_in(await get(anna)).version
        answer = await get(anna, version)
        assert (answer.type, answer.inner, pushes(anna)) == ("result", b"", [])

    async def test_an_older_one_brings_what_has_changed_since(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        version = roster_in(await get(anna)).version
        await set_(anna, item(DAVID, "David"))
        await set_(anna, item("bruno@corp.example", more=' subscription="remove"'))
        later = await edge.bind("anna", "later")
        later.send(f'<iq type="get" id="g"><query xmlns="jabber:iq:roster" ver="{version}"/></iq>')
        await edge.settle()
        answer, *_ = stanzas = [stanza for stanza in later.received() if stanza.kind == "iq"]
        assert (answer.type, answer.inner) == ("result", b"")
        changes = [wire.read(stanza.elements()[0]) for stanza in stanzas[1:]]
        assert [(str(each.items[0].jid), each.items[0].subscription) for each in changes] == [
            (DAVID, Subscription.NONE),
            ("bruno@corp.example", Subscription.REMOVE),
        ]
        # RFC 6121 section 2.6.3: each has its own, so a client that is cut off goes on from the last one it got.
        assert [each.version for each in changes] == ["2", "3"]
        rest = await edge.bind("anna", "rest")
        rest.send('<iq type="get" id="g"><query xmlns="jabber:iq:roster" ver="2"/></iq>')
        await edge.settle()
        assert [(pushed.jid, ver) for pushed, ver in pushes(rest)] == [(changes[1].items[0].jid, "3")]
        assert len({stanza.id for stanza in stanzas}) == len(stanzas)

    async def test_are_told_when_they_are_stored(self, edge: Edge) -> None:
        """The version of a change that a crash undoes is given to another one."""
        anna = await edge.login("anna", "phone")
        edge.store.hold()
        anna.send(f'<iq type="set" id="s"><query xmlns="jabber:iq:roster">{item(DAVID)}</query></iq>')
        await edge.settle()
        before = roster_in(await get(anna))
        edge.store.release()
        await edge.settle()
        assert (len(before.items), before.version) == (2, "1")
        assert [version for _, version in pushes(anna)] == ["2"]
        assert roster_in(await get(anna)).version == "2"

    async def test_too_many_changes_bring_everything(self) -> None:
        async with Edge("anna") as edge:
            anna = await edge.login("anna", "phone")
            for number in range(PUSHES_MAX + 1):
                await set_(anna, item(f"c{number}@corp.example"))
            assert len(roster_in(await get(await edge.bind("anna", "later"), "0")).items) == PUSHES_MAX + 1

    @pytest.mark.parametrize("version", ["", "none of ours", "99999", "9" * 5000])
    async def test_one_that_is_not_known_brings_everything(self, edge: Edge, version: str) -> None:
        anna = await edge.bind("anna", "phone")
        answer = roster_in(await get(anna, version))
        assert (len(answer.items), answer.version) == (1, "1")


class TestAfterADeathOfTheCore:
    """What the last core stored and did not tell any more is told by the next to the sessions that go on."""

    async def missed(self, edge: Edge) -> list[Stanza]:
        """Bruno's desk comes back after his phone has changed the roster, and has not read what it was sent."""
        desk = await edge.login("bruno", "desk", managed=True)
        phone = await edge.login("bruno", "phone")
        h = desk.wire.count
        await set_(phone, item(DAVID, "David"))
        await set_(phone, REMOVE_ANNA)
        await edge.restart()
        return (await edge.resume(desk, h)).received()

    async def test_changes_are_pushed_again(self, edge: Edge) -> None:
        told = [stanza for stanza in await self.missed(edge) if stanza.kind == "iq"]
        rosters = [wire.read(stanza.elements()[0]) for stanza in told]
        changes = [(str(each.items[0].jid), each.items[0].subscription, each.version) for each in rosters]
        assert changes == [(DAVID, Subscription.NONE, "2"), ("anna@corp.example", Subscription.REMOVE, "3")]
        assert len({stanza.id for stanza in told}) == len(told)

    async def test_contacts_that_were_removed_are_seen_to_go(self, edge: Edge) -> None:
        assert ("presence", "unavailable", "anna@corp.example") in [
            (stanza.kind, stanza.type, str(stanza.sender)) for stanza in await self.missed(edge)
        ]

    async def test_later_changes_come_last(self, edge: Edge) -> None:
        desk = await edge.login("bruno", "desk", managed=True)
        await set_(await edge.login("bruno", "phone"), item(DAVID, "David"))
        await edge.restart()
        await set_(await edge.login("bruno", "phone"), item(DAVID, "Dave"))
        assert [pushed.name for pushed, _ in pushes(await edge.resume(desk))] == ["David", "Dave"]

    async def test_who_is_not_available_hears_of_the_roster_only(self, edge: Edge) -> None:
        desk = await edge.bind("bruno", "desk")
        await desk.manage()
        await get(desk)
        await set_(await edge.login("bruno", "phone"), REMOVE_ANNA)
        await edge.restart()
        told = (await edge.resume(desk)).received()
        assert [(stanza.kind, stanza.type) for stanza in told] == [("iq", "set")]

    async def test_nothing_is_told_where_nothing_has_changed(self, edge: Edge) -> None:
        desk = await edge.login("bruno", "desk", managed=True)
        await edge.restart()
        assert pushes(await edge.resume(desk)) == []
