"""SASL: who logs in, proven (RFC 4422, RFC 5802, RFC 4616).  Pure: nonces and secrets are given in."""

from xmpp.sasl.mechanisms import PLAIN, TransportFacts, offered
from xmpp.sasl.scram import (
    HASHES,
    ITERATIONS_MIN,
    Credentials,
    KeyCache,
    ScramKeys,
    ScramVerifier,
    derive,
    derive_keys,
    fake_verifier,
)

__all__ = [
    "HASHES",
    "ITERATIONS_MIN",
    "PLAIN",
    "Credentials",
    "KeyCache",
    "ScramKeys",
    "ScramVerifier",
    "TransportFacts",
    "derive",
    "derive_keys",
    "fake_verifier",
    "offered",
]
