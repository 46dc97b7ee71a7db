"""How a stream stands on its connection: as one XML document over TCP, or in WebSocket messages.

Rule: both say the same; only header, end and namespace declarations differ (RFC 6120 section 4, RFC 7395).
"""

from collections.abc import Mapping
from typing import Protocol

from xmpp import namespaces
from xmpp.element import LANG, Element, serialize
from xmpp.items import Item, StreamEnd, StreamHeader
from xmpp.parser import StreamReader
from xmpp.stanza import with_namespace

_PREFIXES: Mapping[str, str] = {namespaces.STREAMS: "stream"}
_STREAM_DECLARATION = f' xmlns:stream="{namespaces.STREAMS}"'.encode()
_STREAM_TAG = b"<stream:"
_OPEN = f"{{{namespaces.FRAMING}}}open"
_CLOSE = f"{{{namespaces.FRAMING}}}close"


class Framing(Protocol):
    """One way of framing; without state, so that all streams of a listener share one."""

    has_starttls: bool
    """Whether TLS can be started inside the stream."""

    def read(self, reader: StreamReader, data: bytes) -> list[Item]:
        """Read what arrived: any part of the document, or one whole message."""
        ...

    def header(self, attributes: Mapping[str, str]) -> bytes:
        """Open the stream; names of attributes as in Element."""
        ...

    def element(self, element: Element) -> bytes:
        """Write a top-level element that is no stanza."""
        ...

    def stanza(self, rendered: bytes) -> bytes:
        """Write a stanza, given as `Stanza.render` returns it."""
        ...

    def end(self) -> bytes:
        """Close the stream."""
        ...


class TcpFraming:
    """One XML document in each direction (RFC 6120 section 4.2)."""

    __slots__ = ()
    has_starttls = True

    def read(self, reader: StreamReader, data: bytes) -> list[Item]:
        return reader.receive(data)

    def header(self, attributes: Mapping[str, str]) -> bytes:
        empty = serialize(Element(f"{{{namespaces.STREAMS}}}stream", attributes), "", _PREFIXES)
        declarations = f' xmlns="{namespaces.CLIENT}"'.encode() + _STREAM_DECLARATION
        return b"<?xml version='1.0'?>" + empty.removesuffix(b"/>") + declarations + b">"

    def element(self, element: Element) -> bytes:
        return serialize(element, namespaces.CLIENT, _PREFIXES)

    def stanza(self, rendered: bytes) -> bytes:
        return rendered

    def end(self) -> bytes:
        return b"</stream:stream>"


class WebSocketFraming:
    """One element in each message (RFC 7395 section 3.3)."""

    __slots__ = ()
    has_starttls = False

    def read(self, reader: StreamReader, data: bytes) -> list[Item]:
        item = reader.receive_frame(data)
        if isinstance(item, Element):
            if item.name == _OPEN:
                header = _header_of(item)
                reader.inherit(header.lang)
                return [header]
            if item.name == _CLOSE:
                return [StreamEnd()]
        return [item]

    def header(self, attributes: Mapping[str, str]) -> bytes:
        return serialize(Element(_OPEN, attributes))

    def element(self, element: Element) -> bytes:
        written = serialize(element, "", _PREFIXES)
        if not written.startswith(_STREAM_TAG):
            return written
        # The section's examples, and clients that look for them, have the prefix, which must be declared here.
        position = len(_STREAM_TAG) + len(element.local)
        return written[:position] + _STREAM_DECLARATION + written[position:]

    def stanza(self, rendered: bytes) -> bytes:
        return with_namespace(rendered)

    def end(self) -> bytes:
        return serialize(Element(_CLOSE))


def _header_of(opening: Element) -> StreamHeader:
    get = opening.get
    return StreamHeader(get("to"), get("from"), get("version"), get("id"), get(LANG))
