"""Subscriptions between accounts (RFC 6121 section 3): the machine of `edge_node.sessions.roster` with its effects.

The order of effects is the RFC's.  Who speaks: his roster changes, durably, and his clients are pushed the new item.
Who is spoken to: the same, but his clients get the stanza before the push.  Presence follows; only who takes back
that he is seen goes before that is said.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, cast

from edge_node.features.presence.local import LocalPresence
from edge_node.features.presence.remote import RemotePresence
from edge_node.features.roster.pushes import RosterPushes
from edge_node.features.roster.rosters import Rosters
from edge_node.routing.router import Router
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.roster import LiveRoster, RosterItem, SubscriptionType, receive, send
from edge_node.tasks import together
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.stanza import Stanza

TYPES = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed"})


def _nothing() -> None: ...


class HeldSender(Protocol):
    """The way to other sites for what must not be lost."""

    def require_room(self) -> None:
        """Raise `StanzaError` when too much waits already for a client's stanza to be held."""

    async def hold(self, stanza: Stanza) -> None:
        """Return once the stanza is in the outbox, durably."""


class Subscriptions:
    """Asks for, grants and takes back subscriptions, on both sides of each."""

    def __init__(
        self,
        *,
        router: Router,
        registry: Registry,
        rosters: Rosters,
        pushes: RosterPushes,
        local: LocalPresence,
        remote: RemotePresence,
        held: HeldSender,
        items_max: int,
        request_size_bytes_max: int,
    ) -> None:
        """Compose it; `items_max` bounds a roster, `request_size_bytes_max` what a request to subscribe says."""
        self._router = router
        self._registry = registry
        self._rosters = rosters
        self._pushes = pushes
        self._local = local
        self._remote = remote
        self._held = held
        self._items_max = items_max
        self._request_size_bytes_max = request_size_bytes_max

    async def send(self, account: JID, stanza: Stanza) -> None:
        """Take a subscription stanza of a local account.

        To an account that does not exist it goes nowhere, and nobody is told (RFC 6121 section 8.5.1).

        Args:
            account: bare JID, at home here.
            stanza: with a bare `to`.

        Raises:
            StanzaError: the contact cannot be subscribed to.
        """
        to = stanza.to
        if to is None or to.local is None or not self._router.is_ours(to):
            raise StanzaError(StanzaCondition.REMOTE_SERVER_NOT_FOUND)
        contact = to.bare_jid
        if contact.bare == account.bare:
            raise StanzaError(StanzaCondition.NOT_ALLOWED)
        kind = cast("SubscriptionType", stanza.type)
        if kind == "subscribe" and len(stanza.inner) > self._request_size_bytes_max:
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, text="the request says too much")
        theirs = await self._rosters.get(contact.bare) if self._router.is_local(contact) else None
        roster = await self._rosters.get(account.bare)
        before = roster.known(contact.bare)
        outcome = send(before, kind)
        if outcome.item != before and before.is_void and len(roster) >= self._items_max:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text="the roster is full")
        if outcome.is_routed and self._router.is_elsewhere(contact):
            self._held.require_room()

        def follow() -> None:
            self._presence_follows(account, before, outcome.item)

        goes_first = kind == "unsubscribed" and outcome.is_routed
        routed = [(stanza.copy(sender=account, to=contact), follow if goes_first else _nothing)]
        change = self._change(roster, before, outcome.item) if outcome.item != before else None
        await self._in_one_commit(routed if outcome.is_routed else [], change)
        del theirs  # in memory till here, so that its change waited for nothing
        if not goes_first:
            follow()

    async def receive(self, stanza: Stanza, first: Callable[[], None] = _nothing) -> None:
        """Take a subscription stanza for a local account, from wherever; `sender` and `to` are bare.

        `first` is called before the clients are told.
        """
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None or not self._router.is_local(to):
            return
        kind = cast("SubscriptionType", stanza.type)
        roster = await self._rosters.get(to.bare)
        before = roster.known(sender.bare)
        if before.is_void and len(roster) >= self._items_max:
            first()
            return
        outcome = receive(before, kind, stanza.render())

        def tell() -> None:
            first()
            if kind == "unsubscribed":
                self._presence_follows(to, before, outcome.item)
            if outcome.is_delivered:
                self._deliver(stanza, to)

        async with together() as both:
            if outcome.item != before:
                both.create_task(self._change(roster, before, outcome.item, tell))
            else:
                first()
            if outcome.is_approved:
                both.create_task(self._route(Stanza("presence", "subscribed", stanza.id, sender, to)))
        if kind != "unsubscribed":
            self._presence_follows(to, before, outcome.item)

    async def remove(self, account: JID, contact: JID) -> None:
        """Take a contact off a roster, and end both directions (RFC 6121 section 2.5.2); both bare JIDs.

        Raises:
            StanzaError: what is for another site cannot be held now.
        """
        theirs = await self._rosters.get(contact.bare) if self._router.is_local(contact) else None
        roster = await self._rosters.get(account.bare)
        before = roster.known(contact.bare)
        ends = {
            "unsubscribe": before.ask or before.subscription.sees_contact,
            "unsubscribed": bool(before.request) or before.subscription.is_seen,
        }

        def follow() -> None:
            self._presence_follows(account, before, RosterItem(before.contact, in_roster=False))

        routed = [
            (Stanza("presence", kind, to=contact, sender=account), follow if kind == "unsubscribed" else _nothing)
            for kind, is_due in ends.items()
            if is_due
        ]
        if routed and self._router.is_elsewhere(contact):
            self._held.require_room()
        await self._in_one_commit(routed, self._removal(roster, contact.bare))
        del theirs  # as above
        if not ends["unsubscribed"]:
            follow()

    async def _in_one_commit(
        self, routed: Iterable[tuple[Stanza, Callable[[], None]]], change: Coroutine[Any, Any, None] | None
    ) -> None:
        """Change both sides of a subscription, so that no crash leaves only one of them.

        What is routed reaches the store a turn of the loop later when the contact lives here, so it goes first; the
        store commits what it was given in the turn in which the own change reaches it.
        """
        async with together() as both:
            for stanza, first in routed:
                both.create_task(self._route(stanza, first))
            if change is not None:
                both.create_task(change)

    def _removal(self, roster: LiveRoster, contact: str) -> Coroutine[Any, Any, None]:
        """As `_change`."""
        durable = self._rosters.remove(roster, contact)

        async def told() -> None:
            self._pushes.push_removal(roster.account, contact, await durable)

        return told()

    def _change(
        self, roster: LiveRoster, before: RosterItem, after: RosterItem, tell: Callable[[], None] = _nothing
    ) -> Coroutine[Any, Any, None]:
        """Change it in memory now; what is returned ends when that is durable, and what it means is told and pushed."""
        durable = self._rosters.put(roster, after)

        async def told() -> None:
            version = await durable
            tell()
            if after.in_roster and _shown(before) != _shown(after):
                self._pushes.push(roster.account, after, version)

        return told()

    async def _route(self, stanza: Stanza, first: Callable[[], None] = _nothing) -> None:
        if stanza.to is not None and self._router.is_local(stanza.to):
            await self.receive(stanza, first)
            return
        first()
        if stanza.to is not None and self._router.is_elsewhere(stanza.to):
            await self._held.hold(stanza)

    def _deliver(self, stanza: Stanza, to: JID) -> None:
        """Requests go to resources that can be asked, notices to those interested too (sections 3.1.3, 3.1.6)."""
        account = self._registry.account(to.bare)
        data = stanza.render()
        for session in account.sessions.values() if account is not None else ():
            if session.is_available or (session.interested and stanza.type != "subscribe"):
                session.deliver(data)

    def _presence_follows(self, jid: JID, before: RosterItem, after: RosterItem) -> None:
        """Show what a change means, unless a later one, which may have been shown before, has undone it."""
        account = self._registry.account(jid.bare)
        contact = before.contact
        if account is None:
            if before.subscription.is_seen and not after.subscription.is_seen:
                # Its last resource left meanwhile, and then the contact was not among those who are told.
                self._local.send(Stanza("presence", "unavailable", sender=jid).render(), contact)
            return
        now = after if account.roster is None else account.roster.known(contact)
        if before.subscription.is_seen != after.subscription.is_seen == now.subscription.is_seen:
            if now.subscription.is_seen:
                self._local.appear(account, contact)
            else:
                self._local.vanish(account, contact)
        if before.subscription.sees_contact != after.subscription.sees_contact == now.subscription.sees_contact:
            self._watch(account, contact, watches=now.subscription.sees_contact)

    def _watch(self, account: LocalAccount, contact: str, *, watches: bool) -> None:
        available = [session for session in account.sessions.values() if session.is_available]
        if not available:
            return
        if watches:
            self._remote.watch(account, contact)
            for session in available:
                for rendered in self._remote.known_to(contact, account):
                    session.deliver(rendered)
            return
        for rendered in self._remote.gone_for(contact, account):
            for session in available:
                session.deliver(rendered)
        for session in available:
            if session.dormant or session.floor is not None:
                # What the last core showed it is not known; and if it has just woken, then without this contact.
                self._local.show_nobody(session, contact)
        self._remote.unwatch(account, contact)


def _shown(item: RosterItem) -> tuple[object, ...]:
    """What a roster push would say of an item."""
    return (item.name, item.groups, item.subscription, item.ask, item.approved, item.in_roster)
