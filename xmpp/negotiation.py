"""Which stream features there are, and when each may be offered and taken up (RFC 6120 section 4.3).

Rule: a feature says which progress it needs and which rules it out; the order of TLS, SASL and binding follows.
Another carrier of authentication (XEP-0388) is one more feature beside SASL that needs and rules out the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Flag, auto

from xmpp import namespaces
from xmpp.element import LANG, Element
from xmpp.errors import StreamCondition
from xmpp.items import StreamHeader
from xmpp.jid import JID, InvalidJID
from xmpp.sasl.client import Offer
from xmpp.sasl.mechanisms import TransportFacts, offered
from xmpp.sasl.server import ServerPolicy


class Progress(Flag):
    """What a stream has reached."""

    NOTHING = 0
    ENCRYPTED = auto()
    AUTHENTICATED = auto()


@dataclass(frozen=True, slots=True)
class StreamFeature:
    """One thing to negotiate."""

    necessary: Progress
    prohibited: Progress

    def is_open_at(self, progress: Progress) -> bool:
        """Whether it may be offered, and taken up, now."""
        return self.necessary in progress and not self.prohibited & progress


STARTTLS = StreamFeature(Progress.NOTHING, Progress.ENCRYPTED | Progress.AUTHENTICATED)
SASL = StreamFeature(Progress.NOTHING, Progress.AUTHENTICATED)
SASL_INSIDE_TLS = StreamFeature(Progress.ENCRYPTED, Progress.AUTHENTICATED)
SESSION_FEATURES = StreamFeature(Progress.AUTHENTICATED, Progress.NOTHING)
"""Binding, and everything that is offered beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What all server streams of a listener share."""

    authentication: ServerPolicy
    """Also says which domain is served."""

    token: Callable[[], str]
    """Source of unguessable text, fresh at each call, printable ASCII without a comma: stream ids and nonces."""

    has_tls: bool = True
    """Whether STARTTLS can be done on this listener."""

    requires_tls: bool = True
    """Whether nothing else is offered before the connection is encrypted."""

    has_management: bool = True
    """Whether XEP-0198 is offered."""

    features: tuple[Element, ...] = ()
    """Further elements announced after authentication, such as roster versioning and entity capabilities."""

    sasl_attempts_max: int = 5
    """Failed attempts after which the stream is closed (RFC 6120 section 6.4.5)."""

    pipelined_items_max: int = 256
    """How much a client may send ahead while an answer is awaited."""

    language: str = "en"
    """Of texts the server writes itself."""


def _named(namespace: str, local: str, *children: Element | str, **attributes: str) -> Element:
    return Element(f"{{{namespace}}}{local}", attributes, children)


BIND_FEATURE = _named(namespaces.BIND, "bind")
SESSION_FEATURE = _named(namespaces.SESSION, "session", _named(namespaces.SESSION, "optional"))
"""COMPAT(clients of RFC 3921): they ask for a session, where nothing needs one any more."""
MANAGEMENT_FEATURE = _named(namespaces.STREAM_MANAGEMENT, "sm")


def mechanisms_of(settings: ServerSettings, facts: TransportFacts) -> tuple[str, ...]:
    """The SASL mechanisms offered on such a connection."""
    policy = settings.authentication
    return offered(facts, policy.hash_names, offers_plain=policy.offers_plain)


def features_of(
    settings: ServerSettings, facts: TransportFacts, progress: Progress, *, has_starttls: bool
) -> tuple[Element, ...]:
    """What `<stream:features/>` holds; empty if this stream can go no further."""
    if SESSION_FEATURES.is_open_at(progress):
        management = (MANAGEMENT_FEATURE,) if settings.has_management else ()
        return (BIND_FEATURE, SESSION_FEATURE, *management, *settings.features)
    elements: list[Element] = []
    if has_starttls and settings.has_tls and STARTTLS.is_open_at(progress):
        required = (_named(namespaces.TLS, "required"),) if settings.requires_tls else ()
        elements.append(_named(namespaces.TLS, "starttls", *required))
    if sasl_of(settings).is_open_at(progress):
        elements += _sasl_elements(mechanisms_of(settings, facts), facts.bindings)
    return tuple(elements)


def sasl_of(settings: ServerSettings) -> StreamFeature:
    """SASL, as the settings allow it."""
    return SASL_INSIDE_TLS if settings.requires_tls else SASL


def _sasl_elements(mechanisms: tuple[str, ...], bindings: Mapping[str, bytes]) -> list[Element]:
    if not mechanisms:
        return []
    names = (_named(namespaces.SASL, "mechanism", name) for name in mechanisms)
    elements = [_named(namespaces.SASL, "mechanisms", *names)]
    if bindings:
        types = (_named(namespaces.CHANNEL_BINDING, "channel-binding", type=name) for name in bindings)
        elements.append(_named(namespaces.CHANNEL_BINDING, "sasl-channel-binding", *types))
    return elements


def address_of(text: str | None) -> str | None:
    """An address in a stream header in its canonical form; None if there is none."""
    if text is None:
        return None
    try:
        return JID.parse(text).full
    except InvalidJID:
        return None


def header_attributes(settings: ServerSettings, to: str | None) -> dict[str, str]:
    """What a server's header says, with a fresh stream id (RFC 6120 section 4.7)."""
    attributes = {"from": settings.authentication.domain, "id": settings.token(), "version": "1.0"}
    attributes[LANG] = settings.language
    return attributes if to is None else attributes | {"to": to}


def header_problem(header: StreamHeader, domain: str) -> StreamCondition | None:
    """What keeps a server of `domain` from accepting a client's header (RFC 6120 section 4.7)."""
    major = (header.version or "0").partition(".")[0]
    if not major.isascii() or not major.isdigit() or not major.strip("0"):
        return StreamCondition.UNSUPPORTED_VERSION
    # COMPAT(simple bots): without `to` they can only mean the one domain that is here.
    if header.to is not None and address_of(header.to) != domain:
        return StreamCondition.HOST_UNKNOWN
    return None


@dataclass(frozen=True, slots=True)
class FeaturesSeen:
    """What a client reads from `<stream:features/>`."""

    has_starttls: bool
    has_management: bool
    offer: Offer

    @classmethod
    def from_element(cls, features: Element) -> "FeaturesSeen":
        """Read `<stream:features/>`; what is not known is left out."""
        mechanisms = _children(features, f"{{{namespaces.SASL}}}mechanisms", f"{{{namespaces.SASL}}}mechanism")
        types = _children(
            features,
            f"{{{namespaces.CHANNEL_BINDING}}}sasl-channel-binding",
            f"{{{namespaces.CHANNEL_BINDING}}}channel-binding",
        )
        return cls(
            has_starttls=features.find(f"{{{namespaces.TLS}}}starttls") is not None,
            has_management=features.find(MANAGEMENT_FEATURE.name) is not None,
            offer=Offer(
                tuple(mechanism.text.strip() for mechanism in mechanisms),
                tuple(binding.get("type") or "" for binding in types),
            ),
        )


def _children(parent: Element, name: str, child: str) -> tuple[Element, ...]:
    element = parent.find(name)
    return () if element is None else element.find_all(child)
