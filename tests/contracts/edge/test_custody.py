"""Contract of `Custody`."""

import asyncio

from edge_node.adapters.store import Store
from edge_node.custody import Acceptance, Done, StoreUnavailable, Watermark
from edge_node.features.archive.store import PageRequest, Selection
from tests.contracts.edge.driver import ANNA, BRUNO, accept, message, outcomes, row, settled, stanza


class TestCustody:
    async def test_done_comes_after_the_commit_and_everything_is_there(self, store: Store) -> None:
        sent = message(5, row(ANNA, BRUNO, outgoing=True), row(BRUNO, ANNA))
        await accept(store, sent)
        for account, outgoing in ((ANNA, True), (BRUNO, False)):
            page = await store.archive.page(account, Selection(), PageRequest(10))
            assert [(each.id, each.stanza, each.outgoing) for each in page.rows] == [(5, stanza(5), outgoing)]

    async def test_answers_come_in_the_order_of_submission_barriers_included(self, store: Store) -> None:
        told: list[object] = []
        last = asyncio.get_running_loop().create_future()

        def told_of(what: object) -> Done:
            return lambda error: told.append((what, error))

        for number in range(1, 301):
            store.custody.accept(message(number, row()), told_of(number))
            if number % 10 == 0:
                store.custody.barrier(told_of(f"barrier {number}"))
            if number % 75 == 0:
                await asyncio.sleep(0)
        store.custody.barrier(last.set_result)
        await last
        expected: list[object] = []
        for number in range(1, 301):
            expected.append((number, None))
            if number % 10 == 0:
                expected.append((f"barrier {number}", None))
        assert told == expected

    async def test_what_a_done_submits_is_answered_after_what_was_submitted_before(self, store: Store) -> None:
        told: list[str] = []
        last = asyncio.get_running_loop().create_future()

        def first_done(error: Exception | None) -> None:
            told.append("first")
            store.custody.barrier(lambda _: told.append("barrier of first"))
            store.custody.accept(message(3, row()), last.set_result)

        store.custody.accept(message(1, row()), first_done)
        store.custody.accept(message(2, row()), lambda _: told.append("second"))
        await last
        assert told == ["first", "second", "barrier of first"]

    async def test_a_barrier_with_nothing_pending_is_answered_at_once(self, store: Store) -> None:
        await accept(store, message(1, row()))
        told: list[Exception | None] = []
        store.custody.barrier(told.append)
        assert told == [None]

    async def test_a_barrier_alone_costs_no_commit(self, store: Store) -> None:
        await accept(store, message(1, row()))
        done = asyncio.get_running_loop().create_future()
        store.custody.accept(message(2, row()), lambda _: store.custody.barrier(done.set_result))
        await done
        assert store.counters.commits == 2

    async def test_a_barrier_comes_after_fire_and_forget_writes(self, store: Store) -> None:
        await accept(store, message(1, row(to=((7, 5),))))
        store.deliveries.renumber(ANNA, 1, 7, 2)
        done = asyncio.get_running_loop().create_future()
        store.custody.barrier(done.set_result)
        assert await done is None
        assert [each.number for each in await store.deliveries.delivered_to(ANNA, 7, 0)] == [2]

    async def test_fulfilled_alone_costs_no_commit(self, store: Store) -> None:
        await accept(store, message(1, row()), message(2, row(), row(BRUNO, ANNA, outgoing=True)))
        store.custody.fulfilled(1)
        store.custody.fulfilled(0)
        told: list[Exception | None] = []
        store.custody.barrier(told.append)
        assert told == [None]
        assert [(account, each.id) for account, each in await store.deliveries.unfulfilled()] == [(ANNA, 2)]
        assert store.counters.commits == 1
        await accept(store, message(3, row(to=((7, 1), (8, 2)))))
        unfulfilled = await store.deliveries.unfulfilled()
        assert [(each.id, each.stanza, each.sessions) for _, each in unfulfilled] == [
            (2, stanza(2), ()),
            (3, stanza(3), (7, 8)),
        ]

    async def test_the_backlog_is_what_waits(self, store: Store) -> None:
        done = asyncio.get_running_loop().create_future()
        assert store.custody.backlog == 0
        store.custody.accept(message(1, row()), lambda _: None)
        store.custody.accept(message(2, row()), done.set_result)
        assert store.custody.backlog == 2
        await done
        assert store.custody.backlog == 0

    async def test_two_entries_of_one_account_become_one_row(self, store: Store) -> None:
        entries = (row(ANNA, ANNA, outgoing=True), row(ANNA, ANNA, to=((7, 1),)))
        await accept(store, message(1, *entries))
        page = await store.archive.page(ANNA, Selection(), PageRequest(10))
        assert [(each.id, each.outgoing) for each in page.rows] == [(1, True)]
        assert [each.id for each in await store.deliveries.delivered_to(ANNA, 7, 0)] == [1]

    async def test_an_id_that_is_used_twice_is_refused_and_harms_no_other(self, store: Store) -> None:
        await accept(store, message(1, row()))
        told = await outcomes(store, message(2, row()), message(1, row(BRUNO)), message(3, row()))
        assert [type(each) for each in told] == [type(None), StoreUnavailable, type(None)]
        page = await store.archive.page(ANNA, Selection(), PageRequest(10))
        assert [each.id for each in page.rows] == [1, 2, 3]
        assert (await store.archive.page(BRUNO, Selection(), PageRequest(10))).rows == ()

    async def test_an_acceptance_may_leave_only_an_envelope_or_a_watermark(self, store: Store) -> None:
        outgoing, incoming = Acceptance(1, session=9, number=4), Acceptance(2)
        outgoing.envelope = (1, b"envelope")
        incoming.watermark = Watermark("lyon", 3, 17)
        await accept(store, outgoing, incoming)
        assert await store.outbox.read(0, 10) == [(1, b"envelope")]
        assert await store.inbox.watermarks() == {"lyon": (3, 17)}
        assert await store.deliveries.sessions_numbers(0) == {9: 4}

    async def test_a_message_to_thousands_is_one_acceptance(self, store: Store) -> None:
        accounts = [f"account{number}@corp.example" for number in range(2_000)]
        await accept(store, message(1, *(row(account, ANNA) for account in accounts)))
        page = await store.archive.page(accounts[-1], Selection(), PageRequest(10))
        assert [each.stanza for each in page.rows] == [stanza(1)]

    async def test_after_close_everything_is_refused(self, store: Store) -> None:
        told = asyncio.get_running_loop().create_future()
        early = asyncio.get_running_loop().create_future()
        store.custody.accept(message(1, row()), early.set_result)
        await store.close()
        assert await early is None
        store.custody.accept(message(2, row()), told.set_result)
        assert isinstance(await told, StoreUnavailable)

    async def test_settled_waits_for_fire_and_forget_writes(self, store: Store) -> None:
        store.deliveries.advance(ANNA, 9)
        await settled(store)
        await accept(store, message(9, row(flags=2)), message(10, row(flags=2)))
        assert [each.id for each in await store.deliveries.waiting(ANNA, 10)] == [10]
