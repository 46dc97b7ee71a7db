"""SCRAM arithmetic and messages (RFC 5802, RFC 7677), the same for both sides.

Rule: numbers and text only.  Who asks whom, and in which order, is in `server` and `client`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xmpp.sasl.saslprep import saslprep

HASHES: Mapping[str, str] = {"SHA-512": "sha512", "SHA-256": "sha256", "SHA-1": "sha1"}
"""SCRAM's name of a hash function -> its name in hashlib, strongest first."""

ITERATIONS_MIN = 4096
"""RFC 5802 section 5.1 and RFC 7677 section 4: fewer rounds are not acceptable."""


def digest(hash_name: str, data: bytes) -> bytes:
    """H() of RFC 5802."""
    return hashlib.new(HASHES[hash_name], data).digest()


def keyed_digest(hash_name: str, key: bytes, data: bytes) -> bytes:
    """HMAC() of RFC 5802."""
    return hmac.digest(key, data, HASHES[hash_name])


def exclusive_or(left: bytes, right: bytes) -> bytes:
    """XOR of two strings of one length."""
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What a password becomes (RFC 5802 section 3); as secret as the password itself."""

    client_key: bytes
    stored_key: bytes
    server_key: bytes


def derive_keys(password: str, salt: bytes, iterations: int, hash_name: str) -> ScramKeys:
    """Run PBKDF2: about 0.2 ms for 1,000 iterations.  Raises ValueError for a password that SASLprep forbids."""
    prepared = saslprep(password).encode()
    salted = hashlib.pbkdf2_hmac(HASHES[hash_name], prepared, salt, iterations)
    client_key = keyed_digest(hash_name, salted, b"Client Key")
    return ScramKeys(client_key, digest(hash_name, client_key), keyed_digest(hash_name, salted, b"Server Key"))


@dataclass(frozen=True, slots=True)
class ScramVerifier:
    """What a server stores of a password (RFC 5802 section 9): enough to check it, not enough to log in with it."""

    hash_name: str
    """A key of `HASHES`."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    def matches(self, password: str) -> bool:
        """Whether this is the password (for PLAIN).  As slow as `derive`: keep it off an event loop."""
        try:
            keys = derive_keys(password, self.salt, self.iterations, self.hash_name)
        except ValueError:
            return False
        return hmac.compare_digest(keys.stored_key, self.stored_key)


def derive(password: str, salt: bytes, iterations: int, hash_name: str) -> ScramVerifier:
    """Make the verifier of a password.  Raises ValueError for one that SASLprep forbids, or for too few iterations."""
    if iterations < ITERATIONS_MIN:
        raise ValueError(f"{iterations} iterations are fewer than {ITERATIONS_MIN}")
    keys = derive_keys(password, salt, iterations, hash_name)
    return ScramVerifier(hash_name, salt, iterations, keys.stored_key, keys.server_key)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything stored of an account's password: one verifier for each hash function."""

    verifiers: Mapping[str, ScramVerifier]
    """Keyed by hash name."""


def fake_verifier(secret: bytes, username: str, hash_name: str, iterations: int) -> ScramVerifier:
    """Make the verifier shown for an account that does not exist (RFC 5802 section 9, RFC 7677 section 4).

    The same for the same name each time, so that asking twice tells nobody which accounts exist; no password fits.
    """
    seed = hash_name.encode() + b"\0" + username.encode()
    salt = hmac.digest(secret, b"salt\0" + seed, "sha256")[:16]
    size = hashlib.new(HASHES[hash_name]).digest_size
    stored_key = hmac.digest(secret, b"stored key\0" + seed, "sha512")[:size]
    server_key = hmac.digest(secret, b"server key\0" + seed, "sha512")[:size]
    return ScramVerifier(hash_name, salt, iterations, stored_key, server_key)


class KeyCache:
    """Keys already derived, so that logging in again costs no PBKDF2: for load generators and reconnecting clients."""

    __slots__ = ("_keys", "entries_max")

    def __init__(self, entries_max: int) -> None:
        """Keep at most `entries_max` keys; the oldest leaves first."""
        self.entries_max = entries_max
        self._keys: dict[tuple[str, bytes, int, str], ScramKeys] = {}

    def derive_keys(self, password: str, salt: bytes, iterations: int, hash_name: str) -> ScramKeys:
        """Like the function `derive_keys`."""
        key = (password, salt, iterations, hash_name)
        keys = self._keys.get(key)
        if keys is None:
            keys = derive_keys(password, salt, iterations, hash_name)
            if len(self._keys) >= self.entries_max:
                del self._keys[next(iter(self._keys))]
            self._keys[key] = keys
        return keys


DeriveKeys = Callable[[str, bytes, int, str], ScramKeys]
"""`derive_keys` or `KeyCache.derive_keys`."""


class MalformedMessage(Exception):
    """A SCRAM message does not follow the grammar of RFC 5802 section 7."""


def attributes(message: str, names: str) -> tuple[list[str], list[str]]:
    """Split `r=...,s=...`: the values of the expected leading attributes, and the extensions after them.

    Raises MalformedMessage when an attribute is missing, out of order or a mandatory extension (`m=`).
    """
    parts = message.split(",")
    if len(parts) < len(names):
        raise MalformedMessage
    for part in parts:
        if len(part) < 2 or part[1] != "=" or not part[0].isalpha() or part[0] == "m":
            raise MalformedMessage
    leading = parts[: len(names)]
    if "".join(part[0] for part in leading) != names:
        raise MalformedMessage
    return [part[2:] for part in leading], parts[len(names) :]


def escape_name(name: str) -> str:
    """Write a user name as `saslname`."""
    return name.replace("=", "=3D").replace(",", "=2C")


def unescape_name(name: str) -> str:
    """Read a `saslname`; any other use of `=` is refused (RFC 5802 section 5.1)."""
    plain = name.replace("=2C", ",").replace("=3D", "\0")
    if not name or "\0" in name or "=" in plain:
        raise MalformedMessage
    return plain.replace("\0", "=")


def is_nonce(text: str) -> bool:
    """Whether `text` is a nonce: printable ASCII without the comma."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text and "," not in text


def encode(data: bytes) -> str:
    """Base 64, as text."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Read base 64 inside a SCRAM message."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage from error
