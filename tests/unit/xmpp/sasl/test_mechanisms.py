import base64
import hashlib

from xmpp.sasl import TransportFacts, offered
from xmpp.sasl.mechanisms import SCRAM_MECHANISMS, downgrade_hash, strongest_binding

BOUND = TransportFacts(is_encrypted=True, bindings={"tls-server-end-point": b"x"})


def test_the_strongest_mechanism_comes_first() -> None:
    assert offered(BOUND, ("SHA-1", "SHA-256"), offers_plain=True) == (
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-1",
        "PLAIN",
    )


def test_plus_needs_a_binding() -> None:
    names = offered(TransportFacts(is_encrypted=True), ("SHA-256", "SHA-1"), offers_plain=True)
    assert names == ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")


def test_plain_is_never_offered_in_the_clear() -> None:
    assert "PLAIN" not in offered(TransportFacts(), ("SHA-256",), offers_plain=True)


def test_plain_can_be_switched_off() -> None:
    assert "PLAIN" not in offered(BOUND, ("SHA-256",), offers_plain=False)


def test_only_hashes_with_verifiers_are_offered() -> None:
    assert offered(TransportFacts(), ("SHA-512",), offers_plain=False) == ("SCRAM-SHA-512",)


def test_every_name_is_registered_under_itself() -> None:
    assert [mechanism.name for mechanism in SCRAM_MECHANISMS.values()] == list(SCRAM_MECHANISMS)


def test_a_client_prefers_the_exporter() -> None:
    both = {"tls-server-end-point": b"e", "tls-exporter": b"x"}
    assert strongest_binding(both, ["tls-server-end-point", "tls-exporter"]) == "tls-exporter"
    assert strongest_binding(both, ["tls-server-end-point", "tls-unique"]) == "tls-server-end-point"
    assert strongest_binding(both, ["tls-unique"]) is None
    assert strongest_binding({}, ["tls-exporter"]) is None


def test_the_downgrade_hash_is_that_of_xep_0474() -> None:
    mechanisms = ("SCRAM-SHA-1-PLUS", "SCRAM-SHA-1")
    bindings = ("tls-server-end-point", "tls-exporter")
    assert downgrade_hash("SHA-1", mechanisms, bindings) == "G6k/rBLDqgOhRRaCuuatSDFkJ08="


def test_the_downgrade_hash_leaves_the_separator_out_without_bindings() -> None:
    expected = base64.b64encode(hashlib.sha1(b"SCRAM-SHA-1").digest()).decode()  # noqa: S324 - SCRAM's hash
    assert downgrade_hash("SHA-1", ("SCRAM-SHA-1",), ()) == expected
