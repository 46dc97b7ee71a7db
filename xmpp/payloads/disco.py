"""Service discovery (XEP-0030): what an entity is, what it can do, and what belongs to it."""

from dataclasses import dataclass
from typing import Final

from xmpp import namespaces
from xmpp.element import LANG, Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID, InvalidJID
from xmpp.payloads import data_form
from xmpp.payloads.data_form import Form

INFO: Final = f"{{{namespaces.DISCO_INFO}}}query"
ITEMS: Final = f"{{{namespaces.DISCO_ITEMS}}}query"

_IDENTITY: Final = f"{{{namespaces.DISCO_INFO}}}identity"
_FEATURE: Final = f"{{{namespaces.DISCO_INFO}}}feature"
_ITEM: Final = f"{{{namespaces.DISCO_ITEMS}}}item"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an entity is."""

    category: str
    type: str
    name: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Info:
    """What an entity is and can do."""

    identities: tuple[Identity, ...] = ()
    features: tuple[str, ...] = ()
    forms: tuple[Form, ...] = ()
    """More about it (XEP-0128)."""
    node: str | None = None

    def element(self) -> Element:
        """Return `<query/>`, an answer to disco#info."""
        return Element(
            INFO,
            _node(self.node),
            (
                *(_write_identity(identity) for identity in self.identities),
                *(Element(_FEATURE, {"var": feature}) for feature in self.features),
                *(form.element() for form in self.forms),
            ),
        )


@dataclass(frozen=True, slots=True)
class Item:
    """Something that belongs to an entity."""

    jid: JID
    name: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """What belongs to an entity."""

    items: tuple[Item, ...] = ()
    node: str | None = None

    def element(self) -> Element:
        """Return `<query/>`, an answer to disco#items."""
        return Element(ITEMS, _node(self.node), tuple(_write_item(item) for item in self.items))


def read_info(element: Element) -> Info:
    """Read the answer to disco#info; raise StanzaError (`bad-request`) for a form that is none."""
    return Info(
        tuple(
            Identity(
                identity.get("category") or "",
                identity.get("type") or "",
                identity.get("name") or "",
                identity.get(LANG) or "",
            )
            for identity in element.find_all(_IDENTITY)
        ),
        tuple(feature.get("var") or "" for feature in element.find_all(_FEATURE)),
        tuple(data_form.read(form) for form in element.find_all(data_form.NAME)),
        element.get("node"),
    )


def read_items(element: Element) -> Items:
    """Read the answer to disco#items; raise StanzaError (`jid-malformed`) for an address that is none."""
    try:
        items = tuple(
            Item(JID.parse(item.get("jid") or ""), item.get("name") or "", item.get("node") or "")
            for item in element.find_all(_ITEM)
        )
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED) from error
    return Items(items, element.get("node"))


def _node(node: str | None) -> dict[str, str]:
    return {} if node is None else {"node": node}


def _write_identity(identity: Identity) -> Element:
    attributes = {"category": identity.category, "type": identity.type}
    if identity.name:
        attributes["name"] = identity.name
    if identity.lang:
        attributes[LANG] = identity.lang
    return Element(_IDENTITY, attributes)


def _write_item(item: Item) -> Element:
    attributes = {"jid": item.jid.full}
    if item.name:
        attributes["name"] = item.name
    if item.node:
        attributes["node"] = item.node
    return Element(_ITEM, attributes)
