"""Contract of `OutboxStore` and `InboxStore`."""

from edge_node.adapters.store import Store
from edge_node.custody import Acceptance
from edge_node.uplink.store import InboxStore, OutboxStore
from tests.contracts.edge.driver import EPOCH, accept, settled


def envelope(sequence: int) -> Acceptance:
    acceptance = Acceptance(sequence * 10)
    acceptance.envelope = (sequence, b"envelope %d" % sequence)
    return acceptance


def taken(message_id: int, origin: str, epoch: int, sequence: int) -> Acceptance:
    acceptance = Acceptance(message_id)
    acceptance.watermark = (origin, epoch, sequence)
    return acceptance


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
        assert await store.outbox.count() == 5

    async def test_what_the_hub_answers_for_is_forgotten_but_not_the_last_sequence(self, store: Store) -> None:
        await accept(store, *(envelope(number) for number in range(1, 6)))
        store.outbox.trim(3)
        store.outbox.trim(2)
        await settled(store)
        assert [sequence for sequence, _ in await store.outbox.read(0, 10)] == [4, 5]
        store.outbox.trim(5)
        await settled(store)
        assert await store.outbox.count() == 0
        assert store.outbox.last_sequence == 5


class TestInbox:
    async def test_the_highest_by_origin(self, store: Store) -> None:
        inbox: InboxStore = store.inbox
        assert await inbox.watermarks() == {}
        await accept(store, taken(1, "lyon", 7, 1), taken(2, "metz", 3, 9), taken(3, "lyon", 7, 2))
        assert await inbox.watermarks() == {"lyon": (7, 2), "metz": (3, 9)}

    async def test_it_never_goes_back_but_a_new_epoch_starts_anew(self, store: Store) -> None:
        await accept(store, taken(1, "lyon", 7, 5))
        await accept(store, taken(2, "lyon", 7, 4), taken(3, "lyon", 6, 9))
        assert await store.inbox.watermarks() == {"lyon": (7, 5)}
        await accept(store, taken(4, "lyon", 8, 1))
        assert await store.inbox.watermarks() == {"lyon": (8, 1)}
