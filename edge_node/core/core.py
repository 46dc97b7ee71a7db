"""The core as listeners see it: one attachment for each connection."""

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from edge_node.accounts.directory import LocalDirectory
from edge_node.backplane.ports import Channel, ConnectionFacts, Reattachment
from edge_node.core.lifecycle import Lifecycle, parse_resumption_id
from edge_node.core.revival import Revival
from edge_node.custody import Custody
from edge_node.pipeline.iqs import IQPath
from edge_node.pipeline.messages import Journal, MessagePath
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session
from xmpp.acknowledgement import COUNT_MODULUS, HandledCountTooHigh
from xmpp.errors import StanzaCondition, StanzaError, StreamCondition, StreamError
from xmpp.stanza import Stanza


class PresencePath(Protocol):
    """What takes presence stanzas from sessions."""

    def send(self, session: Session, stanza: Stanza, done: Callable[[], None]) -> bool:
        """Take one presence, `sender` stamped; if it returns False, `done` is called later."""


class Homes(Protocol):
    """Who knows where accounts live that are not at home here."""

    def find(self, bare: str, found: Callable[[tuple[str, int] | None], None]) -> None:
        """Answer with (host, port) for clients of the account's home site; None: nobody knows such an account."""


class Tasks(Protocol):
    """Runs what needs to wait, in a bounded number."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run it soon; False (and it is closed) when too much is under way."""


class RosterLoader(Protocol):
    """Makes an account ready for sessions."""

    async def prepare(self, account: LocalAccount) -> None:
        """Load the roster, unless it is there."""


class Core:
    """Everything that an attachment needs, composed once."""

    def __init__(
        self,
        *,
        domain: str,
        directory: LocalDirectory,
        registry: Registry,
        lifecycle: Lifecycle,
        revival: Revival,
        messages: MessagePath,
        presence: PresencePath,
        iqs: IQPath,
        custody: Custody,
        rosters: RosterLoader,
        homes: Homes,
        tasks: Tasks,
        journal: Journal,
    ) -> None:
        """Take the collaborators."""
        self.domain = domain
        self.directory = directory
        self.registry = registry
        self.lifecycle = lifecycle
        self.revival = revival
        self.messages = messages
        self.presence = presence
        self.iqs = iqs
        self.custody = custody
        self.rosters = rosters
        self.homes = homes
        self.tasks = tasks
        self.journal = journal
        self.is_draining = False

    def drain(self) -> None:
        """Bind no more resources: the process is about to end."""
        self.is_draining = True

    def attach(self, channel: Channel, facts: ConnectionFacts) -> "CoreAttachment":
        """A connection has been accepted (`edge_node.backplane.ports.Core.attach`)."""
        return CoreAttachment(self, channel)

    def reattach(self, channel: Channel, facts: ConnectionFacts, state: Reattachment) -> "CoreAttachment | None":
        """A connection has outlived the core that bound it (`edge_node.backplane.ports.Core.reattach`)."""
        session = self.revival.reattach(channel, state)
        if session is None:
            return None
        attachment = CoreAttachment(self, channel)
        attachment.adopt(session)
        return attachment


class CoreAttachment:
    """The core's side of one connection.  Slots: there are 30,000 of these."""

    __slots__ = ("_account", "_channel", "_core", "_is_gone", "_session")

    def __init__(self, core: Core, channel: Channel) -> None:
        self._core = core
        self._channel = channel
        self._account = ""
        self._is_gone = False
        self._session: Session | None = None

    def adopt(self, session: Session) -> None:
        """Take over a session that exists already."""
        self._session = session
        self._account = session.account.local

    # Negotiation.

    def find_credentials(self, username: str) -> None:
        """Answer with the verifiers of a local account, or with where the account lives."""
        core = self._core
        if core.directory.is_home(username):
            self._channel.credentials_found(core.directory.credentials(username))
            return

        def found(address: tuple[str, int] | None) -> None:
            if address is None:
                self._channel.credentials_found(None)
            else:
                self._channel.redirect(*address)

        core.homes.find(f"{username}@{core.domain}", found)

    def authenticated(self, account: str) -> None:
        """Remember who it is."""
        self._account = account

    def bind(self, resource: str | None) -> None:
        """Load what the account needs, then bind."""
        if self._core.is_draining or not self._core.tasks.spawn(self._bind(resource)):
            self._channel.binding_refused(StanzaError(StanzaCondition.RESOURCE_CONSTRAINT))

    async def _bind(self, resource: str | None) -> None:
        core = self._core
        account = core.lifecycle.account(self._account)
        try:
            await core.rosters.prepare(account)
            account = core.registry.account(account.bare) or account
            if self._is_gone:
                return
            session = core.lifecycle.open(account, resource)
            session.channel = self._channel
            self._session = session
            await core.revival.given_up(account.bare)  # what an older session has left comes first
        except StanzaError as error:
            self._channel.binding_refused(error)
            return
        except Exception as error:  # noqa: BLE001  the store may fail; the client may try again
            core.journal.failed("bind", error)
            self._channel.binding_refused(StanzaError(StanzaCondition.INTERNAL_SERVER_ERROR))
            return
        if not session.is_over:
            self._channel.bound(session.jid, session.key)

    def enable_management(self, resume: bool, max_seconds: int | None) -> None:
        """XEP-0198 section 3."""
        session = self._session
        if session is None or session.queue is not None:
            self._channel.management_refused()
            return
        id_, seconds = self._core.lifecycle.manage(session, resume=resume, max_seconds=max_seconds)
        self._channel.management_enabled(id_, seconds, session.key)

    def resume(self, previous_id: str, h: int) -> None:
        """XEP-0198 section 5."""
        parsed = parse_resumption_id(previous_id)
        core = self._core
        session = None if parsed is None else core.registry.by_key(parsed[0])
        if session is None or parsed is None or session.secret != parsed[1] or session.account.local != self._account:
            self._channel.resumption_refused(None if parsed is None else core.revival.number_of(*parsed, self._account))
            return
        if session.dormant and not session.limits.is_durable:
            # How much the last core had taken went with it: the client starts anew.
            self._channel.resumption_refused(None)
            return
        try:
            core.revival.resume(session, self._channel, previous_id, h, lambda: self._is_gone)
        except HandledCountTooHigh as error:
            self._channel.close(error)
            return
        self._session = session

    # Traffic.

    def receive(self, stanza: Stanza) -> None:
        """Take one stanza of the bound session."""
        session = self._session
        if session is None or session.channel is not self._channel:
            return
        number = session.number_in = (session.number_in + 1) % COUNT_MODULUS
        if number <= session.taken_before:
            session.taken(number)
            return
        sender = stanza.sender
        if sender is not None and sender.full not in (session.jid.full, session.account.bare):
            self._core.lifecycle.end(session, StreamError(StreamCondition.INVALID_FROM))
            return
        stanza.sender = session.jid
        if session.behind is None:
            self._take(session, stanza, number)
        else:
            session.behind.append((stanza, number))

    def _take(self, session: Session, stanza: Stanza, number: int) -> None:
        """Deal with the stanzas of a session one after the other, in their order.

        Number 0 is none: stanzas that came before `<enable/>`, and were under way then, are not counted.
        """
        if stanza.kind == "message" and stanza.malformed is None:
            if self._core.messages.send(session, stanza, number):
                session.taken(number)
        elif session.pending:
            session.pending += 1
            key = session.key

            def in_turn(_: Exception | None) -> None:
                session.pending -= 1
                if not session.is_over:
                    self._pass_on(session, stanza, number if session.key == key else 0)

            self._core.custody.barrier(in_turn)
        else:
            self._pass_on(session, stanza, number)

    def _pass_on(self, session: Session, stanza: Stanza, number: int) -> None:
        core = self._core
        key = session.key
        is_taken = True
        try:
            if stanza.malformed is not None:
                self._refuse(session, stanza, StanzaCondition.JID_MALFORMED)
            elif stanza.kind == "iq":
                core.iqs.send(session, stanza)
            else:
                is_taken = core.presence.send(
                    session, stanza, lambda: self._waited(session, number if session.key == key else 0)
                )
        except Exception as error:  # noqa: BLE001  one stanza must not end the core
            core.journal.failed(stanza.kind, error)
            self._refuse(session, stanza, StanzaCondition.INTERNAL_SERVER_ERROR)
        if is_taken:
            session.taken(number)
            core.lifecycle.note(session)
        else:
            session.behind = deque()

    def _waited(self, session: Session, number: int) -> None:
        """What the session's stanzas wait behind has been dealt with."""
        if number and not session.has_received(number):
            # The session was resumed meanwhile, and its client was told that this was not handled: it comes again.
            session.taken_before = number
            session.behind = None
            return
        session.taken(number)
        self._core.lifecycle.note(session)
        behind, session.behind = session.behind, None
        while behind and not session.is_over:
            stanza, following = behind.popleft()
            if not following or not session.has_taken(following):  # else it came again while it was dealt with
                self._take(session, stanza, following)
            if session.is_waiting:
                session.behind = behind
                return

    def _refuse(self, session: Session, stanza: Stanza, condition: StanzaCondition) -> None:
        if stanza.type not in ("error", "result"):
            session.deliver(stanza.error(StanzaError(condition)).render())

    def acknowledge(self, h: int) -> None:
        """Release what the client has had."""
        session = self._session
        if session is None or session.channel is not self._channel:
            return
        try:
            released = session.acknowledge(h)
        except HandledCountTooHigh as error:
            self._core.lifecycle.end(session, error)
            return
        self._core.lifecycle.read(released)

    def detach(self, clean: bool, reason: str) -> None:
        """The socket is gone."""
        self._is_gone = True
        session = self._session
        self._session = None
        if session is None or session.channel is not self._channel:
            return
        if clean:
            session.channel = None
            self._core.lifecycle.end(session, None)
        else:
            self._core.lifecycle.lose(session)
