"""What every store of the directory does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from central_hub.adapters.memory.directory import MemoryDirectory
from central_hub.adapters.sqlite.database import Database
from central_hub.adapters.sqlite.directory import SQLiteDirectory
from central_hub.adapters.sqlite.migrations import MIGRATIONS
from central_hub.directory.accounts import Account
from central_hub.directory.changes import AccountEdit, Edited, Expectation, Refused
from central_hub.directory.sites import Site
from central_hub.directory.store import GAPS_MAX, DirectoryStore, Gap
from xmpp.sasl import ScramVerifier

PARIS = Site("paris", "paris.corp.example", 5222, 1000)
LYON = Site("lyon", "lyon.corp.example", 5322, 5000)
VERIFIERS = (ScramVerifier("SHA-1", b"salt", 4096, b"stored", b"server"),)
OTHERS = (ScramVerifier("SHA-256", b"tlas", 10_000, b"derots", b"revres"),)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DirectoryStore]:
    if request.param == "memory":
        yield MemoryDirectory()
        return
    database = Database(tmp_path / "hub.sqlite3", MIGRATIONS, backlog_max=100)
    yield SQLiteDirectory(database)
    await database.close()


def add(local: str, site: str = "paris") -> AccountEdit:
    return AccountEdit(local=local, site=site, display_name=local.title(), verifiers=VERIFIERS)


async def test_begins_empty(store: DirectoryStore) -> None:
    contents = await store.load()
    assert (list(contents.sites), list(contents.accounts)) == ([], [])


async def test_loads_what_was_put(store: DirectoryStore) -> None:
    await store.put_site(PARIS)
    await store.edit_accounts([add("anna")])
    contents = await store.load()
    assert list(contents.sites) == [PARIS]
    assert contents.versions == {"paris": 1001}
    assert list(contents.accounts) == [Account("anna", "paris", 1001, disabled=False, display_name="Anna")]


async def test_site_put_again_keeps_its_base_version(store: DirectoryStore) -> None:
    await store.put_site(PARIS)
    moved = await store.put_site(Site("paris", "new.corp.example", 5223, 9999))
    assert moved == Site("paris", "new.corp.example", 5223, 1000)
    assert list((await store.load()).sites) == [moved]


async def test_versions_grow_per_site(store: DirectoryStore) -> None:
    await store.put_site(PARIS)
    await store.put_site(LYON)
    answers = await store.edit_accounts([add("anna"), add("chloe", "lyon"), add("bruno")])
    assert [a.account.version for a in answers if isinstance(a, Edited)] == [1001, 5001, 1002]
    assert [a.is_new for a in answers if isinstance(a, Edited)] == [True, True, True]


async def test_edit_changes_only_what_it_names(store: DirectoryStore) -> None:
    await store.put_site(PARIS)
    await store.edit_accounts([add("anna")])
    await store.edit_accounts([AccountEdit(local="anna", disabled=True)])
    (record,) = await store.accounts_after("paris", 0, 10)
    assert record.account == Account("anna", "paris", 1002, disabled=True, display_name="Anna")
    assert record.verifiers == VERIFIERS
    await store.edit_accounts([AccountEdit(local="anna", verifiers=OTHERS, display_name="Anna P.")])
    (record,) = await store.accounts_after("paris", 0, 10)
    assert (record.verifiers, record.account.display_name, record.account.disabled) == (OTHERS, "Anna P.", True)


@pytest.mark.parametrize(
    ("edit", "refused"),
    [
        (AccountEdit(local="anna", expects=Expectation.ABSENT, site="paris", verifiers=VERIFIERS), Refused.EXISTS),
        (AccountEdit(local="nobody", expects=Expectation.PRESENT), Refused.UNKNOWN_ACCOUNT),
        (AccountEdit(local="new", site="nowhere", verifiers=VERIFIERS), Refused.UNKNOWN_SITE),
        (AccountEdit(local="new", verifiers=VERIFIERS), Refused.UNKNOWN_SITE),
        (AccountEdit(local="new", site="paris"), Refused.NO_PASSWORD),
        (AccountEdit(local="anna", site="lyon"), Refused.OTHER_HOME),
    ],
)
async def test_refused_edit_changes_nothing_and_hinders_no_other(
    store: DirectoryStore, edit: AccountEdit, refused: Refused
) -> None:
    await store.put_site(PARIS)
    await store.put_site(LYON)
    await store.edit_accounts([add("anna")])
    answers = await store.edit_accounts([edit, add("bruno")])
    assert answers[0] is refused
    assert isinstance(answers[1], Edited)
    assert answers[1].account.version == 1002
    assert [r.account.local for r in await store.accounts_after("paris", 0, 10)] == ["anna", "bruno"]


async def test_pages_are_in_the_order_of_versions(store: DirectoryStore) -> None:
    await store.put_site(PARIS)
    await store.put_site(LYON)
    await store.edit_accounts([add("a"), add("b"), add("c"), add("x", "lyon")])
    await store.edit_accounts([AccountEdit(local="a", disabled=True)])
    first = await store.accounts_after("paris", 0, 2)
    assert [r.account.local for r in first] == ["b", "c"]
    second = await store.accounts_after("paris", first[-1].account.version, 2)
    assert [r.account.local for r in second] == ["a"]
    assert list(await store.accounts_after("paris", second[-1].account.version, 2)) == []


async def test_a_life_begins_with_versions_that_no_other_has_given_out(store: DirectoryStore) -> None:
    await store.put_site(PARIS)
    await store.put_site(LYON)
    await store.edit_accounts([add("anna")])
    await store.begin(3000)
    contents = await store.load()
    assert contents.versions == {"paris": 3000, "lyon": 5001}
    assert {site: list(gaps) for site, gaps in contents.gaps.items()} == {
        "paris": [Gap(1001, 3000)],
        "lyon": [Gap(5000, 5001)],
    }
    (answer,) = await store.edit_accounts([add("bruno")])
    assert isinstance(answer, Edited)
    assert answer.account.version == 3001
    assert {site.base_version for site in contents.sites} == {1000, 5000}


async def test_the_oldest_gaps_are_forgotten_with_what_was_before_them(store: DirectoryStore) -> None:
    await store.put_site(PARIS)
    for life in range(1, GAPS_MAX + 3):
        await store.begin(life * 10_000)
    contents = await store.load()
    assert [gap.before for gap in contents.gaps["paris"]] == [life * 10_000 for life in range(3, GAPS_MAX + 3)]
    assert next(iter(contents.sites)).base_version == 20_000
