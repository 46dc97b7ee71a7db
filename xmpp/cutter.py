"""Cuts a stream into its first-level elements, with expat watching every byte.

The hot path of everything that comes in: `tests/benchmarks/bench_parser.py` times it.
"""

import re
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from xmpp import namespaces
from xmpp.element import ClarkNames, Element, escape_attribute, parse_fragment
from xmpp.errors import StreamCondition, StreamError
from xmpp.items import Fault, Item, StreamEnd
from xmpp.jid import JID, InvalidJID
from xmpp.restrictions import restricted_parser, stream_error
from xmpp.stanza import Address, Kind, Stanza, inner_of, only_elements

WHITESPACE: Final = b" \t\r\n"

_TAG: Final = re.compile(rb"""<[^"'>]*+(?:"[^"]*+"[^"'>]*+|'[^']*+'[^"'>]*+)*+>""")
"""A start tag or an empty-element tag that expat has accepted."""

_STREAM_PREFIX: Final = f' xmlns:stream="{namespaces.STREAMS}"'.encode()
_OPENING: Final = f'<stream:stream xmlns="{namespaces.CLIENT}"'.encode() + _STREAM_PREFIX + b">"
_KINDS: Final[dict[str, Kind]] = {
    f"{namespaces.CLIENT} message": "message",
    f"{namespaces.CLIENT} presence": "presence",
    f"{namespaces.CLIENT} iq": "iq",
}
_LANG: Final = f"{namespaces.XML} lang"
_SLASH: Final = ord("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a first-level element may be; beyond it is a `policy-violation`."""

    stanza_size_bytes_max: int = 262_144
    depth_max: int = 64
    """How deep elements may be nested, the stanza being the first."""
    elements_max: int = 16_384
    """How many elements a stanza may have, itself not counted."""
    tag_size_bytes_max: int = 16_384
    """How long a tag may be that comes in pieces (expat scans it again with each), and a stream header."""


class ElementCutter:
    """One expat parser inside a stream, and what it has seen of the element it is in.

    Positions are counted from the first byte that the parser was fed.
    """

    __slots__ = (
        "_attributes", "_buffer", "_depth", "_done", "_elements", "_expat", "_inside", "_items", "_limits",
        "_name", "_names", "_origin", "_payloads", "_pieces", "_start", "is_idle", "is_over", "language", "size_bytes",
    )  # fmt: skip

    def __init__(self, limits: Limits, names: ClarkNames) -> None:
        self._limits = limits
        self._names = names
        self._buffer = b""
        """What the parser is reading and is not done with."""
        self._pieces: bytearray | None = None
        """The same, growing, while an element comes in pieces."""
        self._origin = len(_OPENING)
        """The position of the buffer's first byte."""
        self._done = len(_OPENING)
        """The position behind the last complete element."""
        self._depth = 0
        self._start = 0
        """The position of the element that is open."""
        self._inside = 0
        """The position of that element's first child."""
        self._elements = 0
        """How many elements there are in it below its children."""
        self._name = ""
        self._attributes: dict[str, str] = {}
        self._payloads: list[str] = []
        self._items: list[Item] = []
        self.language: str | None = None
        """The stream's `xml:lang`, which stanzas inherit that have none."""
        self.size_bytes = len(_OPENING)
        """How much the parser has read."""
        self.is_idle = True
        """Whether it stands between two elements with nothing left over."""
        self.is_over = False
        """Whether it reads no further, after a fault or the stream's closing tag."""
        self._expat = restricted_parser()
        self._expat.Parse(_OPENING, False)
        self._expat.StartElementHandler = self._started
        self._expat.EndElementHandler = self._ended

    def discard(self) -> None:
        """Let go: expat and its handlers refer to each other."""
        self._expat.StartElementHandler = None
        self._expat.EndElementHandler = None

    def feed(self, data: bytes) -> list[Item]:
        """Read data and return what they complete, a Fault last; then look at `is_idle` and `is_over`."""
        items = self._items = []
        if self._pieces is None:
            self._buffer = data
            self._origin = self._done = self.size_bytes
            self.is_idle = False
        else:
            self._pieces += data
            self._buffer = b""
        self.size_bytes += len(data)
        try:
            self._expat.Parse(data, False)
            if self._done == self.size_bytes:
                self._pieces = None
                self.is_idle = True
            elif not self.is_over:
                self._keep_rest()
        except StreamError as error:
            self._fail(error, self.size_bytes)
        except expat.ExpatError as error:
            position = self._expat.ErrorByteIndex
            before = position - self._origin - 2
            self._fail(stream_error(error, self._whole()[max(before, 0) : before + 3]), position)
        return items

    def _fail(self, error: StreamError, position: int) -> None:
        if self.is_over:
            return  # what follows the closing tag is nobody's business
        if self._is_text_before(position):
            error = _stray_text()
        self.is_over = True
        self._items.append(Fault.of(error))

    def _whole(self) -> bytes:
        """Return the bytes from `_origin` on."""
        if self._pieces is not None and not self._buffer:
            self._buffer = bytes(self._pieces)
        return self._buffer

    def _keep_rest(self) -> None:
        """Keep what is left of the data, if it is within the bounds."""
        if not self._depth:
            if self._is_text_before(self._expat.CurrentByteIndex):
                raise _stray_text()
            rest = self._whole()[self._done - self._origin :].lstrip(WHITESPACE)
            self._start = self.size_bytes - len(rest)
            if not rest:
                self.is_idle = True
                self._pieces = None
                return
        if self._pieces is None or self._origin != self._start:
            self._pieces = bytearray(self._whole()[self._start - self._origin :])
            self._origin = self._done = self._start
        self._buffer = b""
        limits = self._limits
        if self.size_bytes - self._start > limits.stanza_size_bytes_max:
            raise StreamError(StreamCondition.POLICY_VIOLATION, "the stanza is too long")
        if self.size_bytes - self._expat.CurrentByteIndex > limits.tag_size_bytes_max:
            raise StreamError(StreamCondition.POLICY_VIOLATION, "the tag is too long")

    # --- called by expat ---

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        depth = self._depth
        self._depth = depth + 1
        if depth == 1:
            if not self._payloads:
                self._inside = self._expat.CurrentByteIndex
            self._payloads.append(self._names[name])
        elif depth:
            self._elements += 1
            if depth >= self._limits.depth_max:
                raise StreamError(StreamCondition.POLICY_VIOLATION, "elements are nested too deeply")
        else:
            self._start = self._expat.CurrentByteIndex
            if self._start != self._done:
                self._check_between()
            self._name = name
            self._attributes = attributes
            self._payloads = []
            self._elements = 0

    def _ended(self, _name: str) -> None:
        depth = self._depth - 1
        if depth == 0:
            self._items.append(self._completed())
        elif depth < 0:
            self._start = self._expat.CurrentByteIndex
            self._check_between()
            self.is_over = True
            self._items.append(StreamEnd())
        self._depth = depth

    def _check_names(self) -> None:
        """See that the names of the payloads take no more than a stanza may: one declaration serves many elements."""
        names, size_max = self._payloads, self._limits.stanza_size_bytes_max
        if 4 * sum(map(len, names)) > size_max and sum(len(name.encode()) for name in names) > size_max:
            raise StreamError(StreamCondition.POLICY_VIOLATION, "the names of the payloads are too long")

    def _check_between(self) -> None:
        if self._whole()[self._done - self._origin : self._start - self._origin].strip(WHITESPACE):
            raise _stray_text()

    def _is_text_before(self, position: int) -> bool:
        """Whether character data stand between the last element and `position`."""
        if self._depth:
            return False
        between = self._whole()[self._done - self._origin : position - self._origin].lstrip(WHITESPACE)
        return between != b"" and not between.startswith(b"<")

    def _completed(self) -> Stanza | Element:
        """Cut out the element whose end expat has just reported."""
        buffer = self._buffer or self._whole()
        origin = self._origin
        start = self._start - origin
        end = self._expat.CurrentByteIndex - origin
        # The first '>' ends the start tag, unless text follows or it stands in a value.
        inside = buffer.find(b">", start) + 1
        if inside != (self._inside - origin if self._payloads else end):
            inside = end_of_tag(buffer, start)
        if inside == end and buffer[end - 2] == _SLASH:
            inner = b""  # an empty-element tag: expat reports its end behind it
        else:
            inner = buffer[inside:end]
            end = buffer.find(b">", end) + 1
        self._done = end + origin
        if end - start > self._limits.stanza_size_bytes_max:
            raise StreamError(StreamCondition.POLICY_VIOLATION, "the stanza is too long")
        if self._elements + len(self._payloads) > self._limits.elements_max:
            raise StreamError(StreamCondition.POLICY_VIOLATION, "the stanza has too many elements")
        if len(self._payloads) > 1:
            self._check_names()
        kind = _KINDS.get(self._name)
        if kind is None:
            return self._empty() if not inner else _tree(buffer[start:end])
        stanza = self._stanza(kind, inner)
        if buffer.find(b"stream:", start, end) >= 0 or buffer.find(b"xmlns:", start, inside) >= 0:
            _settle_prefixes(stanza, buffer[start:end])
        return stanza

    def _empty(self) -> Element:
        """An element without content, such as those that acknowledge: expat has said all about it."""
        names = self._names
        return Element(names[self._name], {names[name]: value for name, value in self._attributes.items()})

    def _stanza(self, kind: Kind, inner: bytes) -> Stanza:
        attribute = self._attributes.get
        malformed: Address | None = None
        to = sender = None
        address = attribute("from")
        if address is not None:
            try:
                sender = JID.parse(address)
            except InvalidJID:
                malformed = "from"
        address = attribute("to")
        if address is not None:
            try:
                to = JID.parse(address)
            except InvalidJID:
                malformed = "to"
        return Stanza(
            kind, attribute("type"), attribute("id"), to, sender, attribute(_LANG, self.language),
            tuple(self._payloads), inner, b"", malformed,
        )  # fmt: skip


def _stray_text() -> StreamError:
    return StreamError(StreamCondition.BAD_FORMAT, "text between stanzas")


def end_of_tag(buffer: bytes, start: int) -> int:
    """Return the position behind a tag that expat has accepted."""
    tag = _TAG.match(buffer, start)
    if tag is None:
        raise AssertionError("expat has found a tag here")
    return tag.end()


def _tree(raw: bytes) -> Element:
    (element,) = only_elements(parse_fragment(raw, declarations=_STREAM_PREFIX))
    return element


def _settle_prefixes(stanza: Stanza, raw: bytes) -> None:
    """Make a stanza's payload independent of prefixes declared around it.

    A prefix declared in the stanza's own start tag goes to `declarations`; one borrowed
    from the stream's header is refused, for the payload will travel without that header.
    """
    declared: dict[str | None, str | None] = {}
    tags: list[str] = []

    def declare(prefix: str | None, namespace: str | None) -> None:
        if len(tags) == 1:
            declared[prefix] = namespace

    parser = restricted_parser()
    parser.StartNamespaceDeclHandler = declare
    parser.StartElementHandler = lambda name, _attributes: tags.append(name)
    try:
        parser.Parse(f'<r xmlns="{namespaces.CLIENT}">'.encode() + raw, False)
    except expat.ExpatError as error:
        raise stream_error(error) from error
    if not stanza.payloads:
        return  # nothing there that could use them
    if declared.pop(None, namespaces.CLIENT) != namespaces.CLIENT:
        # The start tag has a prefix, and the default namespace inside is another.
        stanza.inner = inner_of(_tree(raw).children)
        return
    declared.pop("xml", None)
    stanza.declarations = "".join(
        f' xmlns:{prefix}="{escape_attribute(namespace or "")}"' for prefix, namespace in declared.items()
    ).encode()
