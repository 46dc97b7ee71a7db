"""Result set management (XEP-0059): asking for, and describing, one page of a result."""

from dataclasses import dataclass
from typing import Final

from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError

NAME: Final = f"{{{namespaces.RESULT_SET}}}set"
COUNT_MAX: Final = 2**31 - 1

_DIGITS_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page is wanted."""

    limit: int | None = None
    """`<max/>`: how many items at most; 0 asks for the count alone."""
    after: str | None = None
    """The page that follows this item."""
    before: str | None = None
    """The page that precedes this item; empty means the last page."""
    index: int | None = None
    """The page that begins at this position."""

    def element(self) -> Element:
        """Return `<set/>`."""
        return _set(
            _child("max", self.limit),
            _child("after", self.after),
            _child("before", self.before),
            _child("index", self.index),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which page was given."""

    first: str | None = None
    """The id of the first item; None if the page is empty."""
    last: str | None = None
    """The id of the last item."""
    first_index: int | None = None
    """The position of the first item in the whole result."""
    count: int | None = None
    """How many items the whole result has."""

    def element(self) -> Element:
        """Return `<set/>`."""
        index = {} if self.first_index is None else {"index": str(self.first_index)}
        return _set(
            _child("first", self.first, index),
            _child("last", self.last),
            _child("count", self.count),
        )


def read_request(element: Element) -> PageRequest:
    """Read the `<set/>` of a request; raise StanzaError (`bad-request`) for numbers that are none."""
    return PageRequest(
        limit=_number(_text(element, "max")),
        after=_text(element, "after"),
        before=_text(element, "before"),
        index=_number(_text(element, "index")),
    )


def read_page(element: Element) -> Page:
    """Read the `<set/>` of a result; raise StanzaError (`bad-request`) for numbers that are none."""
    first = element.find(f"{{{namespaces.RESULT_SET}}}first")
    return Page(
        first=None if first is None else first.text,
        last=_text(element, "last"),
        first_index=None if first is None else _number(first.get("index")),
        count=_number(_text(element, "count")),
    )


def _set(*children: Element | None) -> Element:
    return Element(NAME, children=tuple(child for child in children if child is not None))


def _child(local: str, value: str | int | None, attributes: dict[str, str] | None = None) -> Element | None:
    if value is None:
        return None
    text = str(value)
    return Element(f"{{{namespaces.RESULT_SET}}}{local}", attributes or {}, (text,) if text else ())


def _text(element: Element, local: str) -> str | None:
    child = element.find(f"{{{namespaces.RESULT_SET}}}{local}")
    return None if child is None else child.text


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise StanzaError(StanzaCondition.BAD_REQUEST, text="not a number of XEP-0059")
    return min(int(text), COUNT_MAX)
