"""What had waited, given to sessions: its number is stored before it is sent, and it is not sent twice."""

from collections.abc import Sequence

import pytest

from edge_node.features.offline import handover
from edge_node.features.offline.store import Undelivered
from tests.support.edge import Client, Edge


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "RETRY_SECONDS", 0)


async def leave(edge: Edge, *bodies: str) -> None:
    anna = await edge.login("anna", "phone")
    for body in bodies:
        anna.send(f'<message to="bruno@corp.example" type="chat"><body>{body}</body></message>')
    await edge.settle()
    await anna.leave()


async def arrive(edge: Edge, resource: str = "desk", *, managed: bool = True) -> Client:
    client = await edge.bind("bruno", resource)
    if managed:
        await client.manage()
    client.send("<presence/>")
    await edge.settle()
    return client


def hold_behind_the_next_page(edge: Edge) -> None:
    """Commit nothing from the moment on in which the messages that wait have been read."""
    waiting = edge.store.deliveries.waiting

    async def read(account: str, limit: int) -> Sequence[Undelivered]:
        rows = await waiting(account, limit)
        edge.store.hold()
        edge.store.deliveries.waiting = waiting  # type: ignore[method-assign]
        return rows

    edge.store.deliveries.waiting = read  # type: ignore[method-assign]


async def test_numbers_are_stored_before_anything_is_sent(edge: Edge) -> None:
    await leave(edge, "one")
    hold_behind_the_next_page(edge)
    bruno = await arrive(edge)
    assert bruno.bodies() == []
    edge.store.release()
    await edge.settle()
    assert bruno.bodies() == ["one"]


async def test_a_store_that_fails_is_tried_again(edge: Edge) -> None:
    await leave(edge, "one")
    hold_behind_the_next_page(edge)
    bruno = await arrive(edge)
    edge.store.custody.is_failing = True
    edge.store.release()
    await edge.settle()
    assert bruno.bodies() == []
    edge.store.custody.is_failing = False
    await edge.settle()
    assert bruno.bodies() == ["one"]


@pytest.mark.parametrize("is_committed", [False, True])
async def test_a_session_that_no_later_core_knows_needs_no_numbers(edge: Edge, *, is_committed: bool) -> None:
    """It has it before the store learns so: after a crash it may come again, but it is not lost."""
    await leave(edge, "one")
    hold_behind_the_next_page(edge)
    bruno = await arrive(edge, managed=False)
    had = bruno.bodies()
    edge.store.crash(is_committed=is_committed)
    await edge.restart()
    again = await arrive(edge, managed=False)
    assert (had, again.bodies()) == (["one"], [] if is_committed else ["one"])


async def test_a_session_that_ends_first_leaves_it_to_the_next(edge: Edge) -> None:
    await leave(edge, "one")
    hold_behind_the_next_page(edge)
    bruno = await arrive(edge)
    await bruno.leave()
    edge.store.release()
    await edge.settle()
    assert (await arrive(edge)).bodies() == ["one"]


async def test_what_a_session_has_is_not_given_to_it_again(edge: Edge) -> None:
    desk, phone = await arrive(edge), await arrive(edge, "phone")
    await leave(edge, "one")
    assert (desk.bodies(), phone.bodies()) == (["one"], ["one"])
    (row,) = await edge.store.deliveries.delivered_to("bruno@corp.example", desk.wire.key, 0)
    edge.store.deliveries.keep_waiting("bruno@corp.example", row.id)
    for client in (desk, phone):
        client.send("<presence><show>away</show></presence>")
        await edge.settle()
    assert (desk.bodies(), phone.bodies()) == ([], [])
    assert await edge.store.deliveries.count_waiting("bruno@corp.example", 9) == 0


async def test_what_came_first_and_what_had_waited_both_come_after_the_death_of_the_core(edge: Edge) -> None:
    """What had waited is older, but has the higher number."""
    await leave(edge, "waited")
    bruno = await edge.bind("bruno", "desk")
    await bruno.manage()
    anna = await edge.login("anna", "phone")
    anna.send('<message to="bruno@corp.example/desk" type="chat"><body>direct</body></message>')
    await edge.settle()
    bruno.send("<presence/>")
    await edge.settle()
    assert bruno.bodies() == ["direct", "waited"]
    await edge.restart()
    assert (await edge.resume(bruno, 0)).bodies() == ["direct", "waited"]
