"""What is sent while its recipient arrives: nothing stays behind, and nothing overtakes."""

import pytest

from edge_node.features.offline.feature import PAGE
from tests.support.edge import Client, Edge


def write(anna: Client, *bodies: str) -> None:
    for body in bodies:
        anna.send(f'<message to="bruno@corp.example" type="chat"><body>{body}</body></message>')


@pytest.mark.parametrize("managed", [False, True])
async def test_a_commit_that_is_under_way_is_waited_for(edge: Edge, *, managed: bool) -> None:
    anna = await edge.login("anna", "phone")
    bruno = await edge.bind("bruno", "desk")
    if managed:
        await bruno.manage()
    edge.store.custody.hold()
    write(anna, "one")
    bruno.send("<presence/>")
    await edge.settle()
    edge.store.custody.release()
    await edge.settle()
    assert bruno.bodies() == ["one"]


async def test_what_comes_meanwhile_does_not_overtake(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    write(anna, "one")
    await edge.settle()
    bruno = await edge.bind("bruno", "desk")
    edge.store.custody.hold()
    write(anna, "two")
    bruno.send("<presence/>")
    await edge.settle()
    write(anna, "three")
    edge.store.custody.release()
    await edge.settle()
    write(anna, "four")
    await edge.settle()
    assert bruno.bodies() == ["one", "two", "three", "four"]


async def test_what_comes_between_two_pages_does_not_overtake(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    numbers = [str(number) for number in range(PAGE + 5)]
    write(anna, *numbers)
    await edge.settle()
    bruno = await edge.bind("bruno", "desk")
    await bruno.manage()
    bruno.send("<presence/>")
    await edge.settle()
    write(anna, "live")
    await edge.settle()
    bruno.acknowledge()
    await edge.settle()
    bruno.acknowledge()
    write(anna, "later")
    await edge.settle()
    assert bruno.bodies() == [*numbers, "live", "later"]


async def test_another_device_that_is_there_gets_it_at_once(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    write(anna, *(str(number) for number in range(PAGE)))
    await edge.settle()
    desk = await edge.bind("bruno", "desk")
    await desk.manage()
    desk.send("<presence/>")
    await edge.settle()
    phone = await edge.login("bruno", "phone")
    write(anna, "live")
    await edge.settle()
    assert phone.bodies() == ["live"]


async def test_what_had_waited_comes_once_although_the_core_dies(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    write(anna, "one", "two")
    await edge.settle()
    bruno = await edge.bind("bruno", "desk")
    await bruno.manage()
    bruno.send("<presence/>")
    await edge.settle()
    assert bruno.bodies() == ["one", "two"]
    await edge.restart()
    assert (await edge.resume(bruno)).bodies() == []


async def test_what_had_waited_and_did_not_arrive_comes_after_the_death_of_the_core(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    write(anna, "one", "two")
    await edge.settle()
    bruno = await edge.bind("bruno", "desk")
    await bruno.manage()
    before = bruno.wire.count
    bruno.send("<presence/>")
    await edge.settle()
    had = next(n for n, data in enumerate(bruno.wire.written, 1) if b">one<" in data)
    await edge.restart()
    assert (await edge.resume(bruno, before + had)).bodies() == ["two"]


async def test_a_session_that_ends_meanwhile_leaves_it_to_the_next(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    write(anna, "one")
    await edge.settle()
    bruno = await edge.bind("bruno", "desk")
    await edge.settle()
    edge.store.custody.hold()
    bruno.send("<presence/>")
    await edge.settle()
    assert bruno.bodies() == []
    await bruno.leave()
    edge.store.custody.release()
    await edge.settle()
    phone = await edge.bind("bruno", "phone")
    phone.send("<presence/>")
    await edge.settle()
    assert phone.bodies() == ["one"]


async def test_the_end_of_a_page_is_asked_about(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    write(anna, *(str(number) for number in range(PAGE)))
    await edge.settle()
    bruno = await edge.bind("bruno", "desk")
    await bruno.manage()
    bruno.send("<presence/>")
    await edge.settle()
    assert bruno.wire.requests == 2  # when there was much to acknowledge, and at the end
