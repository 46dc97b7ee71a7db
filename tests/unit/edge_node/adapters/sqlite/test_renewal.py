"""A store that was restored from a copy: nothing that others have met is given out again."""

from pathlib import Path

import pytest

from edge_node.adapters import sqlite
from edge_node.custody import Acceptance, Watermark
from edge_node.features.roster.store import RosterItem
from tests.contracts.edge.driver import ANNA, BRUNO, CHLOE, EPOCH, accept, settled

SETTINGS = sqlite.StoreSettings()


def of_epoch(envelope: bytes, epoch: int) -> bytes:
    return envelope + b" of %d" % epoch


async def opened(path: Path) -> sqlite.SqliteStore:
    return await sqlite.open_store(path, SETTINGS, EPOCH)


async def copy(path: Path, envelopes: int = 3, *, trimmed: int = 0) -> None:
    """A store with an outbox, a mark and a roster."""
    store = await opened(path)
    for sequence in range(1, envelopes + 1):
        acceptance = Acceptance(sequence)
        acceptance.envelope = (sequence, b"envelope %d" % sequence)
        await accept(store, acceptance)
    taken = Acceptance(envelopes + 1)
    taken.watermark = Watermark("lyon", 1, 5)
    await accept(store, taken)
    await store.rosters.put(ANNA, RosterItem(BRUNO), 7)
    if trimmed:
        store.outbox.trim(trimmed)
        await settled(store)
    await store.close()


async def test_the_outbox_goes_on_in_a_new_epoch_with_what_it_held(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    await copy(path, trimmed=1)
    assert sqlite.begin_epoch(path, SETTINGS, EPOCH + 9, of_epoch) == (EPOCH + 9, 2)
    store = await opened(path)
    assert (store.outbox.epoch, store.outbox.last_sequence) == (EPOCH + 9, 3)
    assert await store.outbox.read(0, 9) == [
        (2, b"envelope 2 of %d" % (EPOCH + 9)),
        (3, b"envelope 3 of %d" % (EPOCH + 9)),
    ]
    assert await store.inbox.watermarks() == {"lyon": (1, 5)}
    await store.close()


async def test_a_large_outbox_is_renewed_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    store = await opened(path)
    acceptances = [Acceptance(sequence) for sequence in range(1, 2_502)]
    for acceptance in acceptances:
        acceptance.envelope = (acceptance.id, b"x")
    await accept(store, *acceptances)
    await store.close()
    assert sqlite.begin_epoch(path, SETTINGS, EPOCH + 1, lambda *_: b"y").envelopes == 2_501
    store = await opened(path)
    assert {envelope for _, envelope in await store.outbox.read(0, 9_999)} == {b"y"}
    await store.close()


async def test_what_it_held_is_dropped_if_wanted_and_its_numbers_are_not_used_again(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    await copy(path)
    assert sqlite.begin_epoch(path, SETTINGS, EPOCH + 9, None) == (EPOCH + 9, 3)
    store = await opened(path)
    assert (await store.outbox.read(0, 9), store.outbox.last_sequence, store.outbox.envelopes) == ([], 3, 0)
    await store.close()


async def test_a_clock_that_was_set_back_makes_no_earlier_epoch(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    await copy(path)
    assert sqlite.begin_epoch(path, SETTINGS, 1, of_epoch).epoch == EPOCH + 1
    assert sqlite.begin_epoch(path, SETTINGS, 1, of_epoch).epoch == EPOCH + 2


async def test_a_roster_is_not_compared_with_versions_of_the_life_that_is_lost(tmp_path: Path) -> None:
    """A client may have version 9, of another content than the one that would come after 7."""
    path = tmp_path / "edge.sqlite"
    await copy(path)
    sqlite.begin_epoch(path, SETTINGS, EPOCH + 9, of_epoch)
    store = await opened(path)
    roster = await store.rosters.load(ANNA)
    assert [item.contact for item in roster.items] == [BRUNO]
    assert [await store.rosters.changes(ANNA, version, 50) for version in (7, 9)] == [None, None]
    assert await store.rosters.changes(ANNA, roster.version, 50) == []
    await store.rosters.put(ANNA, RosterItem(CHLOE), roster.version + 1)
    changes = await store.rosters.changes(ANNA, roster.version, 50)
    assert [change.item for change in changes or ()] == [RosterItem(CHLOE)]
    await store.close()


async def test_what_fails_on_the_way_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    await copy(path)

    def fails(envelope: bytes, epoch: int) -> bytes:
        raise LookupError("no envelope")

    with pytest.raises(LookupError):
        sqlite.begin_epoch(path, SETTINGS, EPOCH + 9, fails)
    store = await opened(path)
    assert (store.outbox.epoch, (await store.rosters.load(ANNA)).version) == (EPOCH, 7)
    await store.close()
