import pytest

from edge_node.features.offline.feature import PAGE
from edge_node.features.offline.store import Undelivered
from tests.support.edge import Client, Edge, condition_of
from xmpp import namespaces
from xmpp.payloads import delay

STANZA_ID = f"{{{namespaces.STANZA_ID}}}stanza-id"


async def leave_messages(edge: Edge, *bodies: str, more: str = "") -> Client:
    anna = await edge.login("anna", "phone")
    for body in bodies:
        anna.send(f'<message to="bruno@corp.example" type="chat"><body>{body}</body>{more}</message>')
    await edge.settle()
    return anna


async def arrive(edge: Edge, resource: str = "desk", *, priority: int = 0, managed: bool = False) -> Client:
    """Bruno comes online; what waited has not been looked at."""
    client = await edge.bind("bruno", resource)
    if managed:
        await client.manage()
    client.send(f"<presence><priority>{priority}</priority></presence>")
    await edge.settle()
    return client


async def test_messages_wait_and_come_in_order_with_their_time(edge: Edge) -> None:
    await leave_messages(edge, "one", "two")
    when = edge.ids.last
    edge.pass_time(3600)
    bruno = await arrive(edge)
    first, second = bruno.received("message")
    stamp = first.find(delay.NAME)
    assert stamp is not None
    assert abs(delay.read(stamp).moment_us - when) < 1_000_000
    assert str(delay.read(stamp).by) == "corp.example"
    bodies = [stanza.find("{jabber:client}body") for stanza in (first, second)]
    assert [body.text for body in bodies if body is not None] == ["one", "two"]


async def test_what_was_delivered_does_not_wait_any_more(edge: Edge) -> None:
    await leave_messages(edge, "one")
    first = await arrive(edge)
    assert first.bodies() == ["one"]
    await first.leave()
    assert (await arrive(edge)).bodies() == []


async def test_a_resource_of_negative_priority_gets_nothing_until_it_is_not(edge: Edge) -> None:
    await leave_messages(edge, "one")
    bruno = await arrive(edge, priority=-1)
    assert bruno.bodies() == []
    bruno.send("<presence/>")
    await edge.settle()
    assert bruno.bodies() == ["one"]


async def test_two_presences_at_once_bring_it_once(edge: Edge) -> None:
    await leave_messages(edge, "one")
    bruno = await edge.bind("bruno", "desk")
    bruno.send("<presence/>")
    bruno.send("<presence><show>away</show></presence>")
    await edge.settle()
    assert bruno.bodies() == ["one"]


async def test_two_resources_at_once_bring_it_once(edge: Edge) -> None:
    await leave_messages(edge, "one")
    clients = [await edge.bind("bruno", each) for each in ("desk", "phone")]
    for client in clients:
        client.send("<presence/>")
    await edge.settle()
    assert sorted(clients[0].bodies() + clients[1].bodies()) == ["one"]


async def test_the_archive_id_is_told_only_of_what_is_in_the_archive(edge: Edge) -> None:
    await leave_messages(edge, "kept")
    await leave_messages(edge, "passing", more='<no-permanent-store xmlns="urn:xmpp:hints"/>')
    kept, passing = (await arrive(edge)).received("message")
    assert (STANZA_ID in kept.payloads, STANZA_ID in passing.payloads) == (True, False)


class TestPaging:
    async def test_without_stream_management_all_pages_come_at_once(self, edge: Edge) -> None:
        bodies = [str(number) for number in range(2 * PAGE + 1)]
        await leave_messages(edge, *bodies)
        assert (await arrive(edge)).bodies() == bodies

    async def test_a_page_is_acknowledged_before_the_next_comes(self, edge: Edge) -> None:
        bodies = [str(number) for number in range(2 * PAGE)]
        await leave_messages(edge, *bodies)
        bruno = await arrive(edge, managed=True)
        assert bruno.bodies() == bodies[:PAGE]
        bruno.acknowledge()
        await edge.settle()
        assert bruno.bodies() == bodies[PAGE:]
        bruno.acknowledge()
        await edge.settle()
        assert bruno.bodies() == []

    async def test_the_rest_goes_to_another_resource_when_the_first_ends(self, edge: Edge) -> None:
        bodies = [str(number) for number in range(PAGE + 1)]
        await leave_messages(edge, *bodies)
        desk, phone = await arrive(edge, "desk", managed=True), await arrive(edge, "phone")
        assert (desk.bodies(), phone.bodies()) == (bodies[:PAGE], [])
        desk.send('<presence type="unavailable"/>')
        await edge.settle()
        assert phone.bodies() == bodies[PAGE:]

    async def test_what_was_not_acknowledged_waits_again(self, edge: Edge) -> None:
        await leave_messages(edge, "one", "two")
        bruno = await arrive(edge, managed=True)
        assert bruno.bodies() == ["one", "two"]
        await bruno.leave()
        assert (await arrive(edge)).bodies() == ["one", "two"]

    async def test_a_store_that_fails_is_asked_again(self) -> None:
        async with Edge("anna", "bruno") as edge:
            await leave_messages(edge, "one")
            archive = edge.store.deliveries
            edge.store.deliveries.waiting, works = _failing, archive.waiting  # type: ignore[method-assign]
            bruno = await arrive(edge)
            assert bruno.bodies() == []
            edge.store.deliveries.waiting = works  # type: ignore[method-assign]
            bruno.send("<presence/>")
            await edge.settle()
            assert bruno.bodies() == ["one"]


async def _failing(account: str, limit: int) -> list[Undelivered]:
    raise OSError(f"no {limit} rows of {account}")


@pytest.mark.parametrize(
    ("type_", "inner", "waits"),
    [
        ("chat", "<body>b</body>", True),
        ("normal", "<body>b</body>", True),
        ("normal", "<subject>s</subject>", True),
        ("chat", '<active xmlns="http://jabber.org/protocol/chatstates"/>', False),
        ("chat", '<received xmlns="urn:xmpp:receipts" id="1"/>', True),
        ("chat", '<displayed xmlns="urn:xmpp:chat-markers:0" id="1"/>', True),
        ("headline", "<body>b</body>", False),
        ("groupchat", "<body>b</body>", False),
        ("error", "<body>b</body>", False),
        ("chat", '<body>b</body><no-store xmlns="urn:xmpp:hints"/>', False),
        ("chat", '<body>b</body><no-permanent-store xmlns="urn:xmpp:hints"/>', True),
    ],
)
async def test_what_waits(edge: Edge, type_: str, inner: str, waits: bool) -> None:
    anna = await edge.login("anna", "phone")
    anna.send(f'<message to="bruno@corp.example" type="{type_}">{inner}</message>')
    await edge.settle()
    assert await edge.store.deliveries.count_waiting("bruno@corp.example", 10) == int(waits)


async def test_the_sender_of_a_text_that_cannot_wait_is_told(edge: Edge) -> None:
    anna = await leave_messages(edge, "now or never", more='<no-store xmlns="urn:xmpp:hints"/>')
    assert condition_of(anna.received("message")[0]) == "service-unavailable"


async def test_the_sender_of_a_state_that_cannot_wait_is_not(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    anna.send(
        '<message to="bruno@corp.example" type="chat"><gone xmlns="http://jabber.org/protocol/chatstates"/></message>'
    )
    await edge.settle()
    assert anna.received("message") == []
