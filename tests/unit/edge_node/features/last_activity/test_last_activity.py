from tests.support.edge import Client, Edge, condition_of
from xmpp.stanza import Stanza


async def ask(client: Client, to: str) -> Stanza:
    return await client.ask(
        f'<iq type="get" id="l"{to and f" to={chr(34)}{to}{chr(34)}"}><query xmlns="jabber:iq:last"/></iq>'
    )


def seconds(answer: Stanza) -> int:
    return int(answer.elements()[0].get("seconds") or "-1")


async def test_of_the_server_is_its_uptime(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    edge.clock.advance(90.5)
    assert seconds(await ask(anna, "corp.example")) == 90


async def test_of_a_contact_who_is_connected_is_nothing(edge: Edge) -> None:
    anna, _ = await edge.login("anna", "phone"), await edge.bind("bruno", "desk")
    assert seconds(await ask(anna, "bruno@corp.example")) == 0
    assert seconds(await ask(anna, "")) == 0


async def test_of_a_contact_who_has_left_is_the_time_since_then(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    desk, pad = await edge.login("bruno", "desk"), await edge.bind("bruno", "pad")
    await desk.leave()
    edge.clock.advance(10)
    await pad.leave()
    edge.clock.advance(30)
    assert seconds(await ask(anna, "bruno@corp.example")) == 30


async def test_of_a_contact_who_was_never_seen_is_not_known(edge: Edge) -> None:
    assert condition_of(await ask(await edge.login("anna", "phone"), "bruno@corp.example")) == "item-not-found"


async def test_of_a_stranger_is_forbidden(edge: Edge) -> None:
    anna, _ = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
    assert condition_of(await ask(anna, "chloe@corp.example")) == "forbidden"


async def test_departures_outlive_the_core(edge: Edge) -> None:
    desk = await edge.login("bruno", "desk")
    await desk.leave()
    await edge.settle()
    await edge.restart()
    edge.clock.advance(40)
    anna = await edge.login("anna", "phone")
    assert seconds(await ask(anna, "bruno@corp.example")) == 40


async def test_a_clock_that_was_set_back_makes_no_time_negative(edge: Edge) -> None:
    edge.store.departures.left("bruno@corp.example", edge.clock.now_us() + 5_000_000)
    assert seconds(await ask(await edge.login("anna", "phone"), "bruno@corp.example")) == 0
