"""How sessions begin, hibernate, come back and end."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_node.accounts.directory import LocalDirectory
from edge_node.core.checkpoint import checkpoint_of
from edge_node.custody import Acceptance, Custody
from edge_node.pipeline.feature import SessionObserver
from edge_node.pipeline.messages import MessagePath
from edge_node.pipeline.passage import Delivery, Waited
from edge_node.routing.router import Asked
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session, SessionLimits
from edge_node.sessions.store import SessionRecord, SessionStore
from xmpp.acknowledgement import AckQueue
from xmpp.errors import StanzaCondition, StanzaError, StreamCondition, StreamError
from xmpp.jid import JID, InvalidJID
from xmpp.stanza import Stanza

KEPT_PER_SWEEP = 500
"""Records brought up to date at a time."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What only the world knows."""

    next_id: Callable[[], int]
    """Strictly increasing, about microseconds of wall clock."""
    monotonic: Callable[[], float]
    """Seconds."""
    secret: Callable[[], bytes]
    """Unguessable bytes, new at each call."""


class Lifecycle:
    """Opens and ends sessions; tells features and the store."""

    def __init__(
        self,
        *,
        domain: str,
        registry: Registry,
        directory: LocalDirectory,
        store: SessionStore,
        custody: Custody,
        sources: Sources,
        limits: SessionLimits,
        sessions_per_account_max: int,
        renumber: Callable[[str, int, int, int], None],
    ) -> None:
        """Compose it.

        Args:
            domain: the company's domain.
            registry: where sessions are entered.
            directory: who is at home here.
            store: where sessions are kept for the next core.
            custody: where the numbers of their stanzas are kept.
            sources: clock, ids and secrets.
            limits: bounds shared by the sessions.
            sessions_per_account_max: how many an account may have at once.
            renumber: tells the store that a row of an account has another number in a session.
        """
        self._domain = domain
        self._registry = registry
        self._directory = directory
        self._store = store
        self._custody = custody
        self._sources = sources
        self._limits = limits
        self._ask_at = 0.0
        self._keep_at = 0.0
        self._to_keep: deque[Session] = deque()
        self._sessions_per_account_max = sessions_per_account_max
        self._renumber = renumber
        self._ended: Callable[[Session], None] = lambda _: None
        self._observers: tuple[SessionObserver, ...] = ()
        self._messages: MessagePath | None = None
        self._unread: Callable[[Stanza], None] = lambda _: None
        self._give_up: Callable[[Session], None] = lambda _: None

    def compose(
        self,
        *,
        ended: Callable[[Session], None],
        observers: Sequence[SessionObserver],
        messages: MessagePath,
        unread: Callable[[Stanza], None],
        give_up: Callable[[Session], None],
    ) -> None:
        """Name who is told of ends, and who sees to unread messages.  Called once, by the composer.

        Args:
            ended: tells the contacts.
            observers: the features' observers.
            messages: takes what live sessions leave unread.
            unread: answers the requests among it.
            give_up: takes dormant sessions that nobody claimed, and has the store forget them.
        """
        self._ended = ended
        self._observers = tuple(observers)
        self._messages = messages
        self._unread = unread
        self._give_up = give_up

    def account(self, local: str) -> LocalAccount:
        """The account's state in memory, new if it has no session."""
        jid = JID.parse(f"{local}@{self._domain}")
        return self._registry.account(jid.bare) or LocalAccount(jid)

    def open(self, account: LocalAccount, resource: str | None) -> Session:
        """Bind a resource.

        An older session with the same resource ends with `conflict` (RFC 6120 section 7.7.2.2).

        Raises:
            StanzaError: the account is gone or has too many sessions, or the resource is not one.
        """
        if not self._directory.is_home(account.local):
            raise StanzaError(StanzaCondition.NOT_ALLOWED)
        key = self._sources.next_id()
        try:
            jid = account.jid.with_resource(resource or f"{key:016x}")
        except InvalidJID as error:
            raise StanzaError(StanzaCondition.BAD_REQUEST, text=str(error)) from error
        older = account.sessions.get(jid.resource or "")
        if older is not None:
            self.end(older, StreamError(StreamCondition.CONFLICT, "replaced by a new session"))
        elif len(account.sessions) >= self._sessions_per_account_max:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text="too many sessions")
        session = Session(key, account, jid, None, self._limits)
        self._registry.add(session)
        self.keep(session)
        return session

    def manage(self, session: Session, *, resume: bool, max_seconds: int | None) -> tuple[str, int]:
        """Turn stream management on: both counts start from 0, and the session gets a new key with them.

        Returns:
            The resumption id (empty if it cannot be resumed) and for how many seconds it is good.
        """
        seconds = min(self._limits.resume_seconds, max_seconds or self._limits.resume_seconds) if resume else 0
        self._store.delete(session.key)
        self._registry.rekey(session, self._sources.next_id())
        session.number_in = session.handled = session.durable = 0
        session.early = None
        if session.behind is not None:
            session.behind = deque((stanza, 0) for stanza, _ in session.behind)
        session.queue = AckQueue(self._limits.queue_stanzas_max)
        session.resumable = seconds
        session.managed = True
        session.secret = self._sources.secret()
        self.keep(session)
        self._count_promises(session)
        return (resumption_id(session) if seconds else "", seconds)

    def _count_promises(self, session: Session) -> None:
        """What was promised before is written after the answer, so the client counts it: the first ones it counts."""
        for number, promise in enumerate(session.promises or (), 1):
            promise.number = number
            row = _row_of(promise.subject)
            if row is not None:
                self._renumber(session.account.bare, row, session.key, number)
        session.number_out = len(session.promises or ())

    def keep(self, session: Session) -> None:
        """Write the session's state down, if it is to survive this process."""
        if not session.is_over and session.is_kept:
            session.kept = session.durable, session.received_by_client
            self._store.save(
                SessionRecord(
                    key=session.key,
                    secret=session.secret,
                    account=session.account.local,
                    resource=session.jid.resource or "",
                    managed=bool(session.resumable),
                    checkpoint=checkpoint_of(session),
                    updated_us=self._sources.next_id(),
                )
            )

    def note(self, session: Session) -> None:
        """Have the store learn how many stanzas have been dealt with, before the client is told."""
        if not session.is_to_be_noted:
            return
        number, key = session.handled, session.key
        session.noting = True

        def noted(error: Exception | None) -> None:
            session.noting = False
            if error is None and session.key == key:  # else the next sweep tries again
                session.stored(number)
                self.note(session)

        self._custody.accept(Acceptance(self._sources.next_id(), session=key, number=number), noted)

    def lose(self, session: Session) -> None:
        """The connection is gone, without a closing stream: hibernate if it can be resumed, else end."""
        session.channel = None
        session.acknowledgement_requested = False
        if session.resumable and not session.is_over:
            session.detached_at = self._sources.monotonic()
        else:
            self.end(session, None)

    def end(self, session: Session, error: StreamError | None) -> None:
        """The session is over: tell its client, its contacts and the store, and see to what it never read."""
        if session.is_over:
            return
        channel = session.channel
        left = session.abandon()
        if channel is not None:
            channel.close(error)
        self._registry.remove(session)
        self._ended(session)
        for observer in self._observers:
            observer.closed(session)
        if session.dormant:
            self._give_up(session)
        else:
            self._store.delete(session.key)
            if self._messages is not None:
                self._messages.returned(session, left)
        for _, subject in left:
            if isinstance(subject, Asked) and not subject.is_answered:
                self._unread(subject.request)

    def read(self, released: Sequence[tuple[bytes, object]]) -> None:
        """A client has acknowledged these."""
        for _, subject in released:
            if isinstance(subject, Delivery):
                subject.is_settled = True
            elif isinstance(subject, Waited) and subject.acknowledged is not None:
                subject.acknowledged()

    def end_account(self, local: str, error: StreamError) -> None:
        """End every session of an account."""
        account = self._registry.account(f"{local}@{self._domain}")
        for session in list(account.sessions.values()) if account is not None else ():
            self.end(session, error)

    def sweep(self, now: float) -> None:
        """Housekeeping, about once a second.

        Ends what hibernated for too long or reads too slowly, asks clients now and then to acknowledge the little
        that they were sent, notes what could not be noted, and brings records up to date.
        """
        self._keep_counts(now)
        is_asking = now >= self._ask_at
        if is_asking:
            self._ask_at = now + self._limits.request_seconds
        for session in list(self._registry.sessions()):
            self.note(session)
            if session.overflowed:
                self.end(session, StreamError(StreamCondition.RESOURCE_CONSTRAINT, "too much is unacknowledged"))
            elif session.detached_at is not None:
                if now - session.detached_at > session.resumable:
                    self.end(session, None)
            elif is_asking and session.queue and not session.acknowledgement_requested:
                session.request_acknowledgement()

    def _keep_counts(self, now: float) -> None:
        """Have the records of all sessions know their counts, some at a time, before the store lets go of what tells.

        The last stanza of a silent client is not kept for ever, and what a client has had need not wait for it again.
        """
        if not self._to_keep and now >= self._keep_at:
            self._keep_at = now + self._limits.resume_seconds / 4
            self._to_keep.extend(self._registry.sessions())
        for _ in range(min(KEPT_PER_SWEEP, len(self._to_keep))):
            session = self._to_keep.popleft()
            if not session.dormant and session.kept != (session.durable, session.received_by_client):
                self.keep(session)


def _row_of(subject: object) -> int | None:
    """The id of the row that a promise is for; None when there is none."""
    return subject.id or None if isinstance(subject, (Delivery, Waited)) else None


def resumption_id(session: Session) -> str:
    """The `id` of `<enabled/>`: which session, and a secret."""
    return f"{session.key:016x}{session.secret.hex()}"


def parse_resumption_id(text: str) -> tuple[int, bytes] | None:
    """(key, secret), or None if it is none of ours."""
    try:
        return int(text[:16], 16), bytes.fromhex(text[16:])
    except ValueError:
        return None
