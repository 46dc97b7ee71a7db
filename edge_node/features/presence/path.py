"""The way of a presence stanza through this edge (RFC 6121 sections 3 and 4, RFC 6120 section 8.2.2)."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from edge_node.custody import StoreUnavailable
from edge_node.features.presence.local import LocalPresence
from edge_node.features.presence.remote import RemotePresence
from edge_node.features.presence.subscriptions import TYPES, HeldSender, Subscriptions
from edge_node.pipeline.feature import SessionObserver
from edge_node.pipeline.messages import Journal
from edge_node.routing.router import Router
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session
from edge_node.tasks import together
from xmpp import namespaces
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.stanza import Stanza

PRIORITY = f"{{{namespaces.CLIENT}}}priority"
PRIORITY_MIN, PRIORITY_MAX = -128, 127


class PresencePath:
    """Takes presence from sessions, from the cascade and from the ends of sessions."""

    def __init__(
        self,
        *,
        router: Router,
        registry: Registry,
        local: LocalPresence,
        remote: RemotePresence,
        subscriptions: Subscriptions,
        held: HeldSender,
        observers: Sequence[SessionObserver],
        keep: Callable[[Session], None],
        spawn: Callable[[Coroutine[Any, Any, None]], bool],
        journal: Journal,
        directed_max: int,
    ) -> None:
        """Compose it.

        Args:
            router: by address.
            registry: who is connected.
            local: presence within this site.
            remote: presence across sites.
            subscriptions: who may see whom.
            held: for directed presence to other sites.
            observers: features that are told of availability.
            keep: writes a session down after a change.
            spawn: runs a coroutine; False when too much is under way.
            journal: where failures are reported.
            directed_max: to how many addresses one session may have sent directed presence.
        """
        self._router = router
        self._registry = registry
        self._local = local
        self._remote = remote
        self._subscriptions = subscriptions
        self._held = held
        self._observers = tuple(observers)
        self._keep = keep
        self._spawn = spawn
        self._journal = journal
        self._directed_max = directed_max

    # From sessions.

    def send(self, session: Session, stanza: Stanza, done: Callable[[], None]) -> bool:
        """Take a presence stanza of a local session, `sender` stamped.

        Returns:
            Whether it has been dealt with; if not, `done` is called when it has.
        """
        if stanza.type in (None, "unavailable"):
            if stanza.to is not None:
                return self._direct(session, stanza, stanza.to, done)
            if stanza.type is None:
                self._available(session, stanza)
            else:
                self._unavailable(session, stanza)
            return True
        if stanza.type in TYPES:
            return self._wait(session, stanza, done, self._subscriptions.send(session.account.jid, stanza))
        if stanza.type == "probe" and stanza.to is not None:
            self._local.answer_probe(session, stanza.to)
        elif stanza.type == "error" and stanza.to is not None:
            return self._pass_on(session, stanza, stanza.to, done)
        elif stanza.type not in ("probe", "error"):
            session.deliver(stanza.error(StanzaError(StanzaCondition.BAD_REQUEST)).render())
        return True

    def _wait(
        self, session: Session, stanza: Stanza, done: Callable[[], None], work: Coroutine[Any, Any, None]
    ) -> bool:
        async def finish() -> None:
            try:
                await work
            except StanzaError as error:
                session.deliver(stanza.error(error).render())
            except Exception as error:  # noqa: BLE001  the store may fail; the client may try again
                self._journal.failed("presence", error)
                session.deliver(stanza.error(StanzaError(StanzaCondition.RESOURCE_CONSTRAINT)).render())
            done()

        if self._spawn(finish()):
            return False
        work.close()
        session.deliver(stanza.error(StanzaError(StanzaCondition.RESOURCE_CONSTRAINT)).render())
        return True

    def _available(self, session: Session, stanza: Stanza) -> None:
        account = session.account
        was_first = not any(other.is_available for other in account.sessions.values())
        is_initial = session.presence is None
        session.priority = priority_of(stanza)
        session.presence = stanza
        account.presence_changed()
        self._keep(session)
        self._local.broadcast(session, stanza)
        if is_initial:
            if was_first and account.roster is not None:
                self._remote.begin(account, account.roster.watched())
            if session.floor is None:
                self._local.show_contacts(session)
            else:
                self._local.show_contacts_anew(session)  # the last core may have shown it something else
            for request in account.roster.requests() if account.roster is not None else ():
                session.deliver(request)
        for observer in self._observers:
            observer.available(session, first=was_first)

    def _unavailable(self, session: Session, stanza: Stanza) -> None:
        account = session.account
        was_available = session.is_available
        session.presence = None
        session.priority = 0
        account.presence_changed()
        if was_available:
            self._local.broadcast(session, stanza)
        self._withdraw_directed(session, stanza, is_broadcast=was_available)
        self._keep(session)
        if not was_available:
            return
        last = not any(other.is_available for other in account.sessions.values())
        if last and account.roster is not None:
            self._remote.end(account, account.roster.watched())
        for observer in self._observers:
            observer.unavailable(session, last=last)

    def _direct(self, session: Session, stanza: Stanza, to: JID, done: Callable[[], None]) -> bool:
        """Directed presence (section 4.6): the recipient is remembered, and told when the session ends."""
        if not self._router.is_ours(to):
            session.deliver(stanza.error(StanzaError(StanzaCondition.REMOTE_SERVER_NOT_FOUND)).render())
            return True
        if not self._remember_directed(session, to, is_available=stanza.type is None):
            session.deliver(stanza.error(StanzaError(StanzaCondition.RESOURCE_CONSTRAINT)).render())
            return True
        return self._pass_on(session, stanza, to, done)

    def _remember_directed(self, session: Session, to: JID, *, is_available: bool) -> bool:
        """Keep who has to be told of the session's end; False when there are too many."""
        if session.directed is None:
            session.directed = set()
        directed = session.directed
        if (to in directed) is is_available:
            return True
        if not is_available:
            directed.remove(to)
        elif len(directed) < self._directed_max:
            directed.add(to)
        else:
            return False
        self._keep(session)
        return True

    def _pass_on(self, session: Session, stanza: Stanza, to: JID, done: Callable[[], None]) -> bool:
        if self._router.is_elsewhere(to):
            return self._wait(session, stanza, done, self._hold(stanza))
        self._deliver(stanza, to)
        return True

    async def _hold(self, stanza: Stanza) -> None:
        self._held.require_room()
        await self._held.hold(stanza)

    def _withdraw_directed(self, session: Session, stanza: Stanza, *, is_broadcast: bool) -> None:
        """Tell those to whom presence was directed, unless the broadcast of this stanza has told them."""
        directed, session.directed = session.directed, None
        roster = session.account.roster
        elsewhere: list[Stanza] = []
        for to in directed or ():
            if is_broadcast and (
                to.bare == session.account.bare or (roster is not None and roster.is_seen_by(to.bare))
            ):
                continue
            goodbye = stanza.copy(to=to)
            if self._router.is_elsewhere(to):
                elsewhere.append(goodbye)
            else:
                self._deliver(goodbye, to)
        if elsewhere and not self._spawn(self._take_leave(session.jid, elsewhere)):
            self._untold(session.jid, len(elsewhere), "too much is under way")

    async def _take_leave(self, sender: JID, goodbyes: Sequence[Stanza]) -> None:
        """Hold them all in one commit; nobody is left to be told of those that cannot be."""
        refusals: list[StanzaError] = []

        async def hold(goodbye: Stanza) -> None:
            try:
                await self._hold(goodbye)
            except StanzaError as error:
                refusals.append(error)

        async with together() as all_of_them:
            for goodbye in goodbyes:
                all_of_them.create_task(hold(goodbye))
        if refusals:
            self._untold(sender, len(refusals), refusals[0].text or refusals[0].condition)

    def _untold(self, sender: JID, count: int, reason: str) -> None:
        text = f"{count} addresses elsewhere are not told that {sender} has gone: {reason}"
        self._journal.failed("goodbye", StoreUnavailable(text))

    # From the life of sessions.

    def restored(self, account: LocalAccount) -> None:
        """The core has been restarted, and the account's available resources are there again."""
        if account.roster is not None and any(session.is_available for session in account.sessions.values()):
            self._remote.begin(account, account.roster.watched())

    def removed(self, session: Session, contacts: Iterable[str]) -> None:
        """A session that is there again may not have been told that contacts are on its roster no more."""
        if session.is_available:
            for contact in contacts:
                self._local.show_nobody(session, contact)

    def awakened(self, session: Session) -> None:
        """A session can be sent to again; what it was shown last is not known."""
        self._local.show_contacts_anew(session)

    def ended(self, session: Session) -> None:
        """A session is over without having said so: its contacts are told for it (section 4.5.2)."""
        self._unavailable(session, Stanza("presence", "unavailable", sender=session.jid))

    # From the cascade.

    async def arrive(self, stanza: Stanza) -> None:
        """Take a held presence stanza that came over the cascade; returns once what it changes is durable."""
        if stanza.type in TYPES and stanza.to is not None and stanza.sender is not None:
            await self._subscriptions.receive(stanza.copy(to=stanza.to.bare_jid, sender=stanza.sender.bare_jid))
        else:
            self.deliver(stanza)

    def deliver(self, stanza: Stanza) -> None:
        """Give a presence stanza that changes nothing, such as an error, to whom it is for, if he is there."""
        if stanza.to is not None:
            self._deliver(stanza, stanza.to)

    def _deliver(self, stanza: Stanza, to: JID) -> None:
        """RFC 6121 sections 8.5.2.1.2 and 8.5.3: to the resource named, or to all that are available."""
        if to.resource is not None:
            self._router.to_full(stanza)
            return
        account = self._registry.account(to.bare)
        data = stanza.render()
        for session in account.sessions.values() if account is not None else ():
            if session.is_available:
                session.deliver(data)


def priority_of(stanza: Stanza) -> int:
    """The priority of a presence (RFC 6121 section 4.7.2.3); 0 when it has none, or none that is a byte."""
    element = stanza.find(PRIORITY)
    if element is None:
        return 0
    try:
        priority = int(element.text)
    except ValueError:
        return 0
    return priority if PRIORITY_MIN <= priority <= PRIORITY_MAX else 0
