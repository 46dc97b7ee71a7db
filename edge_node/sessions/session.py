"""A session: one bound resource of a local account.  It outlives its connection when it can be resumed.

Pure: it writes to its `Channel` and keeps its counts; who sends what to whom is decided elsewhere.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xmpp.acknowledgement import COUNT_MODULUS, AckQueue, QueueFull
from xmpp.jid import JID
from xmpp.management import ACKNOWLEDGEMENT_REQUEST
from xmpp.stanza import Stanza

if TYPE_CHECKING:
    from edge_node.backplane.ports import Channel
    from edge_node.sessions.account import LocalAccount

PLACEHOLDER = b'<iq type="get" id="place-%d" to="%b" from="%b"><ping xmlns="urn:xmpp:ping"/></iq>'


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Bounds shared by all sessions of an edge."""

    request_after: int = 10
    """Unacknowledged stanzas after which the client is asked to acknowledge (XEP-0198 section 4)."""
    queue_stanzas_max: int = 2000
    """Unacknowledged stanzas kept for one session; beyond it the session ends and its messages wait offline."""
    resume_seconds: int = 600
    """How long a session without a connection waits to be resumed."""
    request_seconds: float = 10.0
    """How often clients with fewer than that are asked."""
    is_durable: bool = True
    """Whether what is taken from clients is stored, so that a restarted core knows how much that was."""
    are_all_kept: bool = False
    """Whether all sessions are kept in the store (connections survive this process), not only resumable ones."""


class Promise:
    """A numbered place in a session's stream, held for a stanza whose commit is under way."""

    __slots__ = ("data", "number", "session", "subject")

    def __init__(self, session: "Session", number: int, subject: object) -> None:
        self.session = session
        self.number = number
        self.subject = subject
        """What the place is for: given back by `Session.abandon` when the session ends first."""
        self.data: bytes | None = None


class Session:
    """One bound resource.  Slots: there are 30,000 of these."""

    __slots__ = (
        "account",
        "acknowledgement_requested",
        "behind",
        "carbons",
        "channel",
        "detached_at",
        "directed",
        "dormant",
        "durable",
        "early",
        "floor",
        "handled",
        "interested",
        "is_new",
        "is_over",
        "jid",
        "kept",
        "key",
        "limits",
        "managed",
        "noting",
        "number_in",
        "number_out",
        "overflowed",
        "pending",
        "presence",
        "priority",
        "promises",
        "queue",
        "resumable",
        "roster_version",
        "secret",
        "taken_before",
    )

    def __init__(  # noqa: PLR0915  a session has this many parts
        self, key: int, account: "LocalAccount", jid: JID, channel: "Channel | None", limits: SessionLimits
    ) -> None:
        """Start a session.

        Args:
            key: 64-bit, unique for ever at this edge.
            account: whose session it is.
            jid: the full JID bound.
            channel: where to write; None while it hibernates.
            limits: the bounds it keeps to.
        """
        self.key = key
        self.limits = limits
        self.account = account
        self.jid = jid
        self.channel: Channel | None = channel
        self.number_in = 0
        """Stanzas received (modulo 2^32)."""
        self.handled = 0
        """This many have been dealt with (modulo 2^32)."""
        self.durable = 0
        """The highest number that the store has: a restarted core counts on from there."""
        self.noting = False
        """Whether a higher number is on its way to the store."""
        self.behind: deque[tuple[Stanza, int]] | None = None
        """Stanzas received behind one that waits for the store; None: nothing waits."""
        self.early: set[int] | None = None
        """Numbers dealt with out of turn."""
        self.number_out = 0
        """Stanzas sent or promised (modulo 2^32)."""
        self.pending = 0
        """Stanzas received that wait for a commit."""
        self.queue: AckQueue[tuple[bytes, object]] | None = None
        """Sent and not yet acknowledged, under stream management."""
        self.promises: deque[Promise] | None = None
        self.resumable = 0
        """Seconds for which the session may hibernate; 0: it ends with its connection."""
        self.secret = b""
        self.detached_at: float | None = None
        """Monotonic seconds when the connection was lost; None while attached."""
        self.acknowledgement_requested = False
        """Whether the client has been asked and has not answered."""
        self.overflowed = False
        """The queue is full; the core's housekeeping ends the session."""
        self.presence: Stanza | None = None
        """The last available presence broadcast; None: connected, but not available."""
        self.priority = 0
        self.interested = False
        """Has asked for the roster, so it gets roster pushes (RFC 6121 section 2.1.6)."""
        self.roster_version: int | None = None
        """The version that the roster had when its client asked for it; None: not known."""
        self.carbons = False
        self.is_over = False
        self.is_new = True
        """Until its client has had the time to say something."""
        self.kept: tuple[int, int] | None = None
        """`durable` and `received_by_client` as they are in its record."""
        self.managed = False
        """Whether the client uses stream management."""
        self.dormant = False
        """Rebuilt after a restart of the core, and not yet claimed: seen by contacts, but not sent to."""
        self.taken_before = 0
        """Stanzas up to this number were taken by an earlier core (a session is renewed long before 2^32)."""
        self.floor: int | None = None
        """After a revival: what lies at or below it is not in the queue, but may be in the store."""
        self.directed: set[JID] | None = None
        """To whom directed presence was sent (RFC 6121 section 4.6)."""

    @property
    def is_waiting(self) -> bool:
        """Whether a stanza of the session waits for the store, and those behind it for their turn."""
        return self.behind is not None

    @property
    def is_mute(self) -> bool:
        """Whether its client has said nothing since it bound: it may be gone, or about to count what it gets."""
        return self.is_new and self.number_in == 0 and self.queue is None

    @property
    def is_asleep(self) -> bool:
        """Whether no client has claimed it since the restart of the core; what comes for one that is waking is held."""
        return self.dormant and self.channel is None

    @property
    def is_kept(self) -> bool:
        """Whether the session is kept for the next core."""
        return self.limits.are_all_kept or (self.resumable > 0 and self.limits.is_durable)

    @property
    def is_available(self) -> bool:
        """Whether initial presence has been sent."""
        return self.presence is not None

    @property
    def room(self) -> int:
        """How many more stanzas the session takes before its client has to acknowledge some."""
        held = 0 if self.queue is None else len(self.queue) + len(self.promises or ())
        return max(0, self.limits.queue_stanzas_max - held)

    @property
    def received_by_client(self) -> int:
        """The last number that the client has acknowledged; without stream management, the last one written."""
        if self.queue is not None:
            return self.queue.acknowledged
        if self.dormant:
            return 0
        return (self.number_out - len(self.promises or ())) % COUNT_MODULUS

    def deliver(self, data: bytes, subject: object = None) -> None:
        """Send one rendered stanza, after everything promised before.

        Args:
            data: the stanza in its TCP form.
            subject: kept with it until the client acknowledges; handed back by `abandon`.
        """
        if self.dormant:
            self._hold(data, subject)
            return
        number = self.number_out = (self.number_out + 1) % COUNT_MODULUS
        if self.promises:
            promise = Promise(self, number, subject)
            promise.data = data
            self.promises.append(promise)
            return
        self._write(number, data, subject)

    def _hold(self, data: bytes, subject: object) -> None:
        """Keep it until the session is revived, which is when its number is known."""
        if self.promises is None:
            self.promises = deque()
        if len(self.promises) >= self.limits.queue_stanzas_max:
            self.overflowed = True
            return
        promise = Promise(self, 0, subject)
        promise.data = data
        self.promises.append(promise)

    def promise(self, subject: object) -> Promise:
        """Take the next number for a stanza that may only be sent once it is stored."""
        number = self.number_out = (self.number_out + 1) % COUNT_MODULUS
        promise = Promise(self, number, subject)
        if self.promises is None:
            self.promises = deque()
        self.promises.append(promise)
        return promise

    def fulfil(self, promise: Promise, data: bytes) -> None:
        """Send what was promised, and what waited behind it."""
        promise.data = data
        # Writing may overflow, which puts other promises in place of these.
        while self.promises and self.promises[0].data is not None:
            first = self.promises.popleft()
            if first.data is not None:
                self._write(first.number, first.data, first.subject)

    def cancel(self, promise: Promise) -> None:
        """The stanza will not come; its number is used up by a ping, because stored numbers follow it."""
        if not self.is_over:
            promise.subject = None
            self.fulfil(promise, PLACEHOLDER % (promise.number, self.jid.escaped.encode(), self.jid.domain.encode()))

    @property
    def told(self) -> int:
        """What the client may be told to be handled: no more than a restarted core will know, if it can be resumed."""
        if not self.resumable or not self.limits.is_durable:
            return self.handled
        ahead = (self.handled - self.durable) % COUNT_MODULUS
        return self.durable if ahead < COUNT_MODULUS // 2 else self.handled

    @property
    def is_to_be_noted(self) -> bool:
        """Whether the store has to learn how many stanzas have been dealt with, and will not by itself.

        What is pending has a higher number: a lower one must not come to the store after it.
        """
        return bool(self.resumable) and self.told != self.handled and not self.noting and not self.pending

    def stored(self, number: int) -> None:
        """The store has this number, and whatever came before it has been dealt with."""
        if 0 < (number - self.durable) % COUNT_MODULUS < COUNT_MODULUS // 2:
            self.durable = number
            if self.resumable:
                self._tell()

    def _tell(self) -> None:
        if self.channel is not None:
            self.channel.handled(self.told)

    def has_received(self, number: int) -> bool:
        """Whether the stanza of this number has come, over the connection of now or before its count went on."""
        return (self.number_in - number) % COUNT_MODULUS < COUNT_MODULUS // 2

    def has_taken(self, number: int) -> bool:
        """Whether the core has dealt with the stanza of this number, and with all before it."""
        return (self.handled - number) % COUNT_MODULUS < COUNT_MODULUS // 2

    def taken(self, number: int) -> None:
        """The core has dealt with the stanza of this number.  The client is told as soon as none before it is open."""
        if self.has_taken(number):
            return  # received again after a resumption
        if number != (self.handled + 1) % COUNT_MODULUS:
            if self.early is None:
                self.early = set()
            self.early.add(number)
            return
        self.handled = number
        while self.early:
            following = (self.handled + 1) % COUNT_MODULUS
            if following not in self.early:
                break
            self.early.remove(following)
            self.handled = following
        self._tell()

    def _write(self, number: int, data: bytes, subject: object) -> None:
        unacknowledged = 0
        if self.queue is not None:
            try:
                unacknowledged = self.queue.push((data, subject))
            except QueueFull:
                self._overflow(number, data, subject)
                return
        channel = self.channel
        if channel is None:
            return
        channel.deliver(data)
        if unacknowledged >= self.limits.request_after and not self.acknowledgement_requested:
            self.request_acknowledgement()

    def request_acknowledgement(self) -> None:
        """Ask the client what it has had (XEP-0198 section 4)."""
        if self.channel is not None:
            self.acknowledgement_requested = True
            self.channel.nonza(ACKNOWLEDGEMENT_REQUEST)

    def _overflow(self, number: int, data: bytes, subject: object) -> None:
        """The client acknowledges too little: hold everything from here on until the core ends the session."""
        self.overflowed = True
        held = Promise(self, number, subject)
        held.data = data
        blocker = Promise(self, number, None)
        self.promises = deque((blocker, held, *(self.promises or ())))

    def acknowledge(self, h: int) -> list[tuple[bytes, object]]:
        """The client has had its first `h` stanzas.

        Returns:
            What that releases.

        Raises:
            HandledCountTooHigh: it cannot have.
        """
        self.acknowledgement_requested = False
        if self.queue is None or self.is_behind(h):
            return []
        return self.queue.acknowledge(h)

    def is_behind(self, h: int) -> bool:
        """Whether the client speaks of a count from before the session was revived."""
        return self.floor is not None and 0 < (self.floor - h) % COUNT_MODULUS < COUNT_MODULUS // 2

    def revive(self, received: int) -> list[tuple[bytes, object]]:
        """The session can be sent to again; its client has had `received` stanzas.

        Returns:
            What was to be sent meanwhile.
        """
        held = [(promise.data, promise.subject) for promise in self.promises or () if promise.data is not None]
        self.dormant = False
        self.number_out = self.floor = received
        self.promises = None
        self.queue = AckQueue(self.limits.queue_stanzas_max, received) if self.managed else None
        return held

    def abandon(self) -> list[tuple[bytes, object]]:
        """The session ends: everything written that its client has not acknowledged, in order.

        A promise whose commit is still under way is not among it: who fulfils it finds that the session is over.
        """
        self.is_over = True
        left: list[tuple[bytes, object]] = []
        if self.queue is not None:
            left.extend(item for _, item in self.queue.unacknowledged())
            self.queue = None
        if self.promises is not None:
            left.extend(
                (promise.data, promise.subject)
                for promise in self.promises
                if promise.data is not None and promise.subject is not None
            )
            self.promises = None
        self.channel = None
        return left
