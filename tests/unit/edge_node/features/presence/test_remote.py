"""Presence across sites: what is asked for, what is shown, what is published."""

from edge_node.features.presence.remote import RemotePresence
from tests.support.edge import DOMAIN, Client, Edge, jid
from xmpp.stanza import Stanza

DAVID = "david@corp.example"


def rendered(resource: str, show: str = "") -> bytes:
    inner = f"<show>{show}</show>".encode() if show else b""
    return Stanza("presence", sender=jid(f"david/{resource}"), inner=inner).render()


def remote(edge: Edge) -> RemotePresence:
    return edge.parts.arrivals._remote  # noqa: SLF001  the composed one


def seen(client: Client) -> list[tuple[str, str | None, bytes]]:
    return [(str(each.sender), each.type, each.inner) for each in client.received("presence")]


async def with_david(edge: Edge, *accounts: str) -> list[Client]:
    """These accounts see David and are seen by him."""
    await edge.befriend(*((account, "david") for account in accounts))
    return [await edge.login(account, "phone") for account in accounts]


class TestWatching:
    async def test_is_asked_for_once_and_as_long_as_somebody_is_online(self) -> None:
        async with Edge("anna", "chloe") as edge:
            anna, chloe = await with_david(edge, "anna", "chloe")
            assert edge.hub.watched == [DAVID]
            await anna.leave()
            assert edge.hub.watched == [DAVID]
            await chloe.leave()
            assert edge.hub.watched == []

    async def test_is_not_asked_for_people_of_this_site(self, edge: Edge) -> None:
        await edge.login("anna", "phone")
        assert edge.hub.watched == []

    async def test_begins_and_ends_with_the_subscription(self) -> None:
        async with Edge("anna") as edge:
            anna = await edge.login("anna", "phone")
            anna.send(f'<presence type="subscribe" to="{DAVID}"/>')
            await edge.settle()
            await edge.parts.presence.arrive(Stanza("presence", "subscribed", to=jid("anna"), sender=jid("david")))
            assert edge.hub.watched == [DAVID]
            remote(edge).learned(DAVID, {"pad": rendered("pad")})
            anna.received()
            anna.send(f'<presence type="unsubscribe" to="{DAVID}"/>')
            await edge.settle()
            assert edge.hub.watched == []
            assert seen(anna) == [(f"{DAVID}/pad", "unavailable", b"")]

    async def test_goes_on_after_a_restart(self) -> None:
        async with Edge("anna") as edge:
            await edge.befriend(("anna", "david"))
            await edge.login("anna", "phone", managed=True)
            await edge.restart()
            assert edge.hub.watched == [DAVID]


class TestLearning:
    async def test_shows_the_difference(self) -> None:
        async with Edge("anna", "chloe") as edge:
            (anna,) = await with_david(edge, "anna")
            stranger = await edge.login("chloe", "pad")
            remote(edge).learned(DAVID, {"pad": rendered("pad"), "desk": rendered("desk")})
            assert len(seen(anna)) == 2
            remote(edge).learned(DAVID, {"pad": rendered("pad", "away"), "phone": rendered("phone")})
            assert seen(anna) == [
                (f"{DAVID}/pad", None, b"<show>away</show>"),
                (f"{DAVID}/phone", None, b""),
                (f"{DAVID}/desk", "unavailable", b""),
            ]
            remote(edge).learned(DAVID, {"pad": rendered("pad", "away"), "phone": rendered("phone")})
            assert (seen(anna), seen(stranger)) == ([], [])

    async def test_what_another_site_has_made_up_is_not_shown(self) -> None:
        async with Edge("anna") as edge:
            (anna,) = await with_david(edge, "anna")
            made_up = {
                "pad": b"<presence/></stream:stream>",
                "desk": Stanza("presence", sender=jid("chloe/desk")).render(),
                "phone": b"",
                "\0": b"<presence/>",
                "car": rendered("car"),
            }
            remote(edge).learned(DAVID, made_up)
            remote(edge).learned(DAVID, {})
            assert seen(anna) == [(f"{DAVID}/car", None, b""), (f"{DAVID}/car", "unavailable", b"")]
            assert remote(edge).unsound == edge.parts.arrivals.unsound == 4

    async def test_a_resource_that_comes_later_is_shown_what_is_known(self) -> None:
        async with Edge("anna") as edge:
            await with_david(edge, "anna")
            remote(edge).learned(DAVID, {"pad": rendered("pad")})
            later = await edge.bind("anna", "later")
            later.send("<presence/>")
            await edge.settle()
            assert (f"{DAVID}/pad", None, b"") in seen(later)

    async def test_of_nobody_who_is_watched_is_ignored(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        remote(edge).learned(DAVID, {"pad": rendered("pad")})
        assert seen(anna) == []
        assert list(remote(edge).known(DAVID)) == []

    async def test_when_nothing_is_known_any_more_all_are_unavailable(self) -> None:
        async with Edge("anna") as edge:
            (anna,) = await with_david(edge, "anna")
            remote(edge).learned(DAVID, {"pad": rendered("pad")})
            anna.received()
            remote(edge).forget_all()
            assert seen(anna) == [(f"{DAVID}/pad", "unavailable", b"")]


class TestPublishing:
    async def test_says_the_whole_presence_and_only_if_asked(self) -> None:
        async with Edge("anna") as edge:
            (anna,) = await with_david(edge, "anna")
            assert edge.hub.published == []
            edge.hub.asked_for.add(f"anna@{DOMAIN}")
            await edge.login("anna", "desk")
            anna.send("<presence><show>away</show></presence>")
            await edge.settle()
            *_, last = edge.hub.published
            assert last.account == f"anna@{DOMAIN}"
            assert {each.resource for each in last.resources} == {"desk", "phone"}
            assert all(b" to=" not in each.stanza for each in last.resources)
            versions = [each.version for each in edge.hub.published]
            assert versions == sorted(set(versions))

    async def test_says_that_nobody_is_there(self) -> None:
        async with Edge("anna") as edge:
            (anna,) = await with_david(edge, "anna")
            edge.hub.asked_for.add(f"anna@{DOMAIN}")
            await anna.leave()
            assert edge.hub.published[-1].resources == ()

    async def test_says_nothing_where_nobody_elsewhere_may_see(self, edge: Edge) -> None:
        edge.hub.asked_for.add(f"anna@{DOMAIN}")
        await edge.login("anna", "phone")
        assert [each.resources for each in edge.hub.published] == [()]
