import pytest

from edge_node.adapters.memory import open_store
from edge_node.features.archive.preferences import ArchivePreferences, TooMany
from edge_node.features.archive.store import ArchiveDefault, Preferences
from edge_node.sessions.roster import LiveRoster, Roster, RosterItem
from tests.support.edge import jid

ANNA = "anna@corp.example"
ALWAYS, NEVER, ROSTER = ArchiveDefault.ALWAYS, ArchiveDefault.NEVER, ArchiveDefault.ROSTER
BRUNO, DESK = "bruno@corp.example", "bruno@corp.example/desk"


async def roster_of(account: str) -> LiveRoster:
    items = (RosterItem(BRUNO), RosterItem("chloe@corp.example", request=b"x", in_roster=False))
    return LiveRoster(account, Roster(1, items))


def preferences_of(default: ArchiveDefault = ALWAYS, accounts_max: int = 10) -> ArchivePreferences:
    return ArchivePreferences(open_store().archive, roster_of, default=default, accounts_max=accounts_max)


@pytest.mark.parametrize(
    ("chosen", "peer", "is_wanted"),
    [
        (Preferences(ALWAYS), "bruno", True),
        (Preferences(NEVER), "bruno", False),
        (Preferences(NEVER, always=(BRUNO,)), "bruno", True),
        (Preferences(NEVER, always=(BRUNO,)), "bruno/desk", True),
        (Preferences(NEVER, always=(BRUNO,)), "chloe", False),
        (Preferences(NEVER, always=(DESK,)), "bruno/desk", True),
        (Preferences(NEVER, always=(DESK,)), "bruno/phone", False),
        (Preferences(NEVER, always=(DESK,)), "bruno", False),
        (Preferences(ALWAYS, never=(BRUNO,)), "bruno/desk", False),
        (Preferences(ALWAYS, never=(DESK,)), "bruno", True),
        # The more exact address goes first, and between equals "never" does.
        (Preferences(ALWAYS, always=(DESK,), never=(BRUNO,)), "bruno/desk", True),
        (Preferences(ALWAYS, always=(BRUNO,), never=(DESK,)), "bruno/desk", False),
        (Preferences(ALWAYS, always=(BRUNO,), never=(BRUNO,)), "bruno", False),
        (Preferences(ROSTER), "bruno/desk", True),
        (Preferences(ROSTER), "david", False),
        (Preferences(ROSTER), "chloe", False),
        (Preferences(ROSTER, always=("david@corp.example",)), "david", True),
        (Preferences(ROSTER, never=(BRUNO,)), "bruno", False),
    ],
)
async def test_what_is_wanted(chosen: Preferences, peer: str, is_wanted: bool) -> None:
    preferences = preferences_of(NEVER if chosen.default is ALWAYS else ALWAYS)
    await preferences.choose(ANNA, chosen)
    assert preferences.wants(ANNA, jid(peer)) is is_wanted


@pytest.mark.parametrize(("default", "is_wanted"), [(ALWAYS, True), (NEVER, False)])
def test_who_has_chosen_nothing_gets_the_default(default: ArchiveDefault, is_wanted: bool) -> None:
    preferences = preferences_of(default)
    assert preferences.wants(ANNA, jid("bruno")) is is_wanted
    assert preferences.of(ANNA) == Preferences(default)


async def test_only_what_differs_from_the_default_takes_room() -> None:
    preferences = preferences_of(accounts_max=1)
    await preferences.choose(ANNA, Preferences(ROSTER))
    await preferences.choose(ANNA, Preferences(NEVER))
    with pytest.raises(TooMany):
        await preferences.choose(BRUNO, Preferences(NEVER))
    await preferences.choose(BRUNO, Preferences(ALWAYS))
    await preferences.choose(ANNA, Preferences(ALWAYS))
    assert len(preferences) == 0
    await preferences.choose(BRUNO, Preferences(NEVER))
    assert preferences.of(BRUNO) == Preferences(NEVER)


async def test_are_loaded_at_start() -> None:
    store = open_store().archive
    await store.set_preferences(ANNA, Preferences(ROSTER, never=(DESK,)))
    await store.set_preferences(BRUNO, Preferences(ALWAYS))
    preferences = ArchivePreferences(store, roster_of, default=ALWAYS, accounts_max=10)
    await preferences.load()
    assert (len(preferences), preferences.of(ANNA)) == (1, Preferences(ROSTER, never=(DESK,)))
    assert preferences.wants(ANNA, jid("bruno/phone"))
    assert not preferences.wants(ANNA, jid("david"))
