"""The server's side of each SASL mechanism: one exchange, step by step, without knowing any password.

Rule: an exchange asks for what it needs by the step it returns, and every refusal is a SASLFailure.
A wrong password, a wrong proof and an account that does not exist end alike.
Whatever carries the messages (RFC 6120 section 6, XEP-0388) is no concern of it.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from xmpp.errors import SASLCondition, SASLFailure
from xmpp.jid import JID, InvalidJID
from xmpp.sasl.mechanisms import PLAIN, SCRAM_MECHANISMS, ScramMechanism, TransportFacts, downgrade_hash
from xmpp.sasl.saslprep import saslprep
from xmpp.sasl.scram import (
    Credentials,
    MalformedMessage,
    ScramVerifier,
    attributes,
    decode,
    digest,
    encode,
    exclusive_or,
    fake_verifier,
    is_nonce,
    keyed_digest,
    unescape_name,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this to the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CredentialsWanted:
    """Answer with `ScramExchange.credentials_found`."""

    account: str


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """Check this password, off the event loop, and answer with `PlainExchange.password_checked`."""

    account: str
    password: str


@dataclass(frozen=True, slots=True)
class Success:
    """The client is this account."""

    account: str
    data: bytes = b""
    """What the client still needs, so that it can trust the server in turn."""


Step = Challenge | CredentialsWanted | PasswordWanted | Success


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPolicy:
    """What a server decided once, for all exchanges."""

    domain: str
    """The domain whose accounts log in."""

    secret: bytes
    """Keys the salts of accounts that do not exist; the same on all nodes of a domain, and for good."""

    fake_iterations: int
    """Iterations shown for accounts that do not exist: those of real accounts."""

    hash_names: tuple[str, ...] = ("SHA-256", "SHA-1")
    """Hash functions for which accounts have verifiers."""

    offers_plain: bool = True
    """Whether PLAIN is offered inside TLS."""

    announces_offer: bool = True
    """Whether SCRAM signs the list of offered mechanisms (XEP-0474)."""


def account_of(username: str, authorization: str, domain: str) -> str:
    """The account's local part for a user name that was presented.

    Acting for somebody else is not possible: an authorization identity must be the account's own bare JID.
    Raises SASLFailure; a name that can't be an account's ends like one that isn't.
    """
    try:
        account = JID(saslprep(username, allows_unassigned=True), domain)
    except ValueError as error:
        raise SASLFailure(SASLCondition.NOT_AUTHORIZED) from error
    if authorization:
        try:
            wanted = JID.parse(authorization).full
        except InvalidJID as error:
            raise SASLFailure(SASLCondition.INVALID_AUTHZID) from error
        if wanted != account.bare:
            raise SASLFailure(SASLCondition.INVALID_AUTHZID)
    return account.bare.removesuffix(f"@{account.domain}")


class PlainExchange:
    """PLAIN (RFC 4616)."""

    __slots__ = ("_account", "_domain")

    def __init__(self, domain: str) -> None:
        """Let accounts of `domain` in."""
        self._domain = domain
        self._account: str | None = None

    def respond(self, data: bytes) -> Step:
        """Take the client's one message.  Raises SASLFailure."""
        try:
            authorization, username, password = data.decode().split("\0")
        except ValueError as error:
            raise SASLFailure(SASLCondition.MALFORMED_REQUEST) from error
        if not username or not password:
            raise SASLFailure(SASLCondition.MALFORMED_REQUEST)
        self._account = account_of(username, authorization, self._domain)
        return PasswordWanted(self._account, password)

    def password_checked(self, *, is_right: bool) -> Success:
        """Take the answer to PasswordWanted.  Raises SASLFailure."""
        if self._account is None or not is_right:
            raise SASLFailure(SASLCondition.NOT_AUTHORIZED)
        return Success(self._account)


class ScramExchange:
    """SCRAM with or without channel binding (RFC 5802, RFC 7677, RFC 9266)."""

    __slots__ = (
        "_account",
        "_bound_header",
        "_client_first",
        "_facts",
        "_mechanism",
        "_nonce",
        "_offer",
        "_policy",
        "_server_first",
        "_verifier",
    )

    def __init__(
        self, mechanism: ScramMechanism, policy: ServerPolicy, facts: TransportFacts, offer: Sequence[str], nonce: str
    ) -> None:
        """Begin; `offer` are the mechanisms the client was shown, `nonce` is the server's part of the nonce."""
        self._mechanism = mechanism
        self._policy = policy
        self._facts = facts
        self._offer = offer
        self._nonce = nonce
        self._account = ""
        self._client_first = ""
        self._server_first = ""
        self._bound_header = b""
        self._verifier: ScramVerifier | None = None

    def respond(self, data: bytes) -> Step:
        """Take the client's first or final message.  Raises SASLFailure."""
        try:
            message = data.decode()
            if self._verifier is None:
                return self._take_first(message)
            return self._take_final(message, self._verifier)
        except (MalformedMessage, UnicodeDecodeError) as error:
            raise SASLFailure(SASLCondition.MALFORMED_REQUEST) from error

    def _take_first(self, message: str) -> CredentialsWanted:
        try:
            flag, authorization, bare = message.split(",", 2)
        except ValueError as error:
            raise MalformedMessage from error
        self._bound_header = f"{flag},{authorization},".encode() + self._binding(flag)
        (name, nonce), _ = attributes(bare, "nr")
        if not is_nonce(nonce) or (authorization and not authorization.startswith("a=")):
            raise MalformedMessage
        self._nonce = nonce + self._nonce
        self._client_first = bare
        identity = unescape_name(authorization[2:]) if authorization else ""
        self._account = account_of(unescape_name(name), identity, self._policy.domain)
        return CredentialsWanted(self._account)

    def _binding(self, flag: str) -> bytes:
        """The channel binding data that the client's choice stands for (RFC 5802 section 6)."""
        if self._mechanism.is_plus:
            data = self._facts.bindings.get(flag[2:]) if flag.startswith("p=") else None
            if data is None:
                raise MalformedMessage
            return data
        if flag == "y" and self._offers_plus:
            # The client saw no -PLUS although it was offered: somebody in between removed it.
            raise SASLFailure(SASLCondition.NOT_AUTHORIZED)
        if flag not in ("n", "y"):
            raise MalformedMessage
        return b""

    @property
    def _offers_plus(self) -> bool:
        return any(name.endswith("-PLUS") for name in self._offer)

    def credentials_found(self, credentials: Credentials | None) -> Challenge:
        """Take the answer to CredentialsWanted; None if there is no such account (the exchange then fails late)."""
        hash_name = self._mechanism.hash_name
        verifier = credentials.verifiers.get(hash_name) if credentials else None
        if verifier is None:
            policy = self._policy
            verifier = fake_verifier(policy.secret, self._account, hash_name, policy.fake_iterations)
        self._verifier = verifier
        self._server_first = f"r={self._nonce},s={encode(verifier.salt)},i={verifier.iterations}"
        if self._policy.announces_offer:
            self._server_first += f",h={downgrade_hash(hash_name, self._offer, self._facts.bindings)}"
        return Challenge(self._server_first.encode())

    def _take_final(self, message: str, verifier: ScramVerifier) -> Success:
        without_proof, separator, proof_text = message.rpartition(",p=")
        if not separator:
            raise MalformedMessage
        (bound_header, nonce), _ = attributes(without_proof, "cr")
        proof = decode(proof_text)
        if len(proof) != len(verifier.stored_key):
            raise MalformedMessage
        hash_name = self._mechanism.hash_name
        signed = f"{self._client_first},{self._server_first},{without_proof}".encode()
        client_key = exclusive_or(proof, keyed_digest(hash_name, verifier.stored_key, signed))
        is_right = (
            hmac.compare_digest(digest(hash_name, client_key), verifier.stored_key)
            & hmac.compare_digest(decode(bound_header), self._bound_header)
            & (nonce == self._nonce)
        )
        if not is_right:
            raise SASLFailure(SASLCondition.NOT_AUTHORIZED)
        signature = keyed_digest(hash_name, verifier.server_key, signed)
        return Success(self._account, b"v=" + encode(signature).encode())


ServerExchange = PlainExchange | ScramExchange


def begin(name: str, policy: ServerPolicy, facts: TransportFacts, offer: Sequence[str], nonce: str) -> ServerExchange:
    """Start an exchange of one of the mechanisms in `offer`.  Raises SASLFailure for any other name.

    `nonce` is the server's part of the nonce: unguessable, printable ASCII without a comma.
    """
    if name not in offer:
        raise SASLFailure(SASLCondition.INVALID_MECHANISM)
    if name == PLAIN:
        return PlainExchange(policy.domain)
    return ScramExchange(SCRAM_MECHANISMS[name], policy, facts, offer, nonce)
