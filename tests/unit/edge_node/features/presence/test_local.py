from edge_node.features.presence.local import LocalPresence
from edge_node.features.presence.remote import RemotePresence
from tests.support.edge import Edge
from xmpp.stanza import Stanza


def local(edge: Edge) -> LocalPresence:
    parts = edge.parts
    remote = RemotePresence(parts.core.iqs._router, parts.registry, parts.departures, edge.ids.next_id)  # noqa: SLF001
    return LocalPresence(parts.core.iqs._router, parts.registry, remote)  # noqa: SLF001


async def test_reaches_available_resources_of_who_is_here(edge: Edge) -> None:
    bruno, silent = await edge.login("bruno", "desk"), await edge.bind("bruno", "silent")
    for contact in ("bruno@corp.example", "chloe@corp.example", "david@corp.example"):
        local(edge).send(Stanza("presence").render(), contact)
    assert ([str(each.to) for each in bruno.received()], silent.received()) == (["bruno@corp.example"], [])


async def test_a_contact_that_may_see_no_more_is_told_of_every_available_resource(edge: Edge) -> None:
    bruno = await edge.login("bruno", "desk")
    anna, _, _ = [await edge.login("anna", each) for each in ("phone", "desk", "pad")]
    anna.send('<presence type="unavailable"/>')
    await edge.settle()
    bruno.received()
    local(edge).vanish(anna.session.account, "bruno@corp.example")
    assert sorted(str(each.sender) for each in bruno.received() if each.type == "unavailable") == [
        "anna@corp.example/desk",
        "anna@corp.example/pad",
    ]


async def test_a_contact_that_may_see_is_shown_every_available_resource(edge: Edge) -> None:
    chloe = await edge.login("chloe", "pad")
    anna, _ = await edge.login("anna", "phone"), await edge.bind("anna", "silent")
    local(edge).appear(anna.session.account, "chloe@corp.example")
    assert [str(each.sender) for each in chloe.received()] == ["anna@corp.example/phone"]
