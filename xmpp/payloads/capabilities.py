"""Entity capabilities (XEP-0115): a hash that stands for an answer to disco#info."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from xmpp import namespaces
from xmpp.element import Element
from xmpp.payloads.data_form import FORM_TYPE, Form
from xmpp.payloads.disco import Info

NAME: Final = f"{{{namespaces.CAPABILITIES}}}c"
HASH: Final = "sha-1"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an entity says of its software, in presence or in stream features."""

    node: str
    """Which software, a URI."""
    ver: str
    """The hash."""
    hash: str = HASH
    """How it was made."""

    @property
    def info_node(self) -> str:
        """The node to ask disco#info of."""
        return f"{self.node}#{self.ver}"

    def element(self) -> Element:
        """Return `<c/>`."""
        return Element(NAME, {"hash": self.hash, "node": self.node, "ver": self.ver})


def verification_string(info: Info) -> str:
    """Return the hash of an answer to disco#info (section 5.1), base64 of SHA-1.

    Forms without a hidden `FORM_TYPE` do not count (section 5.4).
    """
    said = [
        *("/".join(each) for each in _sorted_identities(info)),
        *_sorted(info.features),
    ]
    typed = [(form.form_type, form) for form in info.forms if form.form_type is not None]
    for form_type, form in sorted(typed, key=lambda pair: pair[0].encode()):
        said.append(form_type)
        said.extend(_fields(form))
    text = "".join(f"{each}<" for each in said)
    # The hash names an answer; it guards nothing, and the specification fixes the algorithm.
    return b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _fields(form: Form) -> Iterable[str]:
    for field in sorted(form.fields, key=lambda field: field.var.encode()):
        if field.var != FORM_TYPE:
            yield field.var
            yield from _sorted(field.values)


def _sorted_identities(info: Info) -> list[tuple[str, ...]]:
    said = [(each.category, each.type, each.lang, each.name) for each in info.identities]
    return sorted(said, key=lambda parts: [part.encode() for part in parts])


def _sorted(texts: Iterable[str]) -> list[str]:
    """Sort by octets (RFC 4790, `i;octet`)."""
    return sorted(texts, key=str.encode)
