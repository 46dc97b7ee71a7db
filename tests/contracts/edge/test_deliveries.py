"""Contract of `DeliveryStore`, and of `Store.sweep`."""

import pytest

from edge_node.adapters.store import Store, Swept
from edge_node.features.archive.store import PageRequest, Selection
from edge_node.sessions.store import SessionRecord
from tests.contracts.edge.driver import ANNA, ARCHIVED, BRUNO, CHLOE, OFFLINE, accept, message, row, settled, stanza

PHONE, LAPTOP = 2**64 - 3, 2**40
"""Session keys; one does not fit a signed number."""


def record(key: int) -> SessionRecord:
    return SessionRecord(key, b"secret", "anna", "r", managed=True, checkpoint=b"", updated_us=0)


class TestOffline:
    async def test_rows_above_the_position_wait_oldest_first(self, store: Store) -> None:
        for number in range(1, 8):
            flags = (ARCHIVED | OFFLINE, OFFLINE, ARCHIVED)[number % 3]
            await accept(store, message(number, row(ANNA, flags=flags), row(BRUNO)))
        assert [each.id for each in await store.deliveries.waiting(ANNA, 10)] == [1, 3, 4, 6, 7]
        assert [(each.id, each.stanza, each.number) for each in await store.deliveries.waiting(ANNA, 2)] == [
            (1, stanza(1), 0),
            (3, stanza(3), 0),
        ]
        assert await store.deliveries.count_waiting(ANNA, 10) == 5
        assert await store.deliveries.count_waiting(ANNA, 3) == 3
        assert await store.deliveries.waiting(BRUNO, 10) == []
        assert await store.deliveries.count_waiting(CHLOE, 10) == 0

    async def test_an_advance_is_seen_at_once_and_never_goes_back(self, store: Store) -> None:
        await accept(store, *(message(number, row(ANNA, flags=OFFLINE)) for number in range(1, 6)))
        store.deliveries.advance(ANNA, 3)
        store.deliveries.advance(ANNA, 2)
        assert [each.id for each in await store.deliveries.waiting(ANNA, 10)] == [4, 5]
        await settled(store)
        store.deliveries.advance(ANNA, 1)
        await settled(store)
        assert [each.id for each in await store.deliveries.waiting(ANNA, 10)] == [4, 5]
        assert await store.deliveries.count_waiting(ANNA, 10) == 2


class TestReopened:
    @pytest.fixture
    async def passed(self, store: Store) -> Store:
        """Anna's offline rows 1 to 5, all delivered."""
        await accept(store, *(message(number, row(ANNA, flags=OFFLINE)) for number in range(1, 6)))
        await accept(store, message(6, row(ANNA, flags=ARCHIVED, to=((PHONE, 1),))))
        store.deliveries.advance(ANNA, 5)
        await settled(store)
        return store

    async def test_a_row_below_the_position_waits_again_and_no_other(self, passed: Store) -> None:
        passed.deliveries.keep_waiting(ANNA, 2)
        await settled(passed)
        passed.deliveries.keep_waiting(ANNA, 6)
        passed.deliveries.keep_waiting(ANNA, 77)
        passed.deliveries.keep_waiting(CHLOE, 2)
        await settled(passed)
        assert await waiting(passed) == [2, 6]
        assert await passed.deliveries.count_waiting(ANNA, 10) == 2

    async def test_once_delivered_it_waits_no_more_seen_at_once(self, passed: Store) -> None:
        for row_id in (2, 6):
            passed.deliveries.keep_waiting(ANNA, row_id)
        await settled(passed)
        assert await waiting(passed) == [2, 6]
        passed.deliveries.advance(ANNA, 2)
        assert await waiting(passed) == [6]
        passed.deliveries.advance(ANNA, 6)
        assert await waiting(passed) == []
        await settled(passed)
        assert await waiting(passed) == []

    async def test_a_row_reopened_while_others_are_delivered_is_not_passed_over(self, passed: Store) -> None:
        await accept(passed, message(9, row(ANNA, flags=OFFLINE)))
        assert await waiting(passed) == [9]
        passed.deliveries.keep_waiting(ANNA, 2)
        passed.deliveries.advance(ANNA, 9)
        await settled(passed)
        assert await waiting(passed) == [2]

    async def test_it_may_be_reopened_again(self, passed: Store) -> None:
        passed.deliveries.keep_waiting(ANNA, 2)
        await settled(passed)
        assert await waiting(passed) == [2]
        passed.deliveries.advance(ANNA, 2)
        passed.deliveries.keep_waiting(ANNA, 2)
        await settled(passed)
        assert await waiting(passed) == [2]

    async def test_the_sweep_keeps_it(self, passed: Store) -> None:
        passed.deliveries.keep_waiting(ANNA, 2)
        await settled(passed)
        assert (await passed.sweep(0, 100, 100, {})).removed == 4
        assert await waiting(passed) == [2]
        passed.deliveries.advance(ANNA, 2)
        assert (await passed.sweep(0, 100, 100, {})).removed == 1


async def waiting(store: Store) -> list[int]:
    return [each.id for each in await store.deliveries.waiting(ANNA, 10)]


class TestDelivered:
    async def test_what_a_session_has_not_acknowledged(self, store: Store) -> None:
        await accept(
            store,
            message(1, row(to=((PHONE, 1), (LAPTOP, 5)))),
            message(2, row(to=((PHONE, 4),), flags=0)),
            message(3, row(outgoing=True)),
            message(4, row(to=((LAPTOP, 6),))),
            message(5, row(to=((PHONE, 9),))),
        )
        delivered = await store.deliveries.delivered_to(ANNA, PHONE, 1)
        assert [(each.id, each.stanza, each.number) for each in delivered] == [(2, stanza(2), 4), (5, stanza(5), 9)]
        assert [each.id for each in await store.deliveries.delivered_to(ANNA, LAPTOP, 0)] == [1, 4]
        assert await store.deliveries.delivered_to(ANNA, PHONE, 9) == []
        assert await store.deliveries.delivered_to(ANNA, 77, 0) == []
        assert await store.deliveries.delivered_to(CHLOE, PHONE, 0) == []

    async def test_a_row_gets_another_number(self, store: Store) -> None:
        await accept(store, *(message(number, row(to=((LAPTOP, 9), (PHONE, number + 4)))) for number in (1, 2)))
        store.deliveries.renumber(ANNA, 1, PHONE, 7)
        store.deliveries.renumber(ANNA, 1, PHONE, 3)
        store.deliveries.renumber(ANNA, 2, PHONE, 4)
        store.deliveries.renumber(ANNA, 2, 12345, 1)
        store.deliveries.renumber(ANNA, 3, PHONE, 1)
        store.deliveries.renumber(CHLOE, 1, PHONE, 1)
        await settled(store)
        delivered = await store.deliveries.delivered_to(ANNA, PHONE, 0)
        assert [(each.id, each.number) for each in delivered] == [(1, 3), (2, 4)]

    async def test_numbers_wrap(self, store: Store) -> None:
        numbers = [2**32 - 2, 2**32 - 1, 0, 1]
        await accept(store, *(message(index, row(to=((PHONE, n),))) for index, n in enumerate(numbers, 1)))
        delivered = await store.deliveries.delivered_to(ANNA, PHONE, 2**32 - 2)
        assert [each.number for each in delivered] == [2**32 - 1, 0, 1]

    async def test_what_had_waited_has_higher_numbers_than_what_came_later(self, store: Store) -> None:
        await accept(store, message(1, row(flags=OFFLINE)), *(message(n, row(to=((PHONE, n),))) for n in (2, 3)))
        store.deliveries.renumber(ANNA, 1, PHONE, 4)
        await settled(store)
        for acknowledged, ids in ((0, [2, 3, 1]), (2, [3, 1]), (3, [1]), (4, [])):
            delivered = await store.deliveries.delivered_to(ANNA, PHONE, acknowledged)
            assert [each.id for each in delivered] == ids

    async def test_rows_say_which_sessions_they_were_ever_delivered_to(self, store: Store) -> None:
        await accept(
            store, message(1, row(to=((LAPTOP, 1), (PHONE, 4)), flags=OFFLINE)), message(2, row(flags=OFFLINE))
        )
        store.deliveries.renumber(ANNA, 2, PHONE, 5)
        await settled(store)
        delivered = await store.deliveries.delivered_to(ANNA, PHONE, 0)
        assert [(each.id, each.sessions) for each in delivered] == [(1, (LAPTOP, PHONE)), (2, (PHONE,))]
        waiting = await store.deliveries.waiting(ANNA, 5)
        assert [(each.id, each.sessions) for each in waiting] == [(1, (LAPTOP, PHONE)), (2, (PHONE,))]

    async def test_a_session_saved_late_finds_what_came_after_it_began(self, store: Store) -> None:
        await accept(store, message(1, row()))
        store.sessions.save(record(PHONE))
        await accept(store, message(2, row(to=((PHONE, 1),))))
        store.sessions.save(record(PHONE))
        await settled(store)
        assert [each.id for each in await store.deliveries.delivered_to(ANNA, PHONE, 0)] == [2]

    async def test_sessions_numbers_are_the_last_by_session(self, store: Store) -> None:
        await accept(
            store,
            message(1, row(), session=PHONE, number=1),
            message(2, row(), session=LAPTOP, number=2**32 - 1),
            message(3, session=PHONE, number=2),
            message(4, row(), session=LAPTOP, number=0),
            message(5, row()),
        )
        assert await store.deliveries.sessions_numbers(0) == {PHONE: 2, LAPTOP: 0}
        assert await store.deliveries.sessions_numbers(3) == {LAPTOP: 0}
        assert await store.deliveries.sessions_numbers(5) == {}

    async def test_last_id(self, store: Store) -> None:
        assert await store.deliveries.last_id() == 0
        await accept(store, message(7, row()), message(9, row()))
        assert await store.deliveries.last_id() == 9


class TestSweep:
    async def test_it_removes_what_nobody_waits_for(self, store: Store) -> None:
        await accept(
            store,
            message(1, row(ANNA, flags=0, to=((PHONE, 3),))),  # acknowledged
            message(2, row(ANNA, flags=0, to=((PHONE, 4),))),  # not yet
            message(3, row(ANNA, flags=0, to=((LAPTOP, 9),))),  # the session is gone
            message(4, row(ANNA, flags=OFFLINE)),  # before the position
            message(5, row(ANNA, flags=OFFLINE)),  # waits
            message(6, row(ANNA), row(BRUNO, flags=0, to=((LAPTOP, 1),))),  # archived, and passing for Bruno
            message(7, session=PHONE, number=1),  # only a number
            message(8, row(ANNA)),
            message(9, row(ANNA, flags=0)),  # lately
        )
        store.deliveries.advance(ANNA, 4)
        assert await store.sweep(0, 9, 100, {PHONE: 3}) == Swept(removed=5, next_id=None)
        assert [each.id for each in await store.deliveries.delivered_to(ANNA, PHONE, 0)] == [2]
        assert [each.id for each in await store.deliveries.waiting(ANNA, 10)] == [5]
        assert await store.deliveries.delivered_to(ANNA, LAPTOP, 0) == []
        assert await store.deliveries.sessions_numbers(0) == {}
        page = await store.archive.page(ANNA, Selection(), PageRequest(10))
        assert [each.id for each in page.rows] == [6, 8]
        assert await store.sweep(0, 9, 100, {PHONE: 4}) == Swept(removed=1, next_id=None)

    async def test_it_goes_through_the_store_in_bounded_steps(self, store: Store) -> None:
        for number in range(1, 8):
            awaited = number % 2
            await accept(store, message(number, row(ANNA, flags=0, to=((PHONE, number),) if awaited else ())))
        first = await store.sweep(0, 100, 3, {PHONE: 0})
        assert first == Swept(removed=1, next_id=3)
        second = await store.sweep(3, 100, 3, {PHONE: 0})
        assert second == Swept(removed=2, next_id=6)
        assert await store.sweep(6, 100, 3, {PHONE: 0}) == Swept(removed=0, next_id=None)

    async def test_ids_are_not_used_again(self, store: Store) -> None:
        await accept(store, message(7, row(ANNA, flags=0)))
        await store.sweep(0, 100, 10, {})
        assert await store.deliveries.last_id() == 7
