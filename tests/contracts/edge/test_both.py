"""The SQLite store and the memory store, told the same, answer the same: hypothesis looks for where they do not."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from edge_node.adapters.store import Store
from edge_node.features.archive.store import PageRequest, Selection, UnknownId
from edge_node.sessions.store import SessionRecord
from tests.contracts.edge.driver import ANNA, BRUNO, CHLOE, message, open_memory, open_sqlite, outcomes, row, settled

T = TypeVar("T")

ACCOUNTS = st.sampled_from([ANNA, BRUNO])
PEERS = st.sampled_from([ANNA, BRUNO, CHLOE])
FLAGS = st.integers(0, 3)
SESSIONS = st.sampled_from([1, 2**64 - 1])
SMALL = st.integers(0, 70)
MAYBE_ID = st.none() | SMALL
ENTRIES = st.lists(
    st.builds(
        row,
        ACCOUNTS,
        PEERS,
        FLAGS,
        outgoing=st.booleans(),
        to=st.lists(st.tuples(SESSIONS, SMALL), max_size=1).map(tuple),
    ),
    max_size=3,
)
SELECTIONS = st.builds(
    Selection,
    peer=st.none() | PEERS,
    start_us=MAYBE_ID,
    end_us=MAYBE_ID,
    after_id=MAYBE_ID,
    before_id=MAYBE_ID,
    ids=st.none() | st.lists(SMALL, max_size=3).map(tuple),
) | st.builds(Selection, peer=st.none() | PEERS, start_us=MAYBE_ID, end_us=MAYBE_ID)
REQUESTS = st.builds(PageRequest, st.integers(0, 8), after=MAYBE_ID, before=MAYBE_ID, last=st.booleans()) | st.builds(
    PageRequest, st.integers(0, 8), last=st.booleans()
)


class BothStores(RuleBasedStateMachine):
    """Every rule says something to both stores and compares."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        path = Path(self.folder.name)
        self.stores: list[Store] = [self.runner.run(open_(path)) for open_ in (open_memory, open_sqlite)]
        self.next_id = 1

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            for store in self.stores:
                self.runner.run(store.close())
            self.runner.close()
            self.folder.cleanup()

    def both(self, ask: Callable[[Store], Awaitable[T]]) -> T:
        """What both answer."""

        async def answer(store: Store) -> T | str:
            try:
                return await ask(store)
            except UnknownId as error:
                return str(error)

        expected, found = (self.runner.run(answer(store)) for store in self.stores)
        assert found == expected
        return found  # type: ignore[return-value]  # or the text of an error, which no rule looks at

    @rule(entries=ENTRIES, session=st.just(0) | SESSIONS, number=SMALL)
    def accept(self, entries: list, session: int, number: int) -> None:  # type: ignore[type-arg]
        acceptance = message(self.next_id, *entries, session=session, number=number)
        self.next_id += 1
        self.both(lambda store: outcomes(store, acceptance))

    @rule(account=ACCOUNTS, selection=SELECTIONS, request=REQUESTS)
    def page(self, account: str, selection: Selection, request: PageRequest) -> None:
        self.both(lambda store: store.archive.page(account, selection, request))

    @rule(account=ACCOUNTS)
    def bounds(self, account: str) -> None:
        self.both(lambda store: store.archive.bounds(account))

    @rule(before_id=SMALL, limit=st.integers(1, 10))
    def purge(self, before_id: int, limit: int) -> None:
        self.both(lambda store: store.archive.purge(before_id, limit))

    @rule(after_id=SMALL, before_id=SMALL, limit=st.integers(1, 10), acknowledged=st.dictionaries(SESSIONS, SMALL))
    def sweep(self, after_id: int, before_id: int, limit: int, acknowledged: dict[int, int]) -> None:
        self.both(lambda store: store.sweep(after_id, before_id, limit, acknowledged))

    @rule(account=ACCOUNTS, limit=st.integers(1, 5))
    def waiting(self, account: str, limit: int) -> None:
        self.both(lambda store: store.deliveries.waiting(account, limit))
        self.both(lambda store: store.deliveries.count_waiting(account, limit))

    @rule(account=ACCOUNTS, position=SMALL, commit=st.booleans())
    def advance(self, account: str, position: int, commit: bool) -> None:
        self.tell(lambda store: store.deliveries.advance(account, position), commit=commit)

    @rule(account=ACCOUNTS, row_id=SMALL)
    def keep_waiting(self, account: str, row_id: int) -> None:
        self.tell(lambda store: store.deliveries.keep_waiting(account, row_id), commit=True)

    @rule(account=ACCOUNTS, row_id=SMALL, session=SESSIONS, number=SMALL)
    def renumber(self, account: str, row_id: int, session: int, number: int) -> None:
        self.tell(lambda store: store.deliveries.renumber(account, row_id, session, number), commit=True)

    @rule(key=SESSIONS, alive=st.booleans())
    def session(self, key: int, alive: bool) -> None:
        record = SessionRecord(key, b"", "anna", "r", managed=True, checkpoint=b"", updated_us=0)
        self.tell(lambda store: store.sessions.save(record) if alive else store.sessions.delete(key), commit=True)

    @rule(row_id=SMALL)
    def fulfilled(self, row_id: int) -> None:
        self.tell(lambda store: store.custody.fulfilled(min(row_id, self.next_id - 1)), commit=True)

    @rule(since_id=SMALL)
    def at_start(self, since_id: int) -> None:
        self.both(lambda store: store.deliveries.sessions_numbers(since_id))
        self.both(lambda store: store.deliveries.last_id())

        async def unfulfilled(store: Store) -> list[tuple[int, str, object]]:
            return sorted((each.id, account, each.sessions) for account, each in await store.deliveries.unfulfilled())

        self.both(unfulfilled)

    def tell(self, verb: Callable[[Store], None], *, commit: bool) -> None:
        """Say something that has no answer."""

        async def told(store: Store) -> None:
            verb(store)
            if commit:
                await settled(store)

        self.both(told)


TestBothStores = BothStores.TestCase
TestBothStores.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
