"""What crosses a link: frames, and the parts that a frame gathers.

These are the protobuf messages of ``proto/cascade/v1/link.proto`` as plain values, for the pure machines;
`cascade.codec` converts.  The meaning of each part is normative in ``docs/protocol/cascade.md``.
"""

from dataclasses import dataclass, field, replace
from typing import Self

from cascade.envelope import Envelope, Kind

PROTOCOL = 1
"""Version of the contract that this code speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """First part that a site sends."""

    site: str
    epoch: int
    acknowledged: int
    """Everything up to here has been released from the site's outbox."""
    accounts_version: int
    window_envelopes: int
    """Held envelopes that the site is ready to take unacknowledged."""
    software: str = ""
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """First part that the hub sends."""

    domain: str
    met: int
    """Highest sequence of the site's epoch that ever came; an outbox that has not given it out is an old copy."""
    window_envelopes: int
    software: str = ""
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True)
class Refusal:
    """An envelope that was answered with an error; the origin makes a stanza error of it."""

    sequence: int
    condition: str
    """RFC 6120 §8.3.3."""
    text: str = ""
    recipients: tuple[str, ...] = ()
    """Whom it concerns; () = every recipient of the envelope."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Cumulative: up to this sequence everything is answered for, and these of it by an error."""

    up_to: int
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """A transient envelope that could not be passed on to one recipient."""

    sender: str
    recipient: str
    kind: Kind
    id: str
    condition: str

    @property
    def size_bytes(self) -> int:
        """What it is taken to weigh in a frame."""
        return 32 + len(self.sender) + len(self.recipient) + len(self.id)


@dataclass(frozen=True, slots=True)
class AvailableResource:
    """One available resource and its presence stanza as broadcast, without ``to``."""

    resource: str
    stanza: bytes

    @property
    def size_bytes(self) -> int:
        """What it is taken to weigh in a frame."""
        return 32 + len(self.resource) + len(self.stanza)


@dataclass(frozen=True, slots=True)
class AccountPresence:
    """The whole presence of one account: the newest version wins, no resources means unavailable."""

    account: str
    version: int
    """Grows at the home site; microseconds."""
    resources: tuple[AvailableResource, ...] = ()

    @property
    def size_bytes(self) -> int:
        """What it is taken to weigh in a frame."""
        return 64 + len(self.account) + sum(resource.size_bytes for resource in self.resources)

    def within(self, bytes_max: int) -> Self:
        """Return the same without the resources that, in their order, go beyond a size."""
        if self.size_bytes <= bytes_max:
            return self
        left = bytes_max - 64 - len(self.account)
        kept: list[AvailableResource] = []
        for resource in self.resources:
            if resource.size_bytes <= left:
                left -= resource.size_bytes
                kept.append(resource)
        return replace(self, resources=tuple(kept))


@dataclass(frozen=True, slots=True)
class InterestChange:
    """Accounts whose presence is wanted: from site to hub, and from hub to the accounts' home."""

    added: tuple[tuple[str, int], ...] = ()
    """Bare JID, and the version of its presence that the one who asks holds already (0 = none)."""
    removed: tuple[str, ...] = ()
    is_full: bool = False
    """Replaces what was said before."""
    has_more: bool = False
    """The same full statement goes on in the next part."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """One stored SCRAM verifier (RFC 5802 §3)."""

    hash: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the hub's directory knows it."""

    local: str
    is_disabled: bool = False
    verifiers: tuple[Verifier, ...] = ()
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A step of a site's replica of its own people."""

    version: int
    """What the replica holds when the last part of the change is applied."""
    upserted: tuple[Account, ...] = ()
    removed: tuple[str, ...] = ()
    is_full: bool = False
    """A snapshot: whom it does not name is gone."""
    has_more: bool = False
    """The same change goes on in the next part."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Sent by the site, sent back by the hub with ``is_reply``."""

    sent_us: int
    """The site's own clock; opaque to the hub."""
    is_reply: bool = False


@dataclass(frozen=True, slots=True)
class HomeAnswer:
    """Where an account lives, for a client that came to another site."""

    account: str
    site: str
    """Empty = no such account."""
    client_host: str = ""
    client_port: int = 0


@dataclass(slots=True)
class Frame:
    """One batch.  Its parts are applied in the order in which they are written here."""

    hello: Hello | None = None
    welcome: Welcome | None = None
    acknowledgement: Acknowledgement | None = None
    credit: int = 0
    """By how many held envelopes the window grows."""
    accounts: AccountChange | None = None
    accounts_held: int | None = None
    interest: InterestChange | None = None
    presence: list[AccountPresence] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    undeliverable: list[Undeliverable] = field(default_factory=list)
    heartbeat: Heartbeat | None = None
    drain_ms: int | None = None
    """The hub is about to leave: reconnect after this time."""
    home_questions: list[str] = field(default_factory=list)
    home_answers: list[HomeAnswer] = field(default_factory=list)
