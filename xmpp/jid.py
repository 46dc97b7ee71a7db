"""JID: an address, `local@domain/resource` (RFC 7622).

Every JID in the system is in its canonical form, so that equal addresses have
equal text and `bare` and `full` can be dictionary keys as they are.
"""

import ipaddress
import re
from functools import lru_cache
from typing import Final, Never, Self

import idna
import precis_i18n

from xmpp.element import escape_attribute

PART_SIZE_BYTES_MAX: Final = 1023
"""The largest size of each part in UTF-8 (RFC 7622, sections 3.2 to 3.4)."""

CACHED_MAX: Final = 32768
CACHED_LENGTH_MAX: Final = 256
"""Only texts up to this length are cached, so that the cache's memory is bounded too."""

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
    """An address in canonical form; immutable, equal and hashed by its full form.

    Raises InvalidJID when made of parts that RFC 7622 does not allow.
    """

    __slots__ = ("bare", "domain", "escaped", "full", "local", "resource")

    local: str | None
    """Whose account, or None for the domain itself."""
    domain: str
    """Lower case, U-labels, no trailing dot; an IPv6 address stands in brackets."""
    resource: str | None
    """Which of the account's clients, or None."""
    bare: str
    """`local@domain`, or `domain`."""
    full: str
    """The whole address; the same as `bare` without a resource."""
    escaped: str
    """The whole address as it is written in an XML attribute."""

    def __init__(self, local: str | None, domain: str, resource: str | None = None) -> None:
        domain = _canonical_domain(domain)
        bare = domain
        if local is not None:
            local = _canonical_local(local)
            bare = f"{local}@{domain}"
        _fill(self, local, domain, bare, resource)

    @classmethod
    def parse(cls, text: str) -> "JID":
        """Read an address (RFC 7622, section 3.1); raise InvalidJID if it is none."""
        return _parse_cached(text) if len(text) <= CACHED_LENGTH_MAX else _parse(text)

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
        jid = JID.__new__(JID)
        _fill(jid, self.local, self.domain, self.bare, resource)
        return jid

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"cannot set {name}: a JID is immutable")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"cannot delete {name}: a JID is immutable")

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


def _fill(jid: JID, local: str | None, domain: str, bare: str, resource: str | None) -> None:
    full = bare
    if resource is not None:
        resource = _canonical_resource(resource)
        full = f"{bare}/{resource}"
    put = object.__setattr__
    put(jid, "local", local)
    put(jid, "domain", domain)
    put(jid, "resource", resource)
    put(jid, "bare", bare)
    put(jid, "full", full)
    put(jid, "escaped", escape_attribute(full))


def _parse(text: str) -> JID:
    rest, slash, resource = text.partition("/")
    local, at, domain = rest.partition("@")
    if not at:
        return JID(None, rest, resource if slash else None)
    return JID(local, domain, resource if slash else None)


_parse_cached = lru_cache(maxsize=CACHED_MAX)(_parse)


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
