import pytest

from tests.support.streams import ENCRYPTED, PLAINTEXT, UNBOUND, server_policy, server_settings
from xmpp import namespaces
from xmpp.element import Element, serialize
from xmpp.errors import StreamCondition
from xmpp.items import StreamHeader
from xmpp.negotiation import (
    SASL,
    SASL_INSIDE_TLS,
    SESSION_FEATURES,
    STARTTLS,
    FeaturesSeen,
    Progress,
    ServerSettings,
    StreamFeature,
    address_of,
    features_of,
    header_problem,
)
from xmpp.sasl import TransportFacts
from xmpp.sasl.client import Offer

NOTHING, ENCRYPTED_ONLY, AUTHENTICATED_ONLY = Progress.NOTHING, Progress.ENCRYPTED, Progress.AUTHENTICATED
BOTH = Progress.ENCRYPTED | Progress.AUTHENTICATED


@pytest.mark.parametrize(
    ("feature", "open_at"),
    [
        (STARTTLS, {NOTHING}),
        (SASL, {NOTHING, ENCRYPTED_ONLY}),
        (SASL_INSIDE_TLS, {ENCRYPTED_ONLY}),
        (SESSION_FEATURES, {AUTHENTICATED_ONLY, BOTH}),
    ],
)
def test_the_order_follows_from_what_is_necessary_and_prohibited(
    feature: StreamFeature, open_at: set[Progress]
) -> None:
    assert {
        progress for progress in (NOTHING, ENCRYPTED_ONLY, AUTHENTICATED_ONLY, BOTH) if feature.is_open_at(progress)
    } == (open_at)


def names(
    settings: ServerSettings, facts: TransportFacts, progress: Progress, *, has_starttls: bool = True
) -> list[str]:
    return [element.local for element in features_of(settings, facts, progress, has_starttls=has_starttls)]


def test_only_tls_is_offered_first() -> None:
    (starttls,) = features_of(server_settings(), PLAINTEXT, NOTHING, has_starttls=True)
    assert serialize(starttls) == b'<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"><required/></starttls>'


def test_optional_tls_is_offered_beside_sasl() -> None:
    settings = server_settings(requires_tls=False)
    starttls, mechanisms = features_of(settings, PLAINTEXT, NOTHING, has_starttls=True)
    assert starttls.elements == ()
    assert [name.text for name in mechanisms.elements] == ["SCRAM-SHA-256", "SCRAM-SHA-1"]


@pytest.mark.parametrize(
    ("changes", "facts", "has_starttls", "expected"),
    [
        ({}, ENCRYPTED, True, ["mechanisms", "sasl-channel-binding"]),
        ({}, UNBOUND, True, ["mechanisms"]),
        ({}, PLAINTEXT, False, []),
        ({"has_tls": False}, PLAINTEXT, True, []),
        ({"has_tls": False, "requires_tls": False}, PLAINTEXT, True, ["mechanisms"]),
        ({"requires_tls": False}, PLAINTEXT, False, ["mechanisms"]),
        ({"requires_tls": False, "authentication": server_policy(hash_names=())}, PLAINTEXT, True, ["starttls"]),
    ],
)
def test_what_is_offered_before_authentication(
    changes: dict[str, object], facts: TransportFacts, has_starttls: bool, expected: list[str]
) -> None:
    progress = ENCRYPTED_ONLY if facts.is_encrypted else NOTHING
    assert names(server_settings(**changes), facts, progress, has_starttls=has_starttls) == expected


def test_what_is_offered_after_authentication() -> None:
    versioning = Element(f"{{{namespaces.ROSTER_VERSIONING}}}ver")
    assert names(server_settings(features=(versioning,)), ENCRYPTED, BOTH) == ["bind", "session", "sm", "ver"]
    assert names(server_settings(has_management=False), ENCRYPTED, BOTH) == ["bind", "session"]


def test_a_client_reads_what_a_server_offers() -> None:
    def seen(facts: TransportFacts, progress: Progress, **changes: object) -> FeaturesSeen:
        children = features_of(server_settings(**changes), facts, progress, has_starttls=True)
        return FeaturesSeen.from_element(Element(f"{{{namespaces.STREAMS}}}features", {}, children))

    assert seen(PLAINTEXT, NOTHING) == FeaturesSeen(has_starttls=True, has_management=False, offer=Offer(()))
    assert seen(ENCRYPTED, BOTH) == FeaturesSeen(has_starttls=False, has_management=True, offer=Offer(()))
    assert seen(ENCRYPTED, ENCRYPTED_ONLY).offer == Offer(
        ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"),
        ("tls-exporter", "tls-server-end-point"),
    )


def test_a_binding_without_a_type_is_no_obstacle() -> None:
    binding = Element(f"{{{namespaces.CHANNEL_BINDING}}}channel-binding")
    announced = Element(f"{{{namespaces.CHANNEL_BINDING}}}sasl-channel-binding", {}, (binding,))
    features = Element(f"{{{namespaces.STREAMS}}}features", {}, (announced,))
    assert FeaturesSeen.from_element(features).offer == Offer((), ("",))


@pytest.mark.parametrize(
    ("text", "address"),
    [(None, None), ("Anna@Corp.example", "anna@corp.example"), ("@", None), ("", None)],
)
def test_an_address_is_brought_into_canonical_form(text: str | None, address: str | None) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize(
    ("to", "version", "problem"),
    [
        ("corp.example", "1.0", None),
        ("Corp.Example.", "1.1", None),
        (None, "2.0", None),
        ("corp.example", None, StreamCondition.UNSUPPORTED_VERSION),
        ("corp.example", "0.9", StreamCondition.UNSUPPORTED_VERSION),
        ("corp.example", "", StreamCondition.UNSUPPORTED_VERSION),
        ("corp.example", "one", StreamCondition.UNSUPPORTED_VERSION),
        ("corp.example", "\u0661.0", StreamCondition.UNSUPPORTED_VERSION),
        ("other.example", "1.0", StreamCondition.HOST_UNKNOWN),
        ("anna@corp.example", "1.0", StreamCondition.HOST_UNKNOWN),
        ("", "1.0", StreamCondition.HOST_UNKNOWN),
    ],
)
def test_headers_a_server_accepts(to: str | None, version: str | None, problem: StreamCondition | None) -> None:
    assert header_problem(StreamHeader(to=to, version=version), "corp.example") is problem
