"""Rosters and the state machine of subscriptions (RFC 6121 section 3 and appendix A).  Pure.

The state of a subscription is `subscription` with two marks: `ask` ("pending out") and `request` ("pending in").
The tables below say for each of the nine states of appendix A what a subscription stanza does to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal


class Subscription(StrEnum):
    """Who sees whose presence (RFC 6121 section 2.1.2.5)."""

    NONE = "none"
    TO = "to"
    FROM = "from"
    BOTH = "both"

    @property
    def sees_contact(self) -> bool:
        """Whether the account sees the contact's presence."""
        return self in (Subscription.TO, Subscription.BOTH)

    @property
    def is_seen(self) -> bool:
        """Whether the contact sees the account's presence."""
        return self in (Subscription.FROM, Subscription.BOTH)


@dataclass(frozen=True, slots=True)
class RosterItem:
    """One contact of one account."""

    contact: str
    """Bare JID."""
    name: str = ""
    groups: tuple[str, ...] = ()
    subscription: Subscription = Subscription.NONE
    ask: bool = False
    """The account has asked to see the contact's presence ("pending out")."""
    approved: bool = False
    """Pre-approval (RFC 6121 section 3.4)."""
    request: bytes = b""
    """The contact's subscription request as it came, while unanswered ("pending in"); empty = none."""
    in_roster: bool = True
    """False for a mere request: the contact is not shown in the roster (RFC 6121 section 3.1.3)."""

    @property
    def is_void(self) -> bool:
        """Whether nothing is left to remember: neither shown, nor asked for by the contact, nor pre-approved."""
        return not self.in_roster and not self.request and not self.approved


@dataclass(frozen=True, slots=True)
class Roster:
    """A whole roster with its version (RFC 6121 section 2.6), as it is stored."""

    version: int
    items: tuple[RosterItem, ...]


SubscriptionType = Literal["subscribe", "subscribed", "unsubscribe", "unsubscribed"]

_GAINS_TO = {Subscription.NONE: Subscription.TO, Subscription.FROM: Subscription.BOTH}
_LOSES_TO = {Subscription.TO: Subscription.NONE, Subscription.BOTH: Subscription.FROM}
_GAINS_FROM = {Subscription.NONE: Subscription.FROM, Subscription.TO: Subscription.BOTH}
_LOSES_FROM = {Subscription.FROM: Subscription.NONE, Subscription.BOTH: Subscription.TO}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a subscription stanza of the account's own does (RFC 6121 appendix A.2)."""

    item: RosterItem
    """The state after it."""
    is_routed: bool
    """Whether the contact is to get it."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a subscription stanza of the contact's does (RFC 6121 appendix A.3)."""

    item: RosterItem
    """The state after it."""
    is_delivered: bool
    """Whether the account's clients are to get it."""
    is_approved: bool = False
    """Whether the server answers `subscribed` by itself: the contact was approved before."""


def send(item: RosterItem, kind: SubscriptionType) -> Sent:
    """Apply the account's own subscription stanza (RFC 6121 appendix A.2.1 to A.2.4).

    Args:
        item: the state before; a fresh item for a contact that is not known.
        kind: type of the stanza.
    """
    subscription = item.subscription
    match kind:
        case "subscribe":
            after = replace(item, ask=item.ask or not subscription.sees_contact, in_roster=True)
            return Sent(after, is_routed=True)
        case "unsubscribe":
            return Sent(
                replace(item, ask=False, subscription=_LOSES_TO.get(subscription, subscription)), is_routed=True
            )
        case "subscribed":
            if item.request:
                gained = _GAINS_FROM.get(subscription, subscription)
                return Sent(replace(item, request=b"", subscription=gained, in_roster=True), is_routed=True)
            if subscription.is_seen:
                return Sent(item, is_routed=False)
            return Sent(replace(item, approved=True, in_roster=True), is_routed=False)
        case "unsubscribed":
            is_routed = bool(item.request) or subscription.is_seen
            lost = _LOSES_FROM.get(subscription, subscription)
            return Sent(replace(item, request=b"", approved=False, subscription=lost), is_routed=is_routed)


def receive(item: RosterItem, kind: SubscriptionType, stanza: bytes) -> Received:
    """Apply the contact's subscription stanza (RFC 6121 appendix A.3.1 to A.3.4).

    Args:
        item: the state before; one with `in_roster` False for a contact that is not known.
        kind: type of the stanza.
        stanza: as it came, kept while a request is unanswered.
    """
    subscription = item.subscription
    match kind:
        case "subscribe":
            if subscription.is_seen:
                return Received(item, is_delivered=False, is_approved=True)
            if item.approved:
                gained = _GAINS_FROM.get(subscription, subscription)
                after = replace(item, subscription=gained, approved=False, request=b"", in_roster=True)
                return Received(after, is_delivered=False, is_approved=True)
            return Received(replace(item, request=item.request or stanza), is_delivered=not item.request)
        case "unsubscribe":
            is_delivered = subscription.is_seen or bool(item.request)
            lost = _LOSES_FROM.get(subscription, subscription)
            return Received(replace(item, subscription=lost, request=b""), is_delivered=is_delivered)
        case "subscribed":
            if not item.ask:
                return Received(item, is_delivered=False)
            gained = _GAINS_TO.get(subscription, subscription)
            return Received(replace(item, subscription=gained, ask=False), is_delivered=True)
        case "unsubscribed":
            is_delivered = item.ask or subscription.sees_contact
            lost = _LOSES_TO.get(subscription, subscription)
            return Received(replace(item, subscription=lost, ask=False), is_delivered=is_delivered)


class LiveRoster:
    """One account's roster in memory.  There is at most one for an account, so changes need no lock."""

    __slots__ = ("__weakref__", "_items", "account", "stored_version", "version")

    def __init__(self, account: str, roster: Roster) -> None:
        """Hold the roster of `account` (bare JID) as it was loaded."""
        self.account = account
        self.version = roster.version
        self.stored_version = roster.version
        """The highest one that the store has: no other may be told, because a crash gives it to another change."""
        self._items = {item.contact: item for item in roster.items}

    def __iter__(self) -> Iterator[RosterItem]:
        """Every item, mere requests included."""
        return iter(self._items.values())

    def __len__(self) -> int:
        """How many items, mere requests included."""
        return len(self._items)

    def get(self, contact: str) -> RosterItem | None:
        """The item of a bare JID."""
        return self._items.get(contact)

    def known(self, contact: str) -> RosterItem:
        """The item of a bare JID, or the state of a stranger."""
        return self._items.get(contact) or RosterItem(contact, in_roster=False)

    def put(self, item: RosterItem) -> int:
        """Insert or replace an item (a void one is removed); the new version."""
        self.version += 1
        if item.is_void:
            self._items.pop(item.contact, None)
        else:
            self._items[item.contact] = item
        return self.version

    def remove(self, contact: str) -> int:
        """Remove an item; the new version."""
        self.version += 1
        self._items.pop(contact, None)
        return self.version

    def undo(self, contact: str, made: RosterItem | None, before: RosterItem | None) -> None:
        """A change could not be stored: the item is as it was before, unless it has changed again."""
        if self._items.get(contact) is not made:
            return
        if before is None:
            self._items.pop(contact, None)
        else:
            self._items[contact] = before

    def subscribers(self) -> Iterator[str]:
        """Bare JIDs of the contacts that see this account's presence."""
        return (item.contact for item in self._items.values() if item.subscription.is_seen)

    def watched(self) -> Iterator[str]:
        """Bare JIDs of the contacts whose presence this account sees."""
        return (item.contact for item in self._items.values() if item.subscription.sees_contact)

    def requests(self) -> Iterator[bytes]:
        """The unanswered subscription requests, as they came."""
        return (item.request for item in self._items.values() if item.request)

    def sees(self, contact: str) -> bool:
        """Whether the account sees the contact's presence."""
        item = self._items.get(contact)
        return item is not None and item.subscription.sees_contact

    def is_seen_by(self, contact: str) -> bool:
        """Whether the contact sees the account's presence."""
        item = self._items.get(contact)
        return item is not None and item.subscription.is_seen
