"""The way of a message through this edge (docs/journey.md, steps 3 to 6 and 11 to 12).

Rule: everything that needs the store is gathered in one acceptance; delivery, copies and the link follow its
commit, in the order in which messages were accepted.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from edge_node.custody import Acceptance, Custody, Done, Entry, EntryFlag, Watermark
from edge_node.pipeline.destinations import destination_of
from edge_node.pipeline.feature import Drop, Feature
from edge_node.pipeline.passage import Delivery, Passage, Waited
from edge_node.pipeline.traits import traits_of
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Promise, Session
from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import ErrorType, StanzaCondition, StanzaError
from xmpp.jid import JID, InvalidJID
from xmpp.payloads.stanza_id import render_archive_id
from xmpp.stanza import Stanza, with_payload

OUTBOX_FULL = "too much waits for other sites already"

Refusal = Drop | StanzaError | None

_STANZA_ID = f"{{{namespaces.STANZA_ID}}}stanza-id"
_NOBODY = Drop("nobody to deliver to")
_UNSTORED = Drop("the store could not take it")
# Plain integers: an enumeration's operators cost a microsecond each, and these run for every message.
_ARCHIVED, _OFFLINE = int(EntryFlag.ARCHIVED), int(EntryFlag.OFFLINE)


class LocalAccounts(Protocol):
    """Which accounts are at home at this site."""

    def is_home(self, local: str) -> bool:
        """Whether the account exists here."""


class Outbox(Protocol):
    """Where messages for other sites are promised."""

    @property
    def is_open(self) -> bool:
        """Whether there are other sites at all, be they within reach or not."""

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be promised for now."""

    def promise(self, stanza: Stanza, id: int) -> tuple[int, bytes]:
        """The next sequence and the encoded envelope, to be committed with the acceptance."""

    def committed(self, sequence: int) -> None:
        """The envelope is in the store: it may be sent."""

    def abandoned(self, sequence: int) -> None:
        """The commit failed: nothing is in the store under this sequence."""


class Waiting(Protocol):
    """What is kept for an account until it has a resource, which may be at once."""

    def keep_waiting(self, account: str, id: int) -> None:
        """A stored message has reached nobody after all."""


class Journal(Protocol):
    """Where the path reports what an operator should know; the shell's log and metrics stand behind it."""

    def failed(self, stage: str, error: Exception) -> None:
        """A stage raised, or a commit failed."""


class MessagePath:
    """Takes messages from sessions, from the cascade and from the server itself, and sees them delivered."""

    def __init__(
        self,
        *,
        domain: str,
        accounts: LocalAccounts,
        registry: Registry,
        custody: Custody,
        outbox: Outbox,
        waiting: Waiting,
        next_id: Callable[[], int],
        features: Sequence[Feature],
        journal: Journal,
        durable: bool,
    ) -> None:
        """Compose the path.

        Args:
            domain: the company's domain.
            accounts: who is at home here.
            registry: who is connected.
            custody: the write path of the store.
            outbox: the way to other sites.
            waiting: for messages whose sessions ended before they were read.
            next_id: strictly increasing ids, about microseconds of wall clock.
            features: in the order in which their stages run.
            journal: where failures are reported.
            durable: whether a message for a connected session is stored before it is acknowledged even when no
                archive wants it.
        """
        self._domain = domain
        self._accounts = accounts
        self._registry = registry
        self._custody = custody
        self._outbox = outbox
        self._waiting = waiting
        self._next_id = next_id
        self._journal = journal
        self._durable = durable
        self._out_guards = tuple(guard for feature in features for guard in feature.outbound.guards)
        self._out_records = tuple(record for feature in features for record in feature.outbound.records)
        self._out_copies = tuple(copy for feature in features for copy in feature.outbound.copies)
        self._in_guards = tuple(guard for feature in features for guard in feature.inbound.guards)
        self._in_records = tuple(record for feature in features for record in feature.inbound.records)
        self._in_copies = tuple(copy for feature in features for copy in feature.inbound.copies)

    # Three ways in.

    def send(self, session: Session, stanza: Stanza, number: int) -> bool:
        """Take a message from a local session.

        Args:
            session: who sent it.
            stanza: with `sender` stamped.
            number: its number among the stanzas of the session.

        Returns:
            Whether it has been dealt with; if not, `session.taken(number)` is called when it has.
        """
        if stanza.to is None:
            stanza.to = session.account.jid
        acceptance = Acceptance(self._next_id(), session=session.key, number=number)
        passage = Passage(stanza, session, traits_of(stanza.type, stanza.payloads), acceptance)
        return self._go(passage, self._outbound, None)

    def arrive(self, stanza: Stanza, watermark: Watermark | None, done: Done) -> None:
        """Take a message that came over the cascade.

        Args:
            stanza: its sender has been vouched for by the hub.
            watermark: stored with it; None for all but the last recipient of an envelope.
            done: called with None once this site has taken custody.
        """
        acceptance = Acceptance(self._next_id())
        acceptance.watermark = watermark
        self._go(Passage(stanza, None, traits_of(stanza.type, stanza.payloads), acceptance), self._from_afar, done)

    def inject(self, stanza: Stanza, done: Done | None = None) -> None:
        """Take a message that this server sends: an error, a notice, or one that has to find its way anew."""
        acceptance = Acceptance(self._next_id())
        self._go(Passage(stanza, None, traits_of(stanza.type, stanza.payloads), acceptance), self._from_here, done)

    def returned(self, session: Session, items: Iterable[tuple[bytes, object]]) -> None:
        """A session has ended: see to what its client never acknowledged."""
        for _, subject in items:
            if isinstance(subject, Waited):
                if not any(self._registry.by_key(key) for key in subject.sessions):
                    self._waiting.keep_waiting(subject.account, subject.id)
            elif isinstance(subject, Delivery) and not any(
                other is not session and not other.is_over for other in subject.targets
            ):
                self._find_another(subject)

    # Deciding.

    def _go(self, passage: Passage, decide: Callable[[Passage], Refusal], done: Done | None) -> bool:
        try:
            refusal = decide(passage)
        except Exception as error:  # noqa: BLE001  a stage must not take the core down: fail closed
            self._journal.failed(decide.__name__, error)
            refusal = StanzaError(StanzaCondition.INTERNAL_SERVER_ERROR, ErrorType.WAIT)
        if refusal is not None:
            self._refuse(passage, refusal)
        return self._commit(passage, done)

    def _outbound(self, passage: Passage) -> Refusal:
        for guard in self._out_guards:
            verdict = guard(passage)
            if verdict is not None:
                return verdict
        stanza = passage.stanza
        if passage.traits.has_stanza_id:
            stanza.remove(self._is_forged)
        passage.rendered = passage.acceptance.stanza = stanza.render()
        refusal = self._from_here(passage)
        if refusal is None:
            for record in self._out_records:
                record(passage)
        return refusal

    def _from_here(self, passage: Passage) -> Refusal:
        stanza = passage.stanza
        to = stanza.to
        if to is None or to.domain != self._domain:
            return StanzaError(StanzaCondition.REMOTE_SERVER_NOT_FOUND)
        if to.local is None:
            return StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        account = self._registry.account(to.bare)
        if account is not None or self._accounts.is_home(to.local):
            return self._inbound(passage, to, account)
        if not self._outbox.is_open:
            return StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        if self._outbox.is_full:
            return StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text=OUTBOX_FULL)
        passage.acceptance.envelope = self._outbox.promise(stanza, passage.acceptance.id)
        return None

    def _from_afar(self, passage: Passage) -> Refusal:
        to = passage.stanza.to
        if to is None or to.local is None or to.domain != self._domain or not self._accounts.is_home(to.local):
            return StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        return self._inbound(passage, to, self._registry.account(to.bare))

    def _inbound(self, passage: Passage, to: JID, account: LocalAccount | None) -> Refusal:
        for guard in self._in_guards:
            verdict = guard(passage)
            if verdict is not None:
                return verdict
        recipient = to.bare_jid
        destination = destination_of(to, passage.traits.type, account)
        if destination.fate == "refuse":
            return StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)
        if destination.fate == "ignore":
            return _NOBODY
        passage.recipient = recipient
        passage.account = account
        passage.targets = destination.sessions
        for record in self._in_records:
            record(passage)
        if not passage.targets and not passage.flags & _OFFLINE:
            return StanzaError(StanzaCondition.SERVICE_UNAVAILABLE) if passage.traits.has_body else _NOBODY
        if passage.flags or (self._durable and passage.traits.kept and passage.targets):
            self._enter(passage, recipient)
        return None

    def _enter(self, passage: Passage, recipient: JID) -> None:
        """Add the recipient's row, with the places promised in the sessions that get the message."""
        promises: list[Promise] = []
        deliveries: list[tuple[int, int]] = []
        delivery = passage.delivery(recipient, passage.acceptance.id)
        for session in passage.targets:
            promise = session.promise(delivery)
            promises.append(promise)
            deliveries.append((session.key, promise.number))
        passage.promises = promises
        sender = passage.stanza.sender
        acceptance = passage.acceptance
        if not acceptance.stanza:
            passage.rendered = acceptance.stanza = passage.stanza.render()
        acceptance.entries.append(
            Entry(
                recipient.bare,
                "" if sender is None else sender.bare,
                outgoing=False,
                flags=passage.flags,
                deliveries=tuple(deliveries),
            )
        )

    def _is_forged(self, element: Element) -> bool:
        """XEP-0359 section 3: only the server writes stanza-ids in the name of its own addresses."""
        if element.name != _STANZA_ID:
            return False
        try:
            return JID.parse(element.get("by") or "").domain == self._domain
        except InvalidJID:
            return True

    def _refuse(self, passage: Passage, refusal: Drop | StanzaError) -> None:
        acceptance = passage.acceptance
        acceptance.entries.clear()
        if acceptance.envelope is not None:
            self._outbox.abandoned(acceptance.envelope[0])
            acceptance.envelope = None
        for promise in passage.promises or ():
            promise.session.cancel(promise)
        passage.promises = None
        passage.recipient = None
        passage.targets = ()
        if isinstance(refusal, StanzaError) and passage.traits.type != "error":
            answer = passage.stanza.error(refusal)
            if passage.session is not None:
                passage.session.deliver(answer.render())
            elif passage.stanza.sender is not None:
                self.inject(answer)

    # Storing, and what follows.

    def _commit(self, passage: Passage, done: Done | None) -> bool:
        acceptance = passage.acceptance
        session = passage.session
        stored = bool(acceptance.entries) or acceptance.envelope is not None or acceptance.watermark is not None
        if not stored and (session is None or not session.pending):
            self._deliver(passage)
            if done is not None:
                done(None)
            return True
        if session is not None:
            session.pending += 1

        # Not a nested function: to define one costs a microsecond, and this is the way of every message.
        committed = partial(self._committed, passage, stored, done)
        if stored:
            self._custody.accept(acceptance, committed)
        else:
            self._custody.barrier(committed)
        return False

    def _committed(self, passage: Passage, stored: bool, done: Done | None, error: Exception | None) -> None:
        session = passage.session
        if error is None:
            self._deliver(passage)
        else:
            self._journal.failed("commit", error)
            # What came over the cascade is not refused: it comes again.
            unstored = StanzaError(StanzaCondition.RESOURCE_CONSTRAINT) if session is not None else _UNSTORED
            self._refuse(passage, unstored)
        if session is not None:
            acceptance = passage.acceptance
            number = acceptance.number if acceptance.session == session.key else 0  # counted anew since: not counted
            session.pending -= 1
            if error is None and stored:
                session.stored(number)
            session.taken(number)
        if done is not None:
            done(error)

    def _deliver(self, passage: Passage) -> None:
        """After the commit: sessions, copies, the link."""
        acceptance = passage.acceptance
        if passage.recipient is not None:
            self._to_sessions(passage, passage.recipient)
            for copy in self._in_copies:
                self._copy(copy, passage)
        elif acceptance.envelope is not None:
            self._outbox.committed(acceptance.envelope[0])
        elif passage.session is not None:
            return
        if passage.session is not None:
            for copy in self._out_copies:
                self._copy(copy, passage)
        if acceptance.entries:
            self._custody.fulfilled(acceptance.id)

    def _to_sessions(self, passage: Passage, recipient: JID) -> None:
        data = passage.rendered = passage.rendered or passage.stanza.render()
        if passage.flags & _ARCHIVED:
            data = with_payload(data, render_archive_id(passage.acceptance.id, recipient))
        passage.delivered = data
        promises = passage.promises
        if promises is None:
            delivery = passage.delivery(recipient)
            for session in passage.targets:
                session.deliver(data, delivery)
            return
        reached = False
        for promise in promises:
            if not promise.session.is_over:
                promise.session.fulfil(promise, data)
                reached = True
        if promises and not reached:
            self._find_another(passage.delivery(recipient, passage.acceptance.id))

    def _find_another(self, delivery: Delivery) -> None:
        """The sessions that a message was meant for ended before their clients had it."""
        if delivery.is_settled or not delivery.is_missed:
            return
        if delivery.stanza is None:
            self._waiting.keep_waiting(delivery.recipient.bare, delivery.id)
        else:
            self.inject(delivery.stanza.copy(to=delivery.recipient))

    def _copy(self, copy: Callable[[Passage], None], passage: Passage) -> None:
        try:
            copy(passage)
        except Exception as error:  # noqa: BLE001  after acceptance nothing may stop the rest
            self._journal.failed("copy", error)
