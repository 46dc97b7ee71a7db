"""Stanza forwarding (XEP-0297): a stanza inside another one, as the bytes that it has."""

from typing import Final

from xmpp import namespaces
from xmpp.element import Element, serialize
from xmpp.payloads.delay import Delay
from xmpp.stanza import with_namespace

NAME: Final = f"{{{namespaces.FORWARD}}}forwarded"


def render(rendered: bytes, delay: Delay | None = None) -> bytes:
    """Write `<forwarded/>` around a rendered stanza, which is not read again."""
    stamp = serialize(delay.element(), namespaces.FORWARD) if delay is not None else b""
    return wrap(Element(NAME), stamp + with_namespace(rendered))


def wrap(element: Element, content: bytes, inherited_namespace: str = "") -> bytes:
    """Write an element without children around content that is written already."""
    empty = serialize(element, inherited_namespace)
    start = empty.removesuffix(b"/>")
    return b"%b>%b</%b>" % (start, content, element.local.encode())
