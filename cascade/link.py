"""What both roles of a link have in common: settings, states, failures, and when the next frame may go.

The roles are `cascade.site_link.SiteLink` and `cascade.hub_link.HubLink`.  Both are without I/O: time is given in as
``now`` (seconds of any steady clock), frames are given in and taken out, and ``deadline`` says when to call again.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, StrEnum

from cascade.envelope import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Bounds and times of one side of a link."""

    window_envelopes: int = 1024
    """Held envelopes that this side takes unacknowledged."""
    frame_envelopes_max: int = 128
    """Envelopes in one frame."""
    frame_bytes_max: int = 128 * 1024
    """A frame is closed when its estimated size has reached this; one stanza may be larger."""
    interest_accounts_per_frame: int = 512
    interest_accounts_max: int = 100_000
    """Accounts of one full statement of interest."""
    presence_bytes_max: int = 256 * 1024
    """The presence of one account; resources beyond it are not shown elsewhere."""
    transient_envelopes_max: int = 4096
    """Transient envelopes that wait for the link; more are refused."""
    home_questions_max: int = 4096
    """Questions, or answers, that wait for the link."""
    home_questions_per_frame: int = 256
    gather_seconds: float = 0.002
    """Least time between two frames, unless the second is full: an idle link sends at once, a busy one gathers."""
    acknowledge_seconds: float = 0.02
    """How long an acknowledgement waits for company."""
    heartbeat_seconds: float = 15.0
    dead_seconds: float = 45.0
    """A peer that has been silent for so long is dead."""
    greeting_seconds: float = 10.0
    """Time for hello and welcome."""


class LinkState(Enum):
    """Where a link is in its life."""

    DOWN = "down"
    GREETING = "greeting"
    LIVE = "live"


class FailureReason(StrEnum):
    """Why a link was ended."""

    VERSION = "version"
    """The peer speaks another version of the contract."""
    IDENTITY = "identity"
    """The hello names another site than the certificate, or the site is not known."""
    EPOCH = "epoch"
    """The site's outbox is older than one that the hub has met."""
    REGRESSED = "regressed"
    """The site's outbox is an old copy of the one that the hub has met."""
    MALFORMED = "malformed"
    """The peer broke a rule of docs/protocol/cascade.md."""
    SILENT = "silent"
    """Nothing was heard for too long."""
    SUPERSEDED = "superseded"
    """The same site has opened a newer link."""
    DRAINING = "draining"
    """The hub is leaving."""
    LOST = "lost"
    """The transport has failed."""
    ROTATED = "rotated"
    """The site's certificate has changed: a new link uses the new one."""
    FAULT = "fault"
    """What came could not be worked on: a defect of this side, or noise that nobody has thought of."""
    STORE = "store"
    """What came could not be stored: it must come again."""

    @property
    def is_permanent(self) -> bool:
        """Whether trying again soon cannot help."""
        return self in _PERMANENT


_PERMANENT = frozenset({FailureReason.VERSION, FailureReason.IDENTITY, FailureReason.EPOCH, FailureReason.REGRESSED})


@dataclass(frozen=True, slots=True)
class LinkFailure:
    """The link has to be ended."""

    reason: FailureReason
    text: str


class RuleBroken(Exception):
    """The peer broke a rule; the link ends with `failure`."""

    def __init__(self, reason: FailureReason, text: str) -> None:
        super().__init__(text)
        self.failure = LinkFailure(reason, text)


_PRINTABLE_MAX = 100


def printable(text: str) -> str:
    """Return what a peer says, fit for logs, terminals and answers: not long, and nothing that moves a cursor."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:_PRINTABLE_MAX])
    return shown if len(text) <= _PRINTABLE_MAX else f"{shown}..."


def move_transient(waiting: deque[Envelope], gathered: list[Envelope], count_max: int, bytes_max: int) -> int:
    """Move transient envelopes into a frame; return their size.  The rest of the frame is for held ones."""
    size_bytes = 0
    while waiting and len(gathered) < count_max and size_bytes < bytes_max:
        envelope = waiting.popleft()
        size_bytes += envelope.size_bytes
        gathered.append(envelope)
    return size_bytes


class Pacing:
    """When the next frame may go, and when the peer counts as dead."""

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._heard_at = 0.0
        self._sent_at = float("-inf")
        self._lazy_since: float | None = None
        self.is_greeted = False

    def open(self, now: float) -> None:
        """Begin with a new connection."""
        self._heard_at = now
        self._sent_at = float("-inf")
        self._lazy_since = None
        self.is_greeted = False

    def heard(self, now: float) -> None:
        """Note that a frame came."""
        self._heard_at = now

    def sent(self, now: float) -> None:
        """Note that a frame goes."""
        self._sent_at = now
        self._lazy_since = None

    def may_send(self, now: float, *, is_urgent: bool, is_full: bool) -> bool:
        """Whether what has gathered goes now.  Only ask when there is something."""
        return is_full or now >= self.send_at(now, is_urgent=is_urgent)

    def send_at(self, now: float, *, is_urgent: bool) -> float:
        """Return when what has gathered will go."""
        at = self._sent_at + self._settings.gather_seconds
        if not is_urgent:
            if self._lazy_since is None:
                self._lazy_since = now
            at = max(at, self._lazy_since + self._settings.acknowledge_seconds)
        return at

    @property
    def dead_at(self) -> float:
        """When a peer that stays silent is given up."""
        settings = self._settings
        return self._heard_at + (settings.dead_seconds if self.is_greeted else settings.greeting_seconds)

    def failure(self, now: float) -> LinkFailure | None:
        """Return that the peer is dead, if it is."""
        if now < self.dead_at:
            return None
        return LinkFailure(FailureReason.SILENT, f"nothing heard for {now - self._heard_at:.0f} s")
