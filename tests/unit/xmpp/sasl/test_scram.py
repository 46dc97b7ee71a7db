import base64

import pytest

from xmpp.sasl import ScramVerifier, derive, fake_verifier
from xmpp.sasl.scram import (
    HASHES,
    KeyCache,
    MalformedMessage,
    attributes,
    decode,
    derive_keys,
    escape_name,
    is_nonce,
    unescape_name,
)

SALT = base64.b64decode("QSXCR+Q6sek8bf92")


def test_keys_are_those_of_rfc_5802() -> None:
    keys = derive_keys("pencil", SALT, 4096, "SHA-1")
    assert keys.client_key.hex() == "e234c47bf6c36696dd6d852b99aaa2ba26555728"
    assert keys.stored_key.hex() == "e9d94660c39d65c38fbad91c358f14da0eef2bd6"
    assert keys.server_key.hex() == "0fe09258b3ac852ba502cc62ba903eaacdbf7d31"


@pytest.mark.parametrize("hash_name", HASHES)
def test_a_verifier_matches_its_password_and_no_other(hash_name: str) -> None:
    verifier = derive("p\u00e4ssword", b"salt", 4096, hash_name)
    assert verifier.matches("p\u00e4ssword")
    assert verifier.matches("pa\u0308ssword"), "the decomposed form is the same password"
    assert not verifier.matches("password")
    assert not verifier.matches("p\u00e4ssword\x07"), "a password that SASLprep forbids is wrong, not an error"


def test_few_iterations_are_refused() -> None:
    with pytest.raises(ValueError, match="4095 iterations are fewer"):
        derive("demo", b"salt", 4095, "SHA-256")


def test_a_fake_verifier_is_always_the_same_and_fits_no_password() -> None:
    fake = fake_verifier(b"secret", "nobody", "SHA-256", 4096)
    assert fake == fake_verifier(b"secret", "nobody", "SHA-256", 4096)
    assert fake.salt != fake_verifier(b"secret", "somebody", "SHA-256", 4096).salt
    assert fake.salt != fake_verifier(b"other secret", "nobody", "SHA-256", 4096).salt
    assert fake.salt != fake_verifier(b"secret", "nobody", "SHA-1", 4096).salt
    assert not fake.matches("")


@pytest.mark.parametrize("hash_name", HASHES)
def test_a_fake_verifier_looks_like_a_real_one(hash_name: str) -> None:
    def shape(verifier: ScramVerifier) -> tuple[int, int, int, int]:
        return len(verifier.salt), verifier.iterations, len(verifier.stored_key), len(verifier.server_key)

    real = derive("demo", b"0123456789abcdef", 4096, hash_name)
    assert shape(fake_verifier(b"secret", "nobody", hash_name, 4096)) == shape(real)


def test_a_key_cache_derives_once_and_forgets_the_oldest() -> None:
    cache = KeyCache(entries_max=2)
    first = cache.derive_keys("demo", b"1", 4096, "SHA-1")
    assert cache.derive_keys("demo", b"1", 4096, "SHA-1") is first
    assert first == derive_keys("demo", b"1", 4096, "SHA-1")
    cache.derive_keys("demo", b"2", 4096, "SHA-1")
    cache.derive_keys("demo", b"3", 4096, "SHA-1")
    assert cache.derive_keys("demo", b"1", 4096, "SHA-1") is not first


def test_attributes_are_split_into_the_expected_ones_and_extensions() -> None:
    assert attributes("r=abc,s=d=,i=1,h=x", "rsi") == (["abc", "d=", "1"], ["h=x"])


@pytest.mark.parametrize(
    "message", ["", "r=abc", "s=1,r=abc", "r=abc,s", "r=abc,1=2", "m=must,r=abc,s=1", "r=abc,s=1,m=must", "r=,,s="]
)
def test_attributes_out_of_grammar_are_refused(message: str) -> None:
    with pytest.raises(MalformedMessage):
        attributes(message, "rs")


@pytest.mark.parametrize("name", ["anna", "a,b", "a=b", "=2C", "=3D2C", ",=,=", "ä"])
def test_a_name_survives_escaping(name: str) -> None:
    assert "," not in escape_name(name)
    assert unescape_name(escape_name(name)) == name


@pytest.mark.parametrize("name", ["", "a=b", "=2c", "=", "a\0b"])
def test_a_name_with_a_bad_escape_is_refused(name: str) -> None:
    with pytest.raises(MalformedMessage):
        unescape_name(name)


@pytest.mark.parametrize(
    ("text", "is_one"), [("abc~!", True), ("", False), ("a b", False), ("a,b", False), ("ä", False)]
)
def test_a_nonce_is_printable_ascii_without_a_comma(text: str, is_one: bool) -> None:
    assert is_nonce(text) is is_one


@pytest.mark.parametrize("text", ["a", "?", "YQ=", "Y Q==", "ä"])
def test_bad_base64_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        decode(text)
