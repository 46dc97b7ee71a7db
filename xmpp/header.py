"""The stream header: XML declaration and opening tag (RFC 6120, sections 4.7, 4.8, 11.5, 11.6)."""

from typing import Final
from xml.parsers import expat

from xmpp import namespaces
from xmpp.cutter import Limits, end_of_tag
from xmpp.errors import StreamCondition, StreamError
from xmpp.items import StreamHeader
from xmpp.restrictions import restricted_parser, stream_error

_UTF_8: Final = frozenset({"utf-8", "utf8"})
_UTF_16_MARKS: Final = (b"\xfe\xff", b"\xff\xfe")
_LANG: Final = f"{namespaces.XML} lang"


class _Found(Exception):
    pass


class HeaderReader:
    """Reads one stream header."""

    __slots__ = ("_attributes", "_data", "_limits", "_name", "_namespaces", "_parser", "_position", "rest")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._data = bytearray()
        self._parser: expat.XMLParserType | None = None
        self._namespaces: dict[str | None, str | None] = {}
        self._name = ""
        self._attributes: dict[str, str] = {}
        self._position = 0
        self.rest = b""
        """What came behind the header."""

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has come yet."""
        return not self._data

    def feed(self, data: bytes) -> StreamHeader | None:
        """Read on; return the header once it is complete; raise StreamError if it is none."""
        self._data += data
        if len(self._data) < 2:
            return None  # two bytes show the encoding; expat would believe them, too
        if self._data.startswith(_UTF_16_MARKS) or 0 in self._data[:2]:
            raise StreamError(StreamCondition.UNSUPPORTED_ENCODING, "only UTF-8 is supported")
        parser = self._parser
        if parser is None:
            parser = self._parser = self._listening()
            data = bytes(self._data)
        try:
            parser.Parse(data, False)
        except _Found:
            self.discard()
            return self._header()
        except expat.ExpatError as error:
            raise stream_error(error) from error
        if len(self._data) > self._limits.tag_size_bytes_max:
            raise StreamError(StreamCondition.POLICY_VIOLATION, "the stream header is too long")
        return None

    def discard(self) -> None:
        """Let go of the parser: it and this object refer to each other."""
        self._parser = None

    def _listening(self) -> expat.XMLParserType:
        parser = restricted_parser()
        parser.XmlDeclHandler = _check_declaration
        parser.StartNamespaceDeclHandler = self._namespaces.__setitem__
        parser.StartElementHandler = self._start
        return parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._parser is not None:
            self._position = self._parser.CurrentByteIndex
        self._name = name
        self._attributes = attributes
        raise _Found

    def _header(self) -> StreamHeader:
        data = bytes(self._data)
        end = end_of_tag(data, self._position)
        raw = data[self._position : end]
        self.rest = data[end:]
        self._data.clear()
        self._check_names(raw)
        attribute = self._attributes.get
        return StreamHeader(
            to=attribute("to"),
            sender=attribute("from"),
            version=attribute("version"),
            id=attribute("id"),
            lang=attribute(_LANG),
            raw=raw,
        )

    def _check_names(self, raw: bytes) -> None:
        namespace, _, local = self._name.rpartition(" ")
        if namespace != namespaces.STREAMS:
            raise StreamError(StreamCondition.INVALID_NAMESPACE, "not the stream namespace")
        if local != "stream" or raw.endswith(b"/>"):
            raise StreamError(StreamCondition.BAD_FORMAT, "not the beginning of a stream")
        if not raw.startswith(b"<stream:"):
            raise StreamError(StreamCondition.BAD_NAMESPACE_PREFIX, "the prefix must be 'stream'")
        if self._namespaces.get(None) != namespaces.CLIENT:
            raise StreamError(StreamCondition.INVALID_NAMESPACE, "the content namespace must be 'jabber:client'")


def _check_declaration(version: str, encoding: str | None, _standalone: int) -> None:
    if version != "1.0":
        raise StreamError(StreamCondition.NOT_WELL_FORMED, "only XML 1.0 is supported")
    if encoding is not None and encoding.lower() not in _UTF_8:
        raise StreamError(StreamCondition.UNSUPPORTED_ENCODING, "only UTF-8 is supported")
