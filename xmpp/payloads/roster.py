"""The contact list (RFC 6121, section 2)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID, InvalidJID

NAME: Final = f"{{{namespaces.ROSTER}}}query"

_ITEM: Final = f"{{{namespaces.ROSTER}}}item"
_GROUP: Final = f"{{{namespaces.ROSTER}}}group"


class Subscription(StrEnum):
    """Who sees whose presence (section 2.1.2.5)."""

    NONE = "none"
    """Neither sees the other's."""
    TO = "to"
    """The account sees the contact's."""
    FROM = "from"
    """The contact sees the account's."""
    BOTH = "both"
    """Each sees the other's."""
    REMOVE = "remove"
    """The contact is to be taken off the list, or was."""


_SUBSCRIPTIONS: Final[dict[str | None, Subscription]] = {each.value: each for each in Subscription}


@dataclass(frozen=True, slots=True)
class Item:
    """One contact."""

    jid: JID
    name: str = ""
    subscription: Subscription = Subscription.NONE
    groups: tuple[str, ...] = ()
    is_asking: bool = False
    """`ask="subscribe"`: the account has asked to see the contact's presence and waits for the answer."""
    is_approved: bool = False
    """`approved="true"`: the contact may see the account's presence as soon as it asks (section 3.4)."""

    def element(self) -> Element:
        """Return `<item/>`."""
        attributes = {"jid": self.jid.full, "subscription": self.subscription.value}
        if self.name:
            attributes["name"] = self.name
        if self.is_asking:
            attributes["ask"] = "subscribe"
        if self.is_approved:
            attributes["approved"] = "true"
        return Element(_ITEM, attributes, tuple(Element(_GROUP, children=(group,)) for group in self.groups))


@dataclass(frozen=True, slots=True)
class Roster:
    """A contact list, or what has changed in it."""

    items: tuple[Item, ...] = ()
    version: str | None = None
    """Which state of the list this is or leads to (section 2.6); None if versions are not used."""

    def element(self) -> Element:
        """Return `<query/>`."""
        attributes = {} if self.version is None else {"ver": self.version}
        return Element(NAME, attributes, tuple(item.element() for item in self.items))


def read(element: Element) -> Roster:
    """Read `<query/>`; a subscription that is not known counts as none (section 2.1.5).

    Raises:
        StanzaError: `jid-malformed` for an address that is none; `bad-request` for two
            equal groups, `not-acceptable` for an empty one (section 2.3.3).

    """
    return Roster(tuple(_read_item(item) for item in element.find_all(_ITEM)), element.get("ver"))


def _read_item(element: Element) -> Item:
    groups = tuple(group.text for group in element.find_all(_GROUP))
    if len(set(groups)) != len(groups):
        raise StanzaError(StanzaCondition.BAD_REQUEST, text="a group is named twice")
    if "" in groups:
        raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, text="a group has no name")
    subscription = _SUBSCRIPTIONS.get(element.get("subscription"), Subscription.NONE)
    try:
        jid = JID.parse(element.get("jid") or "")
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED) from error
    return Item(
        jid,
        element.get("name") or "",
        subscription,
        groups,
        element.get("ask") == "subscribe",
        element.get("approved") in {"true", "1"},
    )
