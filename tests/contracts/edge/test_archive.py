"""Contract of `ArchiveStore`: XEP-0313 queries paged by XEP-0059."""

import pytest

from edge_node.adapters.store import Store
from edge_node.features.archive.store import (
    ArchiveDefault,
    Page,
    PageRequest,
    Preferences,
    Selection,
    UnknownId,
)
from edge_node.sessions.store import SessionRecord
from tests.contracts.edge.driver import ANNA, ARCHIVED, BRUNO, CHLOE, OFFLINE, accept, message, row, settled, stanza


def ids(page: Page) -> list[int]:
    return [each.id for each in page.rows]


@pytest.fixture
async def archive(store: Store) -> Store:
    """Anna's archive: 10, 20, ... 100; odd tens with Bruno, even tens with Chloe; things that are not hers between."""
    for number in range(10, 101, 10):
        await accept(
            store,
            message(number, row(ANNA, BRUNO if number % 20 else CHLOE), row(BRUNO, ANNA)),
            message(number + 1, row(BRUNO, ANNA)),
            message(number + 2, row(ANNA, BRUNO, OFFLINE)),
            message(number + 3, row(ANNA, BRUNO, 0, to=((1, number),))),
        )
    return store


class TestArchive:
    async def test_the_first_page_and_the_pages_after_it(self, archive: Store) -> None:
        first = await archive.archive.page(ANNA, Selection(), PageRequest(4))
        assert (ids(first), first.complete, first.count) == ([10, 20, 30, 40], False, 10)
        second = await archive.archive.page(ANNA, Selection(), PageRequest(4, after=40))
        assert (ids(second), second.complete, second.count) == ([50, 60, 70, 80], False, 10)
        third = await archive.archive.page(ANNA, Selection(), PageRequest(4, after=80))
        assert (ids(third), third.complete) == ([90, 100], True)
        after_last = await archive.archive.page(ANNA, Selection(), PageRequest(4, after=100))
        assert (ids(after_last), after_last.complete, after_last.count) == ([], True, 10)

    async def test_a_page_that_ends_with_the_selection_is_complete(self, archive: Store) -> None:
        page = await archive.archive.page(ANNA, Selection(), PageRequest(2, after=80))
        assert (ids(page), page.complete) == ([90, 100], True)

    async def test_the_last_page_and_the_pages_before_it(self, archive: Store) -> None:
        last = await archive.archive.page(ANNA, Selection(), PageRequest(4, last=True))
        assert (ids(last), last.complete) == ([70, 80, 90, 100], False)
        earlier = await archive.archive.page(ANNA, Selection(), PageRequest(4, before=70))
        assert (ids(earlier), earlier.complete) == ([30, 40, 50, 60], False)
        earliest = await archive.archive.page(ANNA, Selection(), PageRequest(4, before=30))
        assert (ids(earliest), earliest.complete) == ([10, 20], True)

    async def test_a_limit_of_zero_asks_for_the_count(self, archive: Store) -> None:
        page = await archive.archive.page(ANNA, Selection(peer=CHLOE), PageRequest(0))
        assert (ids(page), page.complete, page.count) == ([], False, 5)
        nothing = await archive.archive.page(ANNA, Selection(peer="nobody@corp.example"), PageRequest(0, last=True))
        assert (ids(nothing), nothing.complete, nothing.count) == ([], True, 0)

    @pytest.mark.parametrize(
        ("selection", "expected"),
        [
            (Selection(peer=CHLOE), [20, 40, 60, 80, 100]),
            (Selection(start_us=30), [30, 40, 50, 60, 70, 80, 90, 100]),
            (Selection(start_us=31, end_us=60), [40, 50, 60]),
            (Selection(end_us=9), []),
            (Selection(start_us=70, end_us=20), []),
            (Selection(after_id=30, before_id=70), [40, 50, 60]),
            (Selection(after_id=30, start_us=50), [50, 60, 70, 80, 90, 100]),
            (Selection(ids=(90, 20)), [20, 90]),
            (Selection(ids=()), []),
            (Selection(ids=(10, 20, 30), peer=BRUNO, after_id=10), [30]),
            (Selection(start_us=-5, end_us=2**70), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
            (Selection(start_us=2**70), []),
            (Selection(end_us=-1), []),
        ],
    )
    async def test_selections(self, archive: Store, selection: Selection, expected: list[int]) -> None:
        page = await archive.archive.page(ANNA, selection, PageRequest(100))
        assert (ids(page), page.complete, page.count) == (expected, True, len(expected))

    async def test_paging_inside_a_selection(self, archive: Store) -> None:
        page = await archive.archive.page(ANNA, Selection(peer=BRUNO), PageRequest(2, after=40))
        assert (ids(page), page.complete, page.count) == ([50, 70], False, 5)
        page = await archive.archive.page(ANNA, Selection(peer=BRUNO, after_id=20), PageRequest(2, before=60))
        assert (ids(page), page.complete, page.count) == ([30, 50], True, 4)

    async def test_between_after_and_before_the_first_page_is_taken(self, archive: Store) -> None:
        page = await archive.archive.page(ANNA, Selection(), PageRequest(2, after=20, before=70))
        assert (ids(page), page.complete) == ([30, 40], False)

    @pytest.mark.parametrize("unknown", [11, 12, 13, 5, 0, -1, 2**63, 2**64 - 1])
    async def test_an_id_that_the_archive_does_not_have_is_unknown(self, archive: Store, unknown: int) -> None:
        queries = [
            (Selection(), PageRequest(5, after=unknown)),
            (Selection(), PageRequest(5, before=unknown)),
            (Selection(after_id=unknown), PageRequest(5)),
            (Selection(before_id=unknown), PageRequest(5)),
            (Selection(ids=(10, unknown)), PageRequest(5)),
        ]
        for selection, request in queries:
            with pytest.raises(UnknownId):
                await archive.archive.page(ANNA, selection, request)

    async def test_a_named_id_need_not_be_in_the_selection(self, archive: Store) -> None:
        page = await archive.archive.page(ANNA, Selection(peer=CHLOE), PageRequest(2, after=10))
        assert ids(page) == [20, 40]

    async def test_an_account_without_messages(self, store: Store) -> None:
        page = await store.archive.page(CHLOE, Selection(), PageRequest(5, last=True))
        assert page == Page((), complete=True, count=0)
        assert await store.archive.bounds(CHLOE) is None

    async def test_bounds_are_the_oldest_and_the_newest_row(self, archive: Store) -> None:
        bounds = await archive.archive.bounds(ANNA)
        assert bounds is not None
        assert [each.id for each in bounds] == [10, 100]
        assert bounds[1].stanza == stanza(100)

    async def test_preferences_are_kept(self, store: Store) -> None:
        assert await store.archive.all_preferences() == {}
        chosen = Preferences(ArchiveDefault.ROSTER, always=(BRUNO,), never=(CHLOE, "x@y.example"))
        await store.archive.set_preferences(ANNA, Preferences(ArchiveDefault.NEVER))
        await store.archive.set_preferences(ANNA, chosen)
        assert await store.archive.all_preferences() == {ANNA: chosen}


class TestPurge:
    async def test_it_removes_the_oldest_messages_in_bounded_chunks(self, archive: Store) -> None:
        assert await archive.archive.purge(41, 5) == 5
        # By id: 10 (both), 11 (Bruno), 20 (both); 21 is next.
        assert ids(await archive.archive.page(ANNA, Selection(), PageRequest(2))) == [30, 40]
        assert ids(await archive.archive.page(BRUNO, Selection(), PageRequest(2))) == [21, 30]
        # 21 (Bruno), 30 (both), 31 (Bruno), 40 (both), which goes whole.
        assert await archive.archive.purge(41, 5) == 6
        assert await archive.archive.purge(41, 5) == 0
        assert ids(await archive.archive.page(ANNA, Selection(), PageRequest(2))) == [50, 60]
        assert ids(await archive.archive.page(BRUNO, Selection(), PageRequest(2))) == [41, 50]

    async def test_a_message_goes_whole(self, store: Store) -> None:
        await accept(store, message(1, row(ANNA), row(BRUNO), row(CHLOE)), message(2, row(ANNA)))
        assert await store.archive.purge(10, 2) == 3
        assert [account for account in (ANNA, BRUNO, CHLOE) if ids(await self.all_of(store, account))] == [ANNA]
        assert await store.archive.purge(10, 2) == 1
        assert await self.all_of(store, ANNA) == Page((), complete=True, count=0)

    async def test_what_waits_leaves_the_archive_and_still_waits(self, store: Store) -> None:
        await accept(store, message(1, row(ANNA, flags=ARCHIVED | OFFLINE), row(BRUNO)))
        assert await store.archive.purge(10, 10) == 2
        assert await self.all_of(store, ANNA) == Page((), complete=True, count=0)
        assert [each.stanza for each in await store.deliveries.waiting(ANNA, 5)] == [stanza(1)]
        assert await store.archive.purge(10, 10) == 0
        store.deliveries.advance(ANNA, 1)
        assert (await store.sweep(0, 10, 10, {})).removed == 1

    async def test_what_a_living_session_may_have_missed_is_kept_for_it(self, store: Store) -> None:
        store.sessions.save(SessionRecord(7, b"", "anna", "phone", managed=True, checkpoint=b"", updated_us=0))
        await settled(store)
        await accept(store, message(1, row(ANNA, to=((7, 1),)), row(BRUNO, to=((8, 1),))))
        assert await store.archive.purge(10, 10) == 2
        assert [each.id for each in await store.deliveries.delivered_to(ANNA, 7, 0)] == [1]
        assert await store.deliveries.delivered_to(BRUNO, 8, 0) == []

    async def test_ids_are_not_used_again_when_their_messages_are_gone(self, store: Store) -> None:
        assert await store.deliveries.last_id() == 0
        await accept(store, message(41, row()))
        await store.archive.purge(100, 10)
        assert await store.deliveries.last_id() == 41

    async def all_of(self, store: Store, account: str) -> Page:
        return await store.archive.page(account, Selection(), PageRequest(100))
