"""Contract of `DepartureStore`."""

from edge_node.adapters.store import Store

ANNA, BRUNO = "anna@corp.example", "bruno@corp.example"


class TestDepartures:
    async def test_the_latest_counts_from_when_it_was_said(self, store: Store) -> None:
        store.departures.left(ANNA, 5)
        assert await store.departures.last(ANNA) == 5
        store.departures.left(ANNA, 8)
        store.departures.left(BRUNO, 6)
        store.departures.left(BRUNO, 4)  # the clock was set back
        assert await store.departures.last(ANNA) == 8
        assert await store.departures.last(BRUNO) == 4

    async def test_who_never_left(self, store: Store) -> None:
        assert await store.departures.last(ANNA) is None
