"""XEP-0160 and RFC 6121 section 8.5.2.2: what reaches no resource waits, and is delivered with the next one."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from edge_node.custody import Custody, EntryFlag
from edge_node.features.offline.store import DeliveryStore, Undelivered
from edge_node.pipeline.feature import Feature, Spec, Stages
from edge_node.pipeline.passage import Passage, Waited
from edge_node.sessions.session import Session
from xmpp import namespaces
from xmpp.element import serialize
from xmpp.jid import JID
from xmpp.payloads.delay import Delay
from xmpp.payloads.stanza_id import render_archive_id
from xmpp.stanza import with_payload

PAGE = 100
"""Messages read from the store at a time while delivering what waited."""


_OFFLINE = int(EntryFlag.OFFLINE)


class OfflineMessages:
    """Keeps and delivers what waits for an account."""

    def __init__(
        self,
        domain: JID,
        store: DeliveryStore,
        custody: Custody,
        spawn: Callable[[Coroutine[Any, Any, None]], bool],
    ) -> None:
        """Compose it.

        Args:
            domain: stamped as the source of the delay (XEP-0203).
            store: what waits.
            custody: through which it came there, maybe a moment ago.
            spawn: runs a coroutine.
        """
        self._domain = domain
        self._store = store
        self._custody = custody
        self._spawn = spawn
        self._readers: dict[str, Session] = {}
        """Bare JID to the session that is getting what waited."""
        self._late: set[str] = set()
        """Bare JIDs whose reader has to look again: more was set to wait behind what it gets."""

    def feature(self) -> Feature:
        """The feature."""
        return Feature(
            name="offline",
            specs=(Spec("XEP-0160", "1.0.1"), Spec("XEP-0203", "2.0")),
            server_features=("msgoffline",),
            inbound=Stages(records=(self._record,)),
            sessions=self,
        )

    def _record(self, passage: Passage) -> None:
        if not passage.traits.offline:
            return
        if passage.targets and self._is_catching_up(passage):
            # It would overtake what was sent before it: it goes the same way, as if nobody were there yet.
            passage.targets, passage.account = (), None
        if not passage.targets:
            passage.flags |= _OFFLINE

    def _is_catching_up(self, passage: Passage) -> bool:
        """Whether it is for the one session alone that is still getting what waited."""
        account = passage.account
        if account is None or account.bare not in self._readers:
            return False
        reader = self._readers[account.bare]
        others = (session for session in account.sessions.values() if session is not reader)
        if passage.targets != (reader,) or any(session.carbons for session in others):
            return False
        self._late.add(account.bare)
        return True

    def available(self, session: Session, *, first: bool) -> None:
        """Deliver what waits, unless another resource is getting it already."""
        del first
        if session.account.bare not in self._readers and session in session.account.targets:
            self._begin(session)

    def unavailable(self, session: Session, *, last: bool) -> None:
        """What still waits goes to another resource."""
        del last
        account = session.account
        if self._is_reader(session):
            self._end(session)
            if account.targets:
                self._begin(account.targets[0])

    def closed(self, session: Session) -> None:
        """The same."""
        self.unavailable(session, last=False)

    def _begin(self, session: Session) -> None:
        self._readers[session.account.bare] = session
        self._continue(session)

    def _continue(self, session: Session) -> None:
        if self._is_reader(session) and not self._spawn(self._deliver(session)):
            self._end(session)

    def _end(self, session: Session) -> None:
        del self._readers[session.account.bare]
        self._late.discard(session.account.bare)

    def _is_reader(self, session: Session) -> bool:
        return self._readers.get(session.account.bare) is session

    async def _deliver(self, session: Session) -> None:
        """Deliver page by page; a client with stream management acknowledges one before it gets the next."""
        account = session.account
        while True:
            self._late.discard(account.bare)
            rows = await self._waiting(session)
            if not self._is_reader(session):
                return
            is_full = len(rows) == PAGE
            self._hand_over(session, rows, partial(self._continue, session) if is_full else None)
            if is_full and session.queue is not None:
                return
            if not is_full and account.bare not in self._late:
                self._end(session)
                return

    async def _committed(self) -> None:
        """Return when what was submitted before has been committed."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(_: Exception | None) -> None:
            if not settled.done():
                settled.set_result(None)

        self._custody.barrier(settle)
        await settled

    def _hand_over(self, session: Session, rows: Sequence[Undelivered], then: Callable[[], None] | None) -> None:
        """Deliver rows; `then` follows the acknowledgement of the last one.

        Each gets its number in the session, and is sent once that is stored: after a death of the core the client's
        count tells which of them it has had.
        """
        if not rows:
            return
        account = session.account
        last = rows[-1].id
        promises = [session.promise(Waited(account.bare, row.id, then if row.id == last else None)) for row in rows]
        for promise, row in zip(promises, rows, strict=True):
            self._store.renumber(account.bare, row.id, session.key, promise.number)
        self._store.advance(account.bare, last)

        def numbered(_: Exception | None) -> None:
            for promise, row in zip(promises, rows, strict=True):
                if session.is_over:
                    self._store.keep_waiting(account.bare, row.id)
                else:
                    session.fulfil(promise, self._delayed(row, account.jid))
            if then is not None and session.queue is not None:
                session.request_acknowledgement()  # the next page waits for it

        self._custody.barrier(numbered)

    async def _waiting(self, session: Session) -> Sequence[Undelivered]:
        try:
            # What was set to wait before the session was there may not be committed yet.
            await self._committed()
            return await self._store.waiting(session.account.bare, PAGE)
        except BaseException:
            if self._is_reader(session):
                self._end(session)
            raise

    def _delayed(self, row: Undelivered, account: JID) -> bytes:
        additions = serialize(Delay(row.id, self._domain).element(), namespaces.CLIENT)
        if row.is_archived:
            additions += render_archive_id(row.id, account)
        return with_payload(row.stanza, additions)
