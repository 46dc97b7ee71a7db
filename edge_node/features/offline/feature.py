"""XEP-0160 and RFC 6121 section 8.5.2.2: what reaches no resource waits, and is delivered with the next one."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from edge_node.custody import Custody, EntryFlag
from edge_node.features.offline.handover import Handover
from edge_node.features.offline.store import DeliveryStore, Undelivered
from edge_node.pipeline.feature import Feature, Spec, Stages
from edge_node.pipeline.passage import Passage
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session
from xmpp import namespaces
from xmpp.element import serialize
from xmpp.jid import JID
from xmpp.payloads.delay import Delay
from xmpp.payloads.stanza_id import render_archive_id
from xmpp.stanza import with_payload

SILENT_SECONDS_MAX = 10.0
"""After so long without a word from its client, a session gets messages nevertheless."""

PAGE = 100
"""Messages read from the store at a time while delivering what waited."""


_OFFLINE = int(EntryFlag.OFFLINE)


@dataclass(slots=True)
class Awaited:
    """What is for a client that has said nothing yet."""

    ids: set[int] = field(default_factory=set)
    """Of rows."""
    deadline: float = 0.0
    """By the monotonic clock; 0: not known yet."""


class OfflineMessages:
    """Keeps and delivers what waits for an account."""

    def __init__(
        self,
        domain: JID,
        store: DeliveryStore,
        custody: Custody,
        registry: Registry,
        next_id: Callable[[], int],
        spawn: Callable[[Coroutine[Any, Any, None]], bool],
    ) -> None:
        """Compose it.

        Args:
            domain: stamped as the source of the delay (XEP-0203).
            store: what waits.
            custody: through which it came there, maybe a moment ago.
            registry: who is connected.
            next_id: strictly increasing.
            spawn: runs a coroutine.
        """
        self._domain = domain
        self._store = store
        self._registry = registry
        self._spawn = spawn
        self._readers: dict[str, Session] = {}
        """Bare JID to the session that is getting what waited."""
        self._awaited: dict[Session, Awaited] = {}
        """To whose clients, once they have spoken, these rows are due."""
        self._late: set[str] = set()
        """Bare JIDs whose reader has to look again: more was set to wait behind what it gets."""
        self._reopened: set[str] = set()
        """Of these, where it may belong before what it gets."""
        self.handover = Handover(
            store=store, custody=custody, registry=registry, next_id=next_id, keep_waiting=self.keep_waiting
        )

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
        targets = passage.targets
        if targets and (self._readers or not targets[0].number_in):
            self._hold(passage)
        if not passage.targets or passage.held is not None:
            passage.flags |= _OFFLINE

    def _hold(self, passage: Passage) -> None:
        """Have a session wait that is not to get it yet: it comes to it with what waits, as if it were not there yet.

        To one that is getting what waited, it would overtake what was sent before.  To one whose client has said
        nothing yet it would be sent uncounted, and be lost with the connection.
        """
        targets = passage.targets
        bare = targets[0].account.bare
        reader = self._readers.get(bare)
        if reader is not None and reader in targets:
            self._late.add(bare)
            passage.held = reader
        elif targets[0].is_mute:
            passage.held = targets[0]
            self._awaited.setdefault(targets[0], Awaited()).ids.add(passage.acceptance.id)
        else:
            return
        passage.targets = tuple(session for session in targets if session is not passage.held)

    def keep_waiting(self, account: str, id: int) -> None:
        """A row has no reader any more: it waits for another, who may be there."""
        self._store.keep_waiting(account, id)
        self._look(account)

    def _look(self, bare: str) -> None:
        """Something waits for an account: somebody may be there already."""
        account = self._registry.account(bare)
        if bare in self._readers:
            self._late.add(bare)
            self._reopened.add(bare)
        elif account is not None and account.targets:
            self._begin(account.targets[0])

    def available(self, session: Session, *, first: bool) -> None:
        """Deliver what waits, unless another resource is getting it already."""
        del first
        if session.account.bare not in self._readers and session in session.account.targets:
            self._awaited.pop(session, None)
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
        """The same; and what waited for it alone goes to another resource too."""
        self.unavailable(session, last=False)
        if self._awaited.pop(session, None):
            self._look(session.account.bare)

    def sweep(self, now: float) -> None:
        """Housekeeping: clients without presence get what was for them alone, once they have spoken or had the time."""
        for session, awaited in list(self._awaited.items()):
            awaited.deadline = awaited.deadline or now + SILENT_SECONDS_MAX
            session.is_new = session.is_new and now < awaited.deadline
            if not session.is_mute:
                del self._awaited[session]
                self._spawn(self._deliver_direct(session, awaited.ids))

    async def _deliver_direct(self, session: Session, ids: Collection[int]) -> None:
        """Deliver what was addressed to the full JID.  It goes on waiting for the account, which may pass it over."""
        rows = [row for row in await self._waiting(session) if row.id in ids]
        if not session.is_over and session.account.bare not in self._readers:
            rendered = partial(self._delayed, account=session.account.jid)
            await self.handover.send(session, self.handover.begin(session, rows, rendered), rendered)

    def _begin(self, session: Session) -> None:
        self._readers[session.account.bare] = session
        self._continue(session)

    def _continue(self, session: Session) -> None:
        if self._is_reader(session) and not self._spawn(self._deliver(session)):
            self._end(session)

    def _end(self, session: Session) -> None:
        del self._readers[session.account.bare]
        self._late.discard(session.account.bare)
        self._reopened.discard(session.account.bare)

    def _is_reader(self, session: Session) -> bool:
        return self._readers.get(session.account.bare) is session

    async def _deliver(self, session: Session) -> None:
        """Deliver page by page; a client with stream management acknowledges one before it gets the next."""
        account = session.account
        rendered = partial(self._delayed, account=account.jid)
        is_last = False
        while not is_last:
            self._late.discard(account.bare)
            rows = await self._waiting(session)
            if not self._is_reader(session):
                return
            # What names the session has reached it, or will, by its number there.
            new = [row for row in rows if session.key not in row.sessions]
            is_full = len(rows) == PAGE
            is_acknowledged = is_full and bool(new) and session.queue is not None
            then = partial(self._continue, session) if is_acknowledged else None
            places = self.handover.begin(session, new, rendered, then)
            if rows:
                self._store.advance(account.bare, rows[-1].id)
            is_last = not is_full and account.bare not in self._late
            if is_last:
                self._end(session)  # at once: what comes for it from now on has its place behind these
            await self.handover.send(session, places, rendered)
            if is_acknowledged:
                session.request_acknowledgement()  # the next page waits for it
                return

    async def _waiting(self, session: Session) -> Sequence[Undelivered]:
        try:
            bare = session.account.bare
            # What was set to wait before the session was there may not be committed yet; by that commit it may turn
            # out that more has to wait, which is older than what comes now.
            while True:
                self._reopened.discard(bare)
                await self.handover.committed(session)
                if bare not in self._reopened:
                    return await self._store.waiting(bare, PAGE)
        except BaseException:
            if self._is_reader(session):
                self._end(session)
            raise

    def _delayed(self, row: Undelivered, account: JID) -> bytes:
        additions = serialize(Delay(row.id, self._domain).element(), namespaces.CLIENT)
        if row.is_archived:
            additions += render_archive_id(row.id, account)
        return with_payload(row.stanza, additions)
