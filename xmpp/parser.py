"""From bytes to stanzas: the reader of one stream, and the parsers that all readers share.

Expat checks well-formedness and namespaces; what is cut out of the stream keeps its
bytes.  An idle stream holds no parser: between two stanzas all streams are alike, so a
reader borrows one for the data that came and gives it back when nothing is left open.
"""

import re
from typing import Final

from xmpp.cutter import WHITESPACE, ElementCutter, Limits
from xmpp.element import ClarkNames
from xmpp.errors import StreamCondition, StreamError
from xmpp.header import HeaderReader
from xmpp.items import Fault, Item, StreamEnd, StreamHeader

__all__ = ["Fault", "Item", "Limits", "ParserPool", "StreamEnd", "StreamHeader", "StreamReader"]

IDLE_PARSERS_MAX: Final = 8
_LANGUAGE: Final = re.compile("[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7}")  # RFC 5646, section 2.1


class ParserPool:
    """The parsers of one process, primed to stand inside a stream, between two stanzas.

    Args:
        limits: what a stanza may be.
        recycle_bytes: a parser that has read so much is replaced, for expat keeps every
            name that it has seen: up to 31 bytes for each byte read.

    """

    __slots__ = ("_idle", "_names", "_recycle_bytes", "limits")

    def __init__(self, limits: Limits | None = None, recycle_bytes: int = 262_144) -> None:
        self.limits = limits if limits is not None else Limits()
        self._recycle_bytes = recycle_bytes
        self._idle: list[ElementCutter] = []
        self._names = ClarkNames()

    def borrow(self) -> ElementCutter:
        """Hand out a parser that stands between two stanzas."""
        return self._idle.pop() if self._idle else ElementCutter(self.limits, self._names)

    def give_back(self, cutter: ElementCutter) -> None:
        """Take a parser back; keep it if it can serve another stream."""
        if cutter.is_idle and cutter.size_bytes < self._recycle_bytes and len(self._idle) < IDLE_PARSERS_MAX:
            self._idle.append(cutter)
        else:
            cutter.discard()


class StreamReader:
    """Reads one direction of one stream; it never raises on what a peer sends.

    After a Fault or a StreamEnd everything that follows is ignored.
    """

    __slots__ = ("_cutter", "_header", "_is_over", "_language", "_pool")

    def __init__(self, pool: ParserPool) -> None:
        self._pool = pool
        self._header: HeaderReader | None = HeaderReader(pool.limits)
        self._cutter: ElementCutter | None = None
        self._language: str | None = None
        self._is_over = False

    @property
    def is_between_items(self) -> bool:
        """Whether nothing is left over of what was received.

        A server that is about to start TLS must refuse anything that is.
        """
        return self._cutter is None and (self._header is None or self._header.is_untouched)

    def inherit(self, language: str | None) -> None:
        """Take the stream's `xml:lang`, which stanzas have that say nothing else (RFC 6120, section 4.7.4).

        It goes into every one of them: what is no language tag, or a very long one, is left out.
        """
        self._language = language if language is not None and _LANGUAGE.fullmatch(language) else None

    def restart(self) -> None:
        """Expect a new stream header, as after STARTTLS and SASL; forget what is left over."""
        self._drop()
        self._header = HeaderReader(self._pool.limits)
        self._is_over = False

    def close(self) -> None:
        """Ignore whatever may still come, and let the parser go."""
        self._drop()
        self._is_over = True

    def receive(self, data: bytes) -> list[Item]:
        """Read data of a TCP stream; return what they complete, a Fault last."""
        if self._is_over:
            return []
        if self._header is not None:
            return self._receive_header(self._header, data)
        cutter = self._cutter
        if cutter is None:
            if not data.strip(WHITESPACE):
                return []  # a keep-alive (RFC 6120, section 4.6.1)
            cutter = self._pool.borrow()
            cutter.language = self._language
        items = cutter.feed(data)
        if cutter.is_idle:
            self._cutter = None
            self._pool.give_back(cutter)
            return items
        self._cutter = cutter
        if cutter.is_over:
            self.close()
        return items

    def receive_frame(self, text: bytes) -> Item:
        """Read one WebSocket message, which is exactly one element (RFC 7395, section 3.3.3)."""
        self._header = None
        items = self.receive(text)
        if len(items) == 1 and self.is_between_items and not isinstance(items[0], StreamEnd):
            return items[0]
        self.close()
        if items and isinstance(items[-1], Fault):
            return items[-1]
        return Fault(StreamError(StreamCondition.BAD_FORMAT, "a message must be exactly one element"))

    def _receive_header(self, reader: HeaderReader, data: bytes) -> list[Item]:
        try:
            header = reader.feed(data)
        except StreamError as error:
            self.close()
            return [Fault.of(error)]
        if header is None:
            return []
        self._header = None
        self.inherit(header.lang)
        return [header, *self.receive(reader.rest)]

    def _drop(self) -> None:
        if self._header is not None:
            self._header.discard()
            self._header = None
        if self._cutter is not None:
            self._cutter.discard()
            self._cutter = None
