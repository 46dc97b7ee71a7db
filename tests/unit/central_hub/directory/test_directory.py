import asyncio
from collections.abc import Sequence

import pytest

from central_hub.adapters.memory.directory import MemoryDirectory
from central_hub.directory.changes import AccountEdit, Edited, Refused
from central_hub.directory.directory import Directory
from central_hub.directory.sites import Site


def add(local: str, site: str = "paris") -> AccountEdit:
    return AccountEdit(local=local, site=site, verifiers=())


async def directory_with_paris(store: MemoryDirectory) -> Directory:
    directory = Directory(store, edits_per_commit=2)
    await directory.load(0)
    await directory.put_site(Site("paris", "h", 1, 100))
    await directory.put_site(Site("lyon", "h", 2, 500))
    return directory


async def test_resolves_what_was_committed() -> None:
    directory = await directory_with_paris(MemoryDirectory())
    changed: list[str] = []
    directory.observe(changed.append)
    answers = await directory.edit([add("anna"), add("bruno"), add("chloe", "lyon"), add("x", "nowhere")])
    assert [type(answer) for answer in answers] == [Edited, Edited, Edited, Refused]
    assert (directory.home_of("chloe"), directory.home_of("x")) == ("lyon", None)
    assert (directory.newest_version("paris"), directory.population("paris"), directory.population("lyon")) == (
        102,
        2,
        1,
    )
    assert changed == ["paris", "lyon"]


async def test_refused_alone_tells_nobody() -> None:
    directory = await directory_with_paris(MemoryDirectory())
    changed: list[str] = []
    directory.observe(changed.append)
    await directory.edit([add("x", "nowhere")])
    assert changed == []


async def test_reload_is_the_same() -> None:
    store = MemoryDirectory()
    directory = await directory_with_paris(store)
    await directory.edit([add("anna"), add("bruno"), AccountEdit(local="anna", disabled=True)])
    again = Directory(store, edits_per_commit=2)
    await again.load(0)
    assert list(again.accounts("", "")) == list(directory.accounts("", ""))
    assert (again.newest_version("paris"), again.population("paris")) == (104, 2)
    anna = again.account("anna")
    assert anna is not None
    assert anna.disabled


async def test_which_versions_were_given_out_and_what_a_replica_lacks() -> None:
    store = MemoryDirectory()
    first = await directory_with_paris(store)
    await first.edit([add("anna"), add("bruno")])
    second = Directory(store, edits_per_commit=2)
    await second.load(200)
    await second.edit([add("claire")])
    given_out = {version for version in range(95, 210) if second.has_given_out("paris", version)}
    assert given_out == {100, 101, 102, 200, 201}
    lacking = {version: second.changes_since("paris", version) for version in sorted(given_out)}
    assert lacking == {100: 3, 101: 2, 102: 1, 200: 1, 201: 0}
    assert [second.changes_since("paris", version) for version in (0, 150, 202)] == [3, 3, 3]


class SlowStore(MemoryDirectory):
    """Commits when it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.may_commit = asyncio.Event()
        self.may_commit.set()

    async def put_site(self, site: Site) -> Site:
        stored = await super().put_site(site)
        await self.may_commit.wait()
        return stored

    async def edit_accounts(self, edits: Sequence[AccountEdit]) -> list[Edited | Refused]:
        answers = await super().edit_accounts(edits)
        await self.may_commit.wait()
        return answers


async def test_what_is_committed_for_a_call_that_was_cancelled_is_known() -> None:
    store = SlowStore()
    directory = await directory_with_paris(store)
    changed = asyncio.Event()
    directory.observe(lambda _: changed.set())
    for work in (directory.put_site(Site("nice", "h", 3, 900)), directory.edit([add("anna"), add("bruno")])):
        store.may_commit.clear()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await work
        store.may_commit.set()
    async with asyncio.timeout(5):
        await changed.wait()
    assert (directory.home_of("anna"), set(directory.sites)) == ("paris", {"paris", "lyon", "nice"})


async def test_listing_is_sorted_and_filtered() -> None:
    directory = await directory_with_paris(MemoryDirectory())
    await directory.edit([add("bruno"), add("anna"), add("anton", "lyon")])
    assert [account.local for account in directory.accounts("", "an")] == ["anna", "anton"]
    assert [account.local for account in directory.accounts("paris", "")] == ["anna", "bruno"]
