"""The client's side of each SASL mechanism, and the choice among those a server offers.

Rule: a client never sends its password over an unencrypted connection, and believes a server only after its signature.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from xmpp.errors import SASLCondition, SASLFailure
from xmpp.sasl.mechanisms import (
    PLAIN,
    SCRAM_MECHANISMS,
    ScramMechanism,
    TransportFacts,
    downgrade_hash,
    strongest_binding,
)
from xmpp.sasl.saslprep import saslprep
from xmpp.sasl.scram import (
    ITERATIONS_MIN,
    DeriveKeys,
    MalformedMessage,
    attributes,
    decode,
    derive_keys,
    encode,
    escape_name,
    exclusive_or,
    keyed_digest,
)

ITERATIONS_MAX = 1_000_000
"""A client refuses more: a hostile server could otherwise keep it busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who logs in, and how keys are derived.  Raises ValueError for a name or a password that SASLprep forbids."""

    username: str
    password: str
    derive_keys: DeriveKeys = derive_keys
    """`scram.derive_keys`, or the method of a `KeyCache`."""

    allows_plain: bool = True
    """Whether PLAIN may be used, inside TLS, when the server offers nothing better."""

    def __post_init__(self) -> None:
        """Fail here rather than in the middle of a stream."""
        saslprep(self.username, allows_unassigned=True)
        saslprep(self.password)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server announced in its stream features."""

    mechanisms: tuple[str, ...]
    bindings: tuple[str, ...] = ()
    """Channel binding types (XEP-0440)."""


class PlainClient:
    """PLAIN (RFC 4616)."""

    __slots__ = ("_login",)
    name = PLAIN

    def __init__(self, login: Login) -> None:
        """Log in as `login` says."""
        self._login = login

    def first_message(self) -> bytes:
        """The initial response."""
        return f"\0{self._login.username}\0{self._login.password}".encode()

    def respond(self, challenge: bytes) -> bytes:
        """PLAIN has no second message.  Raises SASLFailure."""
        raise SASLFailure(SASLCondition.MALFORMED_REQUEST, f"unexpected challenge of {len(challenge)} bytes")

    def finish(self, data: bytes) -> None:
        """Accept the server's success; PLAIN proves nothing about the server."""


class ScramClient:
    """SCRAM with or without channel binding (RFC 5802, RFC 7677, RFC 9266)."""

    __slots__ = (
        "_bare",
        "_binding",
        "_header",
        "_login",
        "_mechanism",
        "_nonce",
        "_offer",
        "_server_signature",
        "name",
    )

    def __init__(
        self,
        mechanism: ScramMechanism,
        login: Login,
        offer: Offer,
        nonce: str,
        *,
        flag: str,
        binding: bytes = b"",
    ) -> None:
        """Begin; `flag` is `n`, `y` or `p=<type>` (RFC 5802 section 7), `binding` the data of that type."""
        self.name = mechanism.name
        self._mechanism = mechanism
        self._login = login
        self._offer = offer
        self._header = f"{flag},,"
        self._binding = binding
        self._nonce = nonce
        self._bare = f"n={escape_name(saslprep(login.username, allows_unassigned=True))},r={nonce}"
        self._server_signature: bytes | None = None

    def first_message(self) -> bytes:
        """The initial response."""
        return (self._header + self._bare).encode()

    def respond(self, challenge: bytes) -> bytes:
        """Answer the server's first message.  Raises SASLFailure when it is not to be trusted."""
        try:
            server_first = challenge.decode()
            (nonce, salt, rounds), extensions = attributes(server_first, "rsi")
            iterations = int(rounds)
            salt_bytes = decode(salt)
        except (MalformedMessage, ValueError) as error:
            raise SASLFailure(SASLCondition.MALFORMED_REQUEST) from error
        if self._server_signature is not None or not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise SASLFailure(SASLCondition.MALFORMED_REQUEST, "the nonce is not ours")
        if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
            raise SASLFailure(SASLCondition.MECHANISM_TOO_WEAK, f"{iterations} iterations")
        self._check_offer(extensions)
        return self._final_message(server_first, nonce, salt_bytes, iterations)

    def _check_offer(self, extensions: Sequence[str]) -> None:
        """Compare the signed list of mechanisms with the list seen (XEP-0474 section 5.2)."""
        seen = "h=" + downgrade_hash(self._mechanism.hash_name, self._offer.mechanisms, self._offer.bindings)
        if any(extension.startswith("h=") and extension != seen for extension in extensions):
            raise SASLFailure(SASLCondition.NOT_AUTHORIZED, "the list of mechanisms was changed on its way")

    def _final_message(self, server_first: str, nonce: str, salt: bytes, iterations: int) -> bytes:
        hash_name = self._mechanism.hash_name
        keys = self._login.derive_keys(self._login.password, salt, iterations, hash_name)
        bound_header = encode(self._header.encode() + self._binding)
        without_proof = f"c={bound_header},r={nonce}"
        signed = f"{self._bare},{server_first},{without_proof}".encode()
        proof = exclusive_or(keys.client_key, keyed_digest(hash_name, keys.stored_key, signed))
        self._server_signature = keyed_digest(hash_name, keys.server_key, signed)
        return f"{without_proof},p={encode(proof)}".encode()

    def finish(self, data: bytes) -> None:
        """Check that the server knows the password as well.  Raises SASLFailure."""
        expected = b"v=" + encode(self._server_signature or b"").encode()
        if self._server_signature is None or not hmac.compare_digest(data, expected):
            raise SASLFailure(SASLCondition.NOT_AUTHORIZED, "the server's signature is wrong")


ClientExchange = PlainClient | ScramClient


def choose(login: Login, offer: Offer, facts: TransportFacts, nonce: str) -> ClientExchange:
    """Start an exchange of the strongest mechanism both sides can use.

    `nonce` is the client's part of the nonce: unguessable, printable ASCII without a comma.
    Raises SASLFailure (invalid-mechanism) when there is none.
    """
    binding = strongest_binding(facts.bindings, offer.bindings)
    offers_plus = any(name.endswith("-PLUS") for name in offer.mechanisms)
    for name, mechanism in SCRAM_MECHANISMS.items():
        if name not in offer.mechanisms:
            continue
        if mechanism.is_plus and binding is not None:
            data = facts.bindings[binding]
            return ScramClient(mechanism, login, offer, nonce, flag=f"p={binding}", binding=data)
        if not mechanism.is_plus:
            # `y` tells the server that we could bind and saw no -PLUS, so that it can notice a removed one.
            flag = "y" if facts.bindings and not offers_plus else "n"
            return ScramClient(mechanism, login, offer, nonce, flag=flag)
    if PLAIN in offer.mechanisms and login.allows_plain and facts.is_encrypted:
        return PlainClient(login)
    raise SASLFailure(SASLCondition.INVALID_MECHANISM, "no mechanism in common")
