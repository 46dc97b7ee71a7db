"""Delayed delivery (XEP-0203): when a stanza was sent that comes late."""

from dataclasses import dataclass
from typing import Final

from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID, InvalidJID
from xmpp.payloads.timestamps import format_datetime, parse_datetime

NAME: Final = f"{{{namespaces.DELAY}}}delay"


@dataclass(frozen=True, slots=True)
class Delay:
    """Since when, and by whom, a stanza was held."""

    moment_us: int
    """When it was first sent, in microseconds since 1970."""
    by: JID | None = None
    """Who held it."""
    reason: str = ""

    def element(self) -> Element:
        """Return `<delay/>`."""
        attributes = {"stamp": format_datetime(self.moment_us)}
        if self.by is not None:
            attributes["from"] = self.by.full
        return Element(NAME, attributes, (self.reason,) if self.reason else ())


def read(element: Element) -> Delay:
    """Read `<delay/>`; raise StanzaError if the moment or the address is none."""
    by = element.get("from")
    try:
        holder = JID.parse(by) if by is not None else None
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED) from error
    return Delay(parse_datetime(element.get("stamp") or ""), holder, element.text)
