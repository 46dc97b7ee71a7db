"""Contract of `RosterStore`."""

from edge_node.adapters.store import Store
from edge_node.features.roster.store import Roster, RosterChange, RosterItem, Subscription
from tests.contracts.edge.driver import ANNA, BRUNO, CHLOE

FRIEND = RosterItem(BRUNO, "Brüno", ("Work", "Café"), Subscription.BOTH, ask=True, approved=True)
REQUEST = RosterItem(CHLOE, request=b"<presence type='subscribe'/>", in_roster=False)


class TestRosters:
    async def test_an_account_without_a_roster(self, store: Store) -> None:
        assert await store.rosters.load(ANNA) == Roster(0, ())
        assert await store.rosters.changes(ANNA, 0, 10) == []

    async def test_items_are_kept_whole(self, store: Store) -> None:
        await store.rosters.put(ANNA, FRIEND, 1)
        await store.rosters.put(ANNA, REQUEST, 2)
        assert await store.rosters.load(ANNA) == Roster(2, (FRIEND, REQUEST))
        assert await store.rosters.load(BRUNO) == Roster(0, ())

    async def test_an_item_is_replaced(self, store: Store) -> None:
        await store.rosters.put(ANNA, FRIEND, 1)
        await store.rosters.put(ANNA, RosterItem(BRUNO), 2)
        assert await store.rosters.load(ANNA) == Roster(2, (RosterItem(BRUNO),))

    async def test_an_item_is_removed(self, store: Store) -> None:
        await store.rosters.put(ANNA, FRIEND, 1)
        await store.rosters.remove(ANNA, BRUNO, 2)
        assert await store.rosters.load(ANNA) == Roster(2, ())

    async def test_changes_come_oldest_first_each_contact_once(self, store: Store) -> None:
        await store.rosters.put(ANNA, FRIEND, 1)
        await store.rosters.put(ANNA, REQUEST, 2)
        await store.rosters.put(ANNA, RosterItem("d@corp.example"), 3)
        await store.rosters.remove(ANNA, CHLOE, 4)
        await store.rosters.put(ANNA, RosterItem(BRUNO), 5)
        friend = RosterItem("d@corp.example")
        everything = [
            RosterChange(3, friend.contact, friend),
            RosterChange(4, CHLOE, None),
            RosterChange(5, BRUNO, RosterItem(BRUNO)),
        ]
        assert await store.rosters.changes(ANNA, 0, 10) == everything
        assert await store.rosters.changes(ANNA, 2, 10) == everything
        assert await store.rosters.changes(ANNA, 3, 10) == everything[1:]
        assert await store.rosters.changes(ANNA, 5, 10) == []

    async def test_too_many_changes_or_a_version_never_given_mean_the_whole_roster(self, store: Store) -> None:
        for version in range(1, 5):
            await store.rosters.put(ANNA, RosterItem(f"{version}@corp.example"), version)
        assert await store.rosters.changes(ANNA, 1, 2) is None
        assert await store.rosters.changes(ANNA, 2, 2) is not None
        assert await store.rosters.changes(ANNA, 5, 10) is None
