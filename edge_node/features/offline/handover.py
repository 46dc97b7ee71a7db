"""Messages from the store on their way to a session.

Rule: a message is sent once the store has the number that it gets in the session, so that after a death of the core
the client's count tells whether it has had it.  A session that no core after this one will know needs no numbers.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_node.custody import Acceptance, Custody
from edge_node.features.offline.store import DeliveryStore, Undelivered
from edge_node.pipeline.passage import Waited
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Promise, Session

RETRY_SECONDS = 1.0
"""After a failed commit, how long until the next try."""

Rendering = Callable[[Undelivered], bytes]


class Place(NamedTuple):
    """A row, and its place in the stream of a session."""

    promise: Promise
    row: Undelivered


class Handover:
    """Gives rows to sessions, and takes them back from those that end first."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        custody: Custody,
        registry: Registry,
        next_id: Callable[[], int],
        keep_waiting: Callable[[str, int], None],
    ) -> None:
        """Compose it of where the rows are, who is connected, and what becomes of a row that has no reader."""
        self._store = store
        self._custody = custody
        self._registry = registry
        self._next_id = next_id
        self._keep_waiting = keep_waiting

    def begin(
        self,
        session: Session,
        rows: Sequence[Undelivered],
        rendered: Rendering,
        acknowledged: Callable[[], None] | None = None,
    ) -> list[Place]:
        """Take a place in the session for each row; `send` has to follow.

        Args:
            session: gets them.
            rows: in their order.
            rendered: what the session gets of a row.
            acknowledged: called once the client has had the last one.
        """
        bare = session.account.bare
        places = []
        for row in rows:
            then = acknowledged if row is rows[-1] else None
            promise = session.promise(Waited(bare, row.id, row.sessions, then))
            self._store.renumber(bare, row.id, session.key, promise.number)
            if session.is_kept:
                places.append(Place(promise, row))
            else:
                session.fulfil(promise, rendered(row))
        return places

    async def send(self, session: Session, places: Sequence[Place], rendered: Rendering) -> None:
        """Send what has its place, once the store has the numbers."""
        if places:
            await self.committed(session)
        for promise, row in places:
            if session.is_over:
                self.give_back(session.account.bare, row)
            else:
                session.fulfil(promise, rendered(row))

    def give_back(self, account: str, row: Undelivered) -> None:
        """A session that a row was for is over: the row waits, unless another one has it or will get it."""
        if not any(self._registry.by_key(key) for key in row.sessions):
            self._keep_waiting(account, row.id)

    async def committed(self, session: Session) -> None:
        """Return when all that was submitted before is in the store, or when the session is over."""
        while not session.is_over:
            if await self._is_committed():
                return
            await asyncio.sleep(RETRY_SECONDS)

    async def _is_committed(self) -> bool:
        committed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def done(error: Exception | None) -> None:
            if not committed.done():
                committed.set_result(error is None)

        self._custody.accept(Acceptance(self._next_id()), done)
        return await committed
