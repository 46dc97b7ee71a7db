"""Contract of `OutboxStore` and `InboxStore`."""

from edge_node.adapters.store import Store
from edge_node.custody import Acceptance, StoreUnavailable, Watermark
from edge_node.features.archive.store import PageRequest, Selection
from edge_node.uplink.store import InboxStore, OutboxStore
from tests.contracts.edge.driver import ANNA, CHLOE, EPOCH, accept, message, outcomes, row, settled


def envelope(sequence: int) -> Acceptance:
    acceptance = Acceptance(sequence * 10)
    acceptance.envelope = (sequence, b"envelope %d" % sequence)
    return acceptance


def taken(message_id: int, origin: str, epoch: int, sequence: int, *, after: tuple[int, int] = (0, 0)) -> Acceptance:
    """A message from another site, which follows one that was taken before."""
    acceptance = message(message_id, row(ANNA, CHLOE))
    acceptance.watermark = Watermark(origin, epoch, sequence, after)
    return acceptance


async def archived(store: Store, account: str = ANNA) -> list[int]:
    return [each.id for each in (await store.archive.page(account, Selection(), PageRequest(100))).rows]


class TestOutbox:
    async def test_the_epoch_is_that_of_the_making(self, store: Store) -> None:
        outbox: OutboxStore = store.outbox
        assert outbox.epoch == EPOCH

    async def test_envelopes_are_read_in_order_from_a_place_on(self, store: Store) -> None:
        assert store.outbox.last_sequence == 0
        await accept(store, *(envelope(number) for number in range(1, 6)))
        assert store.outbox.last_sequence == 5
        assert await store.outbox.read(0, 2) == [(1, b"envelope 1"), (2, b"envelope 2")]
        assert [sequence for sequence, _ in await store.outbox.read(2, 10)] == [3, 4, 5]
        assert await store.outbox.read(5, 10) == []
        assert (store.outbox.envelopes, store.outbox.size_bytes) == (5, 5 * len(b"envelope 1"))

    async def test_what_the_hub_answers_for_is_forgotten_but_not_the_last_sequence(self, store: Store) -> None:
        await accept(store, *(envelope(number) for number in range(1, 6)))
        store.outbox.trim(3)
        store.outbox.trim(2)
        await settled(store)
        assert [sequence for sequence, _ in await store.outbox.read(0, 10)] == [4, 5]
        assert (store.outbox.envelopes, store.outbox.size_bytes) == (2, 2 * len(b"envelope 1"))
        store.outbox.trim(5)
        await settled(store)
        assert (store.outbox.envelopes, store.outbox.size_bytes, store.outbox.last_sequence) == (0, 0, 5)

    async def test_it_is_measured_also_in_one_commit_with_the_trim(self, store: Store) -> None:
        await accept(store, *(envelope(number) for number in range(1, 6)))
        store.outbox.trim(4)
        await accept(store, envelope(6), envelope(7))
        assert (store.outbox.envelopes, store.outbox.size_bytes) == (3, 3 * len(b"envelope 1"))


class TestInbox:
    async def test_the_highest_by_origin(self, store: Store) -> None:
        inbox: InboxStore = store.inbox
        assert await inbox.watermarks() == {}
        await accept(store, taken(1, "lyon", 7, 1), taken(2, "metz", 3, 9), taken(3, "lyon", 7, 2, after=(7, 1)))
        assert await inbox.watermarks() == {"lyon": (7, 2), "metz": (3, 9)}

    async def test_a_new_epoch_starts_anew(self, store: Store) -> None:
        await accept(store, taken(1, "lyon", 7, 5), taken(2, "lyon", 8, 1, after=(7, 5)))
        assert await store.inbox.watermarks() == {"lyon": (8, 1)}

    async def test_nothing_is_taken_behind_what_could_not_be(self, store: Store) -> None:
        """Else the mark would cover it, and it would count as a duplicate when it comes again."""
        bad = taken(1, "lyon", 7, 2, after=(7, 1))  # its id is used already
        behind = [taken(3, "lyon", 7, 3, after=(7, 2)), taken(4, "lyon", 7, 4, after=(7, 3))]
        others = [taken(5, "metz", 3, 9), message(6, row())]
        told = await outcomes(store, taken(1, "lyon", 7, 1), bad, *behind, *others)
        assert [type(each) for each in told] == [type(None), *[StoreUnavailable] * 3, *[type(None)] * 2]
        assert await store.inbox.watermarks() == {"lyon": (7, 1), "metz": (3, 9)}
        assert await archived(store) == [1, 5, 6]
        again = [taken(7, "lyon", 7, 2, after=(7, 1)), taken(8, "lyon", 7, 3, after=(7, 2))]
        await accept(store, *again)
        assert await store.inbox.watermarks() == {"lyon": (7, 3), "metz": (3, 9)}
        assert await archived(store) == [1, 5, 6, 7, 8]

    async def test_nothing_is_taken_behind_a_gap_also_in_another_commit(self, store: Store) -> None:
        await accept(store, taken(1, "lyon", 7, 1))
        (told,) = await outcomes(store, taken(3, "lyon", 7, 3, after=(7, 2)))
        assert isinstance(told, StoreUnavailable)
        assert "lyon: an envelope before 3 is not stored" in str(told)
        assert (store.counters.acceptances, store.counters.refused) == (1, 1)
        assert await store.inbox.watermarks() == {"lyon": (7, 1)}
        assert await archived(store) == [1]

    async def test_what_is_stored_is_not_taken_twice(self, store: Store) -> None:
        await accept(store, taken(1, "lyon", 7, 1), taken(2, "lyon", 7, 2, after=(7, 1)))
        told = await outcomes(store, taken(3, "lyon", 7, 2, after=(7, 1)), taken(4, "lyon", 7, 1))
        assert [type(each) for each in told] == [StoreUnavailable] * 2
        assert await archived(store) == [1, 2]
