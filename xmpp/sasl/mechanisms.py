"""Which SASL mechanisms exist here, in which order they are preferred, and when each may be offered.

Rule: PLAIN never leaves an encrypted connection, and -PLUS is offered only with a channel binding to use.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xmpp.sasl.scram import HASHES, digest, encode

PLAIN = "PLAIN"

BINDINGS_STRONGEST_FIRST = ("tls-exporter", "tls-server-end-point")
"""Channel bindings known here (RFC 9266, RFC 5929); the bytes of each come from the TLS stack."""


@dataclass(frozen=True, slots=True)
class TransportFacts:
    """What only the shell knows of the connection below the stream."""

    is_encrypted: bool = False
    """TLS is in place: from the start (direct TLS, `wss:`) or since STARTTLS."""

    bindings: Mapping[str, bytes] = field(default_factory=dict)
    """Channel bindings of that TLS connection: type, as registered with IANA -> data."""


@dataclass(frozen=True, slots=True)
class ScramMechanism:
    """One name of the SCRAM family."""

    hash_name: str
    is_plus: bool

    @property
    def name(self) -> str:
        """The mechanism's registered name."""
        return f"SCRAM-{self.hash_name}-PLUS" if self.is_plus else f"SCRAM-{self.hash_name}"


SCRAM_MECHANISMS: Mapping[str, ScramMechanism] = {
    mechanism.name: mechanism
    for mechanism in (ScramMechanism(hash_name, is_plus) for is_plus in (True, False) for hash_name in HASHES)
}
"""By name, strongest first: a bound channel counts for more than a longer hash."""


def offered(facts: TransportFacts, hash_names: Iterable[str], *, offers_plain: bool) -> tuple[str, ...]:
    """Names to offer on such a connection, strongest first.

    `hash_names` are those for which accounts have verifiers.
    """
    usable = set(hash_names)
    names = [
        mechanism.name
        for mechanism in SCRAM_MECHANISMS.values()
        if mechanism.hash_name in usable and (facts.bindings or not mechanism.is_plus)
    ]
    if offers_plain and facts.is_encrypted:
        names.append(PLAIN)
    return tuple(names)


def strongest_binding(bindings: Mapping[str, bytes], announced: Iterable[str]) -> str | None:
    """The channel binding type a client uses out of those the server announced (XEP-0440 section 3)."""
    usable = set(announced)
    return next((name for name in BINDINGS_STRONGEST_FIRST if name in bindings and name in usable), None)


def downgrade_hash(hash_name: str, mechanisms: Sequence[str], bindings: Iterable[str]) -> str:
    """Digest of what was offered, which SCRAM then signs (XEP-0474 section 5.1)."""
    text = "\x1e".join(sorted(mechanisms))
    names = sorted(bindings)
    if names:
        text += "\x1f" + "\x1e".join(names)
    return encode(digest(hash_name, text.encode()))
