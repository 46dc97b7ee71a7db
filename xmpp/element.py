"""Element: an immutable XML tree, its only writer and its only reader.

Names are in Clark's notation, `{namespace}local`.  A stanza's payload normally
stays bytes; a tree is built only where a feature needs to look inside.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final
from xml.parsers import expat

from xmpp import namespaces

LANG: Final = f"{{{namespaces.XML}}}lang"
"""The name of `xml:lang` in `Element.attributes`."""

NAMES_CACHED_MAX: Final = 4096
NAME_LENGTH_CACHED_MAX: Final = 256

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class MalformedXML(ValueError):
    """A fragment that is not well-formed, or uses something streams restrict."""


class Element:
    """One XML element; equal to another if names, attributes and children are.

    Treat it as immutable: trees are shared.  Nothing enforces that, because making
    elements is most of the work of reading a tree.
    """

    __slots__ = ("attributes", "children", "name")

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, str] = _NONE,
        children: tuple["Element | str", ...] = (),
    ) -> None:
        self.name = name
        """`{namespace}local`, or `local` alone for an element in no namespace."""
        self.attributes = attributes
        """Values by name; a prefixed attribute's name is in Clark's notation."""
        self.children = children

    @property
    def namespace(self) -> str:
        """The namespace name, or the empty string."""
        return self.name[1:].rpartition("}")[0]

    @property
    def local(self) -> str:
        """The local part of the name."""
        return self.name.rpartition("}")[2]

    @property
    def text(self) -> str:
        """The character data directly inside this element, joined."""
        return "".join(child for child in self.children if isinstance(child, str))

    @property
    def elements(self) -> "tuple[Element, ...]":
        """The child elements, without the character data between them."""
        return tuple(child for child in self.children if isinstance(child, Element))

    def get(self, attribute: str) -> str | None:
        """Return an attribute's value, or None."""
        return self.attributes.get(attribute)

    def find(self, name: str) -> "Element | None":
        """Return the first child element of that name, or None."""
        return next(self._named(name), None)

    def find_all(self, name: str) -> "tuple[Element, ...]":
        """Return the child elements of that name, in order."""
        return tuple(self._named(name))

    def _named(self, name: str) -> "Iterator[Element]":
        return (child for child in self.children if isinstance(child, Element) and child.name == name)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Element)
            and self.name == other.name
            and self.attributes == other.attributes
            and self.children == other.children
        )

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.attributes.items()), self.children))

    def __repr__(self) -> str:
        return f"Element({self.name!r}, {dict(self.attributes)!r}, {self.children!r})"


# --- writing ---------------------------------------------------------------

_ESCAPES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_SURROGATES: Final = f"{chr(0xD800)}-{chr(0xDFFF)}"
_NOT_A_CHARACTER: Final = f"\x00-\x08\x0b\x0c\x0e-\x1f{_SURROGATES}\ufffe\uffff"  # XML 1.0, section 2.2
_SPECIAL_IN_TEXT: Final = re.compile(f"[&<>\r{_NOT_A_CHARACTER}]")
_SPECIAL_IN_ATTRIBUTE: Final = re.compile(f"[&<>\"'\t\n\r{_NOT_A_CHARACTER}]")


def _escape(special: re.Match[str]) -> str:
    try:
        return _ESCAPES[special[0]]
    except KeyError:
        raise ValueError(f"U+{ord(special[0]):04X} cannot be written in XML") from None


def escape_text(text: str) -> str:
    """Return `text` as character data; raise ValueError for what XML cannot carry."""
    return _SPECIAL_IN_TEXT.sub(_escape, text)


def escape_attribute(value: str) -> str:
    """Return `value` fit for either kind of quotes; raise ValueError for what XML cannot carry."""
    return _SPECIAL_IN_ATTRIBUTE.sub(_escape, value)


def serialize(element: Element, inherited_namespace: str = "", prefixes: Mapping[str, str] = _NONE) -> bytes:
    """Write a tree; this is the only writer of XML trees.

    Args:
        element: what to write.
        inherited_namespace: the default namespace where the bytes will stand.
        prefixes: prefixes declared where the bytes will stand, by namespace name,
            such as `{STREAMS: "stream"}`.  Elements in these namespaces use them;
            all others are written with a default namespace of their own.

    Raises:
        ValueError: a text or a value has a character that XML cannot carry.

    """
    parts: list[str] = []
    _write(element, inherited_namespace, prefixes, parts)
    return "".join(parts).encode()


def _write(element: Element, inherited: str, prefixes: Mapping[str, str], parts: list[str]) -> None:
    namespace, tag = _split(element.name)
    if namespace in prefixes:
        tag = f"{prefixes[namespace]}:{tag}"
        parts.append(f"<{tag}")
    elif namespace == inherited:
        parts.append(f"<{tag}")
    else:
        parts.append(f'<{tag} xmlns="{escape_attribute(namespace)}"')
        inherited = namespace
    for name, value in element.attributes.items():
        parts.append(_attribute(name, value, prefixes, len(parts)))
    if not element.children:
        parts.append("/>")
        return
    parts.append(">")
    for child in element.children:
        if isinstance(child, str):
            parts.append(escape_text(child))
        else:
            _write(child, inherited, prefixes, parts)
    parts.append(f"</{tag}>")


def _attribute(name: str, value: str, prefixes: Mapping[str, str], number: int) -> str:
    namespace, local = _split(name)
    if not namespace:
        return f' {local}="{escape_attribute(value)}"'
    prefix = "xml" if namespace == namespaces.XML else prefixes.get(namespace)
    if prefix is not None:
        return f' {prefix}:{local}="{escape_attribute(value)}"'
    # The position in the output makes the prefix unique within the element.
    return f' xmlns:a{number}="{escape_attribute(namespace)}" a{number}:{local}="{escape_attribute(value)}"'


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition("}")
    return namespace[1:], local


# --- reading ---------------------------------------------------------------


class ClarkNames(dict[str, str]):
    """Names in Clark's notation by expat's `namespace local`: a bounded cache.

    A peer chooses names, so long ones are not kept, and a full cache starts anew.
    """

    def __missing__(self, expat_name: str) -> str:
        """Learn a name."""
        namespace, _, local = expat_name.rpartition(" ")
        name = f"{{{namespace}}}{local}" if namespace else local
        if len(expat_name) <= NAME_LENGTH_CACHED_MAX:
            if len(self) >= NAMES_CACHED_MAX:
                self.clear()
            self[expat_name] = name
        return name


_NAMES: Final = ClarkNames()
"""Of the trees that are read."""


def parse_fragment(
    inner: bytes, namespace: str = namespaces.CLIENT, declarations: bytes = b""
) -> tuple[Element | str, ...]:
    """Read what stands inside an element; this is the only reader of trees.

    The input has been validated or bounded before: depth and size are not checked.

    Args:
        inner: the bytes between a start tag and its end tag, UTF-8.
        namespace: the default namespace there.
        declarations: further namespace declarations in force there, written as in a
            start tag, such as ` xmlns:p="urn:example"`.

    Raises:
        MalformedXML: the bytes are not well-formed, or hold a DTD, an entity that is
            not predefined, a comment or a processing instruction.

    """
    tree = _TreeBuilder()
    parser = tree.parser()
    root = f'<r xmlns="{escape_attribute(namespace)}"'.encode()
    try:
        parser.Parse(b"%b%b>%b</r>" % (root, declarations, inner), True)
    except expat.ExpatError as error:
        raise MalformedXML(str(error)) from error
    return tree.children


class _TreeBuilder:
    """Expat's handlers that build the trees of one fragment."""

    __slots__ = ("_open", "children")

    def __init__(self) -> None:
        self.children: tuple[Element | str, ...] = ()
        self._open: list[tuple[str, dict[str, str], list[Element | str]]] = []

    def parser(self) -> expat.XMLParserType:
        """Return a parser that builds here; it is not kept, for that would be a cycle."""
        parser = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = self._restricted
        parser.ProcessingInstructionHandler = self._restricted
        return parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        names = _NAMES
        if attributes:
            attributes = {names[key]: value for key, value in attributes.items()}
        self._open.append((names[name], attributes, []))

    def _end(self, _name: str) -> None:
        name, attributes, children = self._open.pop()
        if self._open:
            self._open[-1][2].append(Element(name, attributes, tuple(children)))
        else:
            self.children = tuple(children)

    def _text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _restricted(self, *_arguments: object) -> None:
        raise MalformedXML("a comment or a processing instruction")
