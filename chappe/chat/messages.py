"""Messages of conversations: written, and read out of whatever they are wrapped in."""

from dataclasses import dataclass, replace
from typing import Final

from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaError
from xmpp.jid import JID, InvalidJID
from xmpp.payloads import archive, carbons, delay, forwarding
from xmpp.stanza import Stanza

BODY: Final = f"{{{namespaces.CLIENT}}}body"
MESSAGE: Final = f"{{{namespaces.CLIENT}}}message"
RECEIPT_REQUEST: Final = f"{{{namespaces.RECEIPTS}}}request"
RECEIPT: Final = f"{{{namespaces.RECEIPTS}}}received"
ACTIVE: Final = f"{{{namespaces.CHAT_STATES}}}active"
ORIGIN_ID: Final = f"{{{namespaces.STANZA_ID}}}origin-id"


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody said something, to us or as us."""

    peer: JID
    """The other side, bare."""

    is_own: bool
    """We said it: here, on another device, or long ago."""

    text: str
    id: str
    moment_us: int | None = None
    """When it was sent, if that was not now."""

    receipt_to: JID | None = None
    """Who wants to know that it has come."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message of that id has reached a device of the other side (XEP-0184)."""

    peer: JID
    id: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The message of that id came back with an error."""

    peer: JID
    id: str
    reason: str


News = Said | Delivered | Returned


def outgoing(to: JID, text: str, id: str) -> Stanza:
    """Write a message; raises ValueError for a text that XML cannot carry."""
    return Stanza.build(
        "message",
        Element(BODY, children=(text,)),
        Element(RECEIPT_REQUEST),
        Element(ACTIVE),
        Element(ORIGIN_ID, {"id": id}),
        type="chat",
        id=id,
        to=to,
    )


def receipt(to: JID, id: str, receipt_id: str) -> Stanza:
    """Write the receipt for the message `id`."""
    return Stanza.build("message", Element(RECEIPT, {"id": id}), type="chat", id=receipt_id, to=to)


def news_of(message: Stanza, own: JID) -> News | None:
    """Read a message that came in; None for one that says nothing to a person.

    Args:
        message: as it came.
        own: our full address.
    """
    copied = message.find(carbons.SENT) or message.find(carbons.RECEIVED)
    if copied is None:
        return _news(message.sender, message.to or own, message.type, message.id, message.elements(), own)
    if message.sender is None or message.sender.full != own.bare:
        return None  # only the own account may speak for others (XEP-0280 section 11)
    news = _forwarded(copied, own)
    # Another device sends the receipt, or has sent it.
    return replace(news, receipt_to=None) if isinstance(news, Said) else None


def archived(result: Element, own: JID) -> tuple[str, Said] | None:
    """Read `<result/>` of an archive: its id and what was said; None if nothing was."""
    news = _forwarded(result, own)
    return (result.get("id") or "", replace(news, receipt_to=None)) if isinstance(news, Said) else None


def query_id_of(message: Stanza) -> str | None:
    """Tell which archive query a message answers."""
    result = message.find(archive.RESULT)
    return None if result is None else result.get("queryid")


def _forwarded(wrapper: Element, own: JID) -> News | None:
    forwarded = wrapper.find(forwarding.NAME)
    inner = None if forwarded is None else forwarded.find(MESSAGE)
    if forwarded is None or inner is None:
        return None
    try:
        sender, to = (JID.parse(inner.get(name) or own.full) for name in ("from", "to"))
    except InvalidJID:
        return None
    news = _news(sender, to, inner.get("type"), inner.get("id"), inner.elements, own)
    moment_us = _moment(forwarded.elements)
    return replace(news, moment_us=moment_us) if isinstance(news, Said) and moment_us is not None else news


def _news(
    sender: JID | None,
    to: JID,
    kind: str | None,
    id: str | None,
    elements: tuple[Element, ...],
    own: JID,
) -> News | None:
    if sender is None:
        return None
    is_own = sender.bare == own.bare and to.bare != own.bare
    peer = (to if is_own else sender).bare_jid
    found = {element.name: element for element in reversed(elements)}
    if kind == "error":
        return _returned(peer, id or "", elements)
    if RECEIPT in found and not is_own:
        return Delivered(peer, found[RECEIPT].get("id") or "")
    if BODY not in found:
        return None
    wants_receipt = RECEIPT_REQUEST in found and id and not is_own
    return Said(peer, is_own, found[BODY].text, id or "", _moment(elements), sender if wants_receipt else None)


def _returned(peer: JID, id: str, elements: tuple[Element, ...]) -> Returned:
    error = next((StanzaError.from_element(each) for each in elements if each.local == "error"), None)
    return Returned(peer, id, "unknown error" if error is None else error.text or error.condition.value)


def _moment(elements: tuple[Element, ...]) -> int | None:
    for element in elements:
        if element.name == delay.NAME:
            try:
                return delay.read(element).moment_us
            except StanzaError:
                return None
    return None
