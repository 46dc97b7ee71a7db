"""What the contract tests say to a store: acceptances in few words, and waiting for their answers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge_node.adapters import memory, sqlite
from edge_node.adapters.store import Store
from edge_node.custody import Acceptance, Entry, EntryFlag

ANNA, BRUNO, CHLOE = "anna@corp.example", "bruno@corp.example", "chloe@corp.example"
EPOCH = 1_800_000_000_000_000
ARCHIVED, OFFLINE = EntryFlag.ARCHIVED, EntryFlag.OFFLINE

Open = Callable[[Path], Awaitable[Store]]
"""Opens the store that is kept in a folder."""

SETTINGS = sqlite.StoreSettings(recent_rows_max=8, readers=1)


async def open_memory(folder: Path) -> Store:
    return memory.open_store(EPOCH)


async def open_sqlite(folder: Path) -> Store:
    return await sqlite.open_store(folder / "edge.sqlite", SETTINGS, EPOCH)


def row(
    account: str = ANNA,
    peer: str = BRUNO,
    flags: int = ARCHIVED,
    *,
    outgoing: bool = False,
    to: tuple[tuple[int, int], ...] = (),
) -> Entry:
    return Entry(account, peer, outgoing=outgoing, flags=flags, deliveries=to)


def message(message_id: int, *entries: Entry, session: int = 0, number: int = 0) -> Acceptance:
    acceptance = Acceptance(message_id, session=session, number=number)
    acceptance.stanza = stanza(message_id)
    acceptance.entries = list(entries)
    return acceptance


def stanza(message_id: int) -> bytes:
    return b"<message><body>%d</body></message>" % message_id


async def accept(store: Store, *acceptances: Acceptance) -> None:
    """Submit and wait; fails unless every one is committed."""
    for outcome in await outcomes(store, *acceptances):
        assert outcome is None, outcome


async def outcomes(store: Store, *acceptances: Acceptance) -> list[Exception | None]:
    """Submit and wait; what each was told."""
    answers = [asyncio.get_running_loop().create_future() for _ in acceptances]
    for acceptance, answer in zip(acceptances, answers, strict=True):
        store.custody.accept(acceptance, answer.set_result)
    return [await answer for answer in answers]


async def settled(store: Store) -> None:
    """Wait until what was submitted so far is committed, fire-and-forget writes included."""
    await store.accounts.apply(*await _replica(store), (), full=False)


async def _replica(store: Store) -> tuple[int, tuple[()]]:
    version, _accounts = await store.accounts.load()
    return version, ()


async def turns_until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until `condition` holds: for what a store does by itself, and tells nobody."""
    while not condition():  # noqa: ASYNC110 - there is no event to wait for; the test's time limit bounds it
        await asyncio.sleep(0)
