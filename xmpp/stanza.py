"""Stanza: what entities exchange (RFC 6120, section 8).

A stanza is its start tag, understood, and its payload, as the bytes that came.
The payload's names are known; its content is read only when somebody asks.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, Self, TypedDict, Unpack

from xmpp import namespaces
from xmpp.element import Element, escape_attribute, escape_text, parse_fragment, serialize
from xmpp.errors import StanzaError
from xmpp.jid import JID

Kind = Literal["message", "presence", "iq"]
Address = Literal["to", "from"]

ERROR: Final = f"{{{namespaces.CLIENT}}}error"
"""The name of the payload of a stanza of type `error`."""

_PLAIN: Final = frozenset(
    {
        "get", "set", "result", "error",
        "chat", "groupchat", "headline", "normal",
        "unavailable", "probe", "subscribe", "subscribed", "unsubscribe", "unsubscribed",
    }
)  # fmt: skip
"""Values of `type` that need no escaping."""
_AFTER_TAG_NAME: Final = {b"<m": 8, b"<p": 9, b"<i": 3}
_NAMESPACE: Final = f' xmlns="{namespaces.CLIENT}"'.encode()


class Changes(TypedDict, total=False):
    """The slots that `Stanza.copy` can replace."""

    kind: Kind
    type: str | None
    id: str | None
    to: JID | None
    sender: JID | None
    lang: str | None
    payloads: tuple[str, ...]
    inner: bytes
    declarations: bytes
    malformed: Address | None


class Stanza:
    """A message, a presence or an iq.

    Not frozen, because one is made for every stanza that comes in; its owner may change
    it, others copy it.  Whoever changes `inner` keeps `payloads` in step: use `append`
    and `remove`.
    """

    __slots__ = (
        "_elements", "declarations", "id", "inner", "kind", "lang",
        "malformed", "payloads", "sender", "to", "type",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917  the parts of a stanza
        self,
        kind: Kind,
        type: str | None = None,
        id: str | None = None,
        to: JID | None = None,
        sender: JID | None = None,
        lang: str | None = None,
        payloads: tuple[str, ...] = (),
        inner: bytes = b"",
        declarations: bytes = b"",
        malformed: Address | None = None,
    ) -> None:
        """Make a stanza of parts that fit together; see `build` for making one of elements."""
        self.kind = kind
        """The name of the element."""
        self.type = type
        """The `type` as it came; None if it was left out."""
        self.id = id
        self.to = to
        self.sender = sender
        """The `from`; what a client claims until the server has stamped it."""
        self.lang = lang
        """The `xml:lang`, its own or the stream's."""
        self.payloads = payloads
        """The names of the child elements, in order, in Clark's notation."""
        self.inner = inner
        """What stands between start tag and end tag, in scope of `jabber:client`."""
        self.declarations = declarations
        """Prefixes that `inner` uses without declaring: ` xmlns:p="..."`; nearly always empty."""
        self.malformed = malformed
        """The address that was there but is none; its slot is then None."""
        self._elements: tuple[Element, ...] | None = None

    @classmethod
    def build(
        cls,
        kind: Kind,
        *payload: Element,
        type: str | None = None,
        id: str | None = None,
        to: JID | None = None,
        sender: JID | None = None,
        lang: str | None = None,
    ) -> Self:
        """Make a stanza of elements; raise ValueError for text that XML cannot carry."""
        stanza = cls(kind, type, id, to, sender, lang)
        stanza.append(*payload)
        return stanza

    def render(self) -> bytes:
        """Return the stanza as it stands in a stream whose default namespace is `jabber:client`."""
        kind = self.kind
        start = "<" + kind
        if self.type is not None:
            start += f' type="{self.type if self.type in _PLAIN else escape_attribute(self.type)}"'
        if self.id is not None:
            start += f' id="{self.id if self.id.isalnum() else escape_attribute(self.id)}"'
        if self.to is not None:
            start += f' to="{self.to.escaped}"'
        if self.sender is not None:
            start += f' from="{self.sender.escaped}"'
        if self.lang is not None:
            start += f' xml:lang="{self.lang if self.lang.isalnum() else escape_attribute(self.lang)}"'
        if not self.inner:
            return (start + "/>").encode()
        if self.declarations:
            return b"%b%b>%b</%b>" % (start.encode(), self.declarations, self.inner, kind.encode())
        return b"%b>%b</%b>" % (start.encode(), self.inner, kind.encode())

    def elements(self) -> tuple[Element, ...]:
        """Return the payload as trees; read once, then kept."""
        if self._elements is None:
            self._elements = only_elements(parse_fragment(self.inner, declarations=self.declarations))
        return self._elements

    def find(self, name: str) -> Element | None:
        """Return the first payload of that name, or None."""
        if name not in self.payloads:
            return None
        return next(element for element in self.elements() if element.name == name)

    def append(self, *elements: Element) -> None:
        """Add payloads at the end; raise ValueError for text that XML cannot carry."""
        for element in elements:
            self.append_rendered(element.name, serialize(element, namespaces.CLIENT))

    def append_rendered(self, name: str, element: bytes) -> None:
        """Add one payload that is written already, as it stands in scope of `jabber:client`."""
        self.inner += element
        self.payloads += (name,)
        self._elements = None

    def remove(self, unwanted: Callable[[Element], bool]) -> None:
        """Drop the payloads for which `unwanted` says so."""
        kept = parse_fragment(self.inner, declarations=self.declarations)
        kept = tuple(child for child in kept if isinstance(child, str) or not unwanted(child))
        self.inner, self.declarations = inner_of(kept), b""
        self._elements = only_elements(kept)
        self.payloads = tuple(element.name for element in self._elements)

    def copy(self, **changes: Unpack[Changes]) -> "Stanza":
        """Return a copy with some slots replaced."""
        copied = Stanza(
            self.kind, self.type, self.id, self.to, self.sender, self.lang,
            self.payloads, self.inner, self.declarations, self.malformed,
        )  # fmt: skip
        for name, value in changes.items():
            setattr(copied, name, value)
        return copied

    def result(self, *payload: Element) -> "Stanza":
        """Return the answer to this iq request (RFC 6120, section 8.2.3)."""
        return Stanza.build("iq", *payload, type="result", id=self.id, to=self.sender, sender=self.to)

    def error(self, error: StanzaError) -> "Stanza":
        """Return this stanza sent back with an error (RFC 6120, section 8.3.1).

        A stanza of type `error` or `result` must not be answered with an error: the
        caller sees to that.
        """
        answer = self.copy(type="error", to=self.sender, sender=self.to, malformed=None)
        answer.append(error.element())
        return answer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stanza) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]  # a stanza can change

    def _said(self) -> tuple[object, ...]:
        return (
            self.kind, self.type, self.id, self.to, self.sender, self.lang,
            self.payloads, self.inner, self.declarations, self.malformed,
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"Stanza({self.kind} type={self.type!r} id={self.id!r} to={self.to!s} "
            f"from={self.sender!s} payloads={self.payloads!r})"
        )


def with_namespace(rendered: bytes) -> bytes:
    """Return a rendered stanza that declares its namespace, to stand alone or inside others.

    So RFC 7395 wants it in a WebSocket message, and XEP-0297 in `<forwarded/>`.
    """
    position = _AFTER_TAG_NAME[rendered[:2]]
    return rendered[:position] + _NAMESPACE + rendered[position:]


def with_payload(rendered: bytes, payload: bytes) -> bytes:
    """Return a rendered stanza with one more payload, written as it stands in scope of `jabber:client`.

    The stanza must have a payload already: it must not be an empty-element tag.
    """
    end = rendered.rindex(b"</")
    return b"%b%b%b" % (rendered[:end], payload, rendered[end:])


def with_recipient(rendered: bytes, to: JID) -> bytes:
    """Return a rendered stanza that has no `to`, addressed: for one that goes to many."""
    position = _AFTER_TAG_NAME[rendered[:2]]
    return b'%b to="%b"%b' % (rendered[:position], to.escaped.encode(), rendered[position:])


def inner_of(children: Iterable[Element | str]) -> bytes:
    """Write what a stanza contains."""
    return b"".join(
        escape_text(child).encode() if isinstance(child, str) else serialize(child, namespaces.CLIENT)
        for child in children
    )


def only_elements(children: Iterable[Element | str]) -> tuple[Element, ...]:
    """Leave out the character data."""
    return tuple(child for child in children if isinstance(child, Element))
