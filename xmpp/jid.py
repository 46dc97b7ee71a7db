"""JID: an address, `local@domain/resource` (RFC 7622).

Every JID in the system is in its canonical form, so that equal addresses have
equal text and `bare` and `full` can be dictionary keys as they are.
"""

import ipaddress
import re
from typing import Final, Self

import idna
import precis_i18n

from xmpp.element import escape_attribute

PART_SIZE_BYTES_MAX: Final = 1023
"""The largest size of each part in UTF-8 (RFC 7622, sections 3.2 to 3.4)."""

CACHED_MAX: Final = 32768
CACHED_LENGTH_MAX: Final = 256
"""Only texts up to this length are cached, so that the cache's memory is bounded too."""

_known: Final[dict[str, "JID"]] = {}

_ASCII_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%()*+,\-.;=?\[\\\]^_`{|}~]{1,1023}")
_ASCII_RESOURCE: Final = re.compile(r"[ -~]{1,1023}")
_ASCII_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ASCII_DOMAIN: Final = re.compile(rf"(?!(?i:.*xn--))(?=.{{1,1023}}\Z){_ASCII_LABEL}(?:\.{_ASCII_LABEL})*")
_FORBIDDEN_IN_LOCAL: Final = re.compile("[\"&'/:<>@]")  # RFC 7622, section 3.3.1
_USERNAME: Final = precis_i18n.get_profile("UsernameCaseMapped")
_OPAQUE: Final = precis_i18n.get_profile("OpaqueString")


class InvalidJID(ValueError):
    """A text is not an address; the message says which part is at fault."""


class JID:
    """An address in canonical form, equal and hashed by its full form; the type checker sees to it that none changes.

    Raises InvalidJID when made of parts that RFC 7622 does not allow.
    """

    __slots__ = ("bare", "domain", "escaped", "full", "local", "resource")

    def __init__(self, local: str | None, domain: str, resource: str | None = None) -> None:
        self.domain: Final = _canonical_domain(domain)
        """Lower case, U-labels, no trailing dot; an IPv6 address stands in brackets."""
        self.local: Final = None if local is None else _canonical_local(local)
        """Whose account, or None for the domain itself."""
        self.resource: Final = None if resource is None else _canonical_resource(resource)
        """Which of the account's clients, or None."""
        self.bare: Final = self.domain if self.local is None else f"{self.local}@{self.domain}"
        """`local@domain`, or `domain`."""
        self.full: Final = self.bare if self.resource is None else f"{self.bare}/{self.resource}"
        """The whole address; the same as `bare` without a resource."""
        self.escaped: Final = escape_attribute(self.full)
        """The whole address as it is written in an XML attribute."""

    @classmethod
    def parse(cls, text: str) -> "JID":
        """Read an address (RFC 7622, section 3.1); raise InvalidJID if it is none."""
        known = _known.get(text)
        if known is None:
            known = _parse(text)
            if len(text) <= CACHED_LENGTH_MAX:
                if len(_known) >= CACHED_MAX:
                    _known.clear()  # on the way of every stanza, to count who was used last would cost more
                _known[text] = known
        return known

    @property
    def is_bare(self) -> bool:
        """Whether there is no resource."""
        return self.resource is None

    @property
    def bare_jid(self) -> "JID":
        """The address without its resource."""
        return self if self.resource is None else JID.parse(self.bare)

    def with_resource(self, resource: str) -> "JID":
        """Return the address of one client of this account; raise InvalidJID for a bad resource."""
        return JID(self.local, self.domain, resource)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JID) and self.full == other.full

    def __hash__(self) -> int:
        return hash(self.full)

    def __str__(self) -> str:
        return self.full

    def __repr__(self) -> str:
        return f"JID({self.full!r})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> "tuple[object, tuple[str]]":
        return JID.parse, (self.full,)


def _parse(text: str) -> JID:
    rest, slash, resource = text.partition("/")
    local, at, domain = rest.partition("@")
    if not at:
        return JID(None, rest, resource if slash else None)
    return JID(local, domain, resource if slash else None)


def _canonical_local(local: str) -> str:
    """RFC 7622, section 3.3."""
    if _ASCII_LOCAL.fullmatch(local):
        return local.lower()
    canonical = _enforce(_USERNAME, local, "local part")
    if _FORBIDDEN_IN_LOCAL.search(canonical):
        raise InvalidJID("the local part has a character that is reserved")
    return canonical


def _canonical_resource(resource: str) -> str:
    """RFC 7622, section 3.4."""
    if _ASCII_RESOURCE.fullmatch(resource):
        return resource
    return _enforce(_OPAQUE, resource, "resource")


def _enforce(profile: precis_i18n.profile.Profile, text: str, part: str) -> str:
    if not text or len(text) > PART_SIZE_BYTES_MAX:
        raise InvalidJID(f"the {part} is empty or too long")
    try:
        canonical: str = profile.enforce(text)
        stable = canonical == text or profile.enforce(canonical) == canonical
    except UnicodeError as error:
        raise InvalidJID(f"the {part} has characters that are not allowed") from error
    if not stable:
        raise InvalidJID(f"the {part} has no stable form")
    return _bounded(canonical, part)


def _canonical_domain(domain: str) -> str:
    """RFC 7622, section 3.2."""
    domain = domain.removesuffix(".")
    if _ASCII_DOMAIN.fullmatch(domain):
        return domain.lower()
    if domain.startswith("["):
        return _canonical_ip_literal(domain)
    if not domain or len(domain) > PART_SIZE_BYTES_MAX:
        raise InvalidJID("the domain is empty or too long")
    try:
        a_labels = idna.encode(domain, strict=True, uts46=True, std3_rules=True)
        canonical = idna.decode(a_labels, strict=True)
    except UnicodeError as error:
        raise InvalidJID("the domain is not a valid name") from error
    return _bounded(canonical, "domain")


def _canonical_ip_literal(domain: str) -> str:
    if not domain.endswith("]") or "%" in domain:  # a zone means something on one host only
        raise InvalidJID("the domain is not a valid IP address")
    try:
        return f"[{ipaddress.IPv6Address(domain[1:-1])}]"
    except ValueError as error:
        raise InvalidJID("the domain is not a valid IP address") from error


def _bounded(part: str, name: str) -> str:
    if len(part.encode()) > PART_SIZE_BYTES_MAX:
        raise InvalidJID(f"the {name} is too long")
    return part
