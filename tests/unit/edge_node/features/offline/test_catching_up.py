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


async def test_what_was_for_a_session_that_is_replaced_comes_before_what_is_newer(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    await edge.login("bruno", "desk")
    edge.store.custody.hold()
    write(anna, "one")
    bruno = edge.connect()
    bruno.attachment.authenticated("bruno")
    bruno.attachment.bind("desk")
    await edge.settle()
    bruno.send("<presence/>")
    write(anna, "two")
    await edge.settle()
    for _ in range(2):  # that the first one waits after all is for the next commit
        edge.store.custody.release()
        edge.store.custody.hold()
        await edge.settle()
    edge.store.custody.release()
    await edge.settle()
    assert bruno.bodies() == ["one", "two"]


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
    numbers = [str(number) for number in range(PAGE)]
    write(anna, *numbers)
    await edge.settle()
    desk = await edge.bind("bruno", "desk")
    await desk.manage()
    desk.send("<presence/>")
    await edge.settle()
    phone = await edge.login("bruno", "phone", carbons=True)
    write(anna, "live")
    await edge.settle()
    assert (phone.bodies(), desk.bodies()) == (["live"], numbers)
    desk.acknowledge()
    await edge.settle()
    assert (phone.bodies(), desk.bodies()) == ([], ["live"])


async def test_who_catches_up_gets_no_copy_of_what_is_still_to_come(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    write(anna, *(str(number) for number in range(PAGE)))
    await edge.settle()
    desk = await edge.bind("bruno", "desk")
    await desk.manage()
    desk.send('<iq type="set" id="1"><enable xmlns="urn:xmpp:carbons:2"/></iq>')
    desk.send("<presence/>")
    await edge.settle()
    tablet = await edge.login("bruno", "tablet", priority=-1, carbons=True)
    desk.received()
    write(anna, "live")
    await edge.settle()
    assert desk.received() == []
    (copy,) = tablet.received("message")
    assert copy.payloads == ("{urn:xmpp:carbons:2}received",)


async def test_a_device_that_had_it_meanwhile_does_not_get_it_again(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    numbers = [str(number) for number in range(PAGE)]
    write(anna, *numbers)
    await edge.settle()
    desk = await edge.bind("bruno", "desk")
    await desk.manage()
    desk.send("<presence/>")
    await edge.settle()
    phone = await edge.login("bruno", "phone")
    write(anna, "live")
    await edge.settle()
    await desk.leave()
    assert phone.bodies() == ["live", *numbers]
    assert await edge.store.deliveries.count_waiting("bruno@corp.example", 9) == 0


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


class TestBeforeItsClientHasSpoken:
    """The client is about to count what it gets, or may be gone."""

    async def test_what_is_for_a_session_waits_until_it_is_available(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.bind("bruno", "desk")
        write_to_desk(anna, "early")
        await edge.settle()
        await bruno.manage()
        assert bruno.bodies() == []
        bruno.send("<presence/>")
        await edge.settle()
        assert bruno.bodies() == ["early"]
        await edge.restart()
        assert (await edge.resume(bruno, 0)).bodies() == ["early"]

    async def test_a_client_that_stays_without_presence_gets_it_nevertheless(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.bind("bruno", "desk")
        write_to_desk(anna, "early")
        await edge.settle()
        await bruno.manage()
        edge.pass_time(1)
        await edge.settle()
        assert bruno.bodies() == ["early"]
        bruno.send("<presence/>")
        await edge.settle()
        assert bruno.bodies() == []

    async def test_so_does_one_that_stays_silent(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.bind("bruno", "desk")
        write_to_desk(anna, "early")
        for seconds, expected in ((1, []), (9, []), (1, ["early"])):
            edge.pass_time(seconds)
            await edge.settle()
            assert bruno.bodies() == expected
        write_to_desk(anna, "late")
        await edge.settle()
        assert bruno.bodies() == ["late"]

    async def test_what_a_lost_one_did_not_get_goes_to_another_device(self, edge: Edge) -> None:
        anna, phone = await edge.login("anna", "phone"), await edge.login("bruno", "phone")
        bruno = await edge.bind("bruno", "desk")
        write_to_desk(anna, "early")
        await edge.settle()
        assert phone.bodies() == []
        await bruno.drop()
        assert phone.bodies() == ["early"]


def write_to_desk(anna: Client, body: str) -> None:
    anna.send(f'<message to="bruno@corp.example/desk" type="chat"><body>{body}</body></message>')
