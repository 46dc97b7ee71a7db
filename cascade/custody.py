"""Custody at the hub: who still waits for an answer about which envelope.

Rule: an origin's sequence is answered when each of its destinations has acknowledged it or the spool has it, or when it
was refused.  The origin hears one cumulative number: the highest received sequence up to which all are answered.

Nothing here is durable.  When the hub forgets (a restart, or a site that comes back from further behind than the hub
remembers) the origin sends again from what it has not released, and the destinations drop what they have.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cascade.envelope import Envelope
from cascade.forwarding import Forwarding
from cascade.frame import Acknowledgement, Refusal
from cascade.spool import Extent


class Fenced(Exception):
    """The site speaks for an epoch of its outbox that is over."""


class CustodyLedger:
    """What one origin has been answered, and what it still waits for.

    Args:
        refusals_max: refusals that are remembered until the site confirms, in a hello, that it has settled them.

    """

    def __init__(self, refusals_max: int) -> None:
        self.epoch = 0
        self.acknowledged = 0
        """Everything received up to here is answered."""
        self.received = 0
        """The highest that came since the site was last asked to begin from what it had released."""
        self.met = 0
        """The highest of the epoch that ever came."""
        self._pending: dict[int, set[str] | None] = {}  # None = not routed yet
        self._order: deque[int] = deque()
        self._refusals: deque[Refusal] = deque()
        self._refusals_max = refusals_max
        self._unsaid: list[Refusal] = []
        self._said_to = 0
        self._forgotten_to = 0

    def resume(self, epoch: int, released: int) -> None:
        """The site has said hello.

        Args:
            epoch: of its outbox.
            released: everything that it has settled.

        Raises:
            Fenced: a newer epoch was met before.

        """
        if epoch < self.epoch:
            raise Fenced(f"epoch {epoch} is over, {self.epoch} was met")
        is_unrouted = None in self._pending.values()  # a fault has come between: only the site can say it again
        if epoch > self.epoch or released < self._forgotten_to or is_unrouted:
            self._begin(epoch, released)
            return
        while self._refusals and self._refusals[0].sequence <= released:
            self._refusals.popleft()
        self._unsaid = list(self._refusals)
        self.received = max(self.received, released)
        self.met = max(self.met, released)
        self._advance(released)
        self._said_to = released

    def receive(self, sequence: int) -> bool:
        """Take the number of an envelope that came; return whether it is to be routed (else it is a duplicate).

        Whatever is to be routed must be told to `expect` in the end, or nothing after it is ever acknowledged.
        """
        if sequence <= self.received:
            return False
        self.received = sequence
        self.met = max(self.met, sequence)
        self._order.append(sequence)
        self._pending[sequence] = None
        return True

    def refuse(self, refusal: Refusal) -> None:
        """The received envelope is refused, for some or all of its recipients.  Before `expect`."""
        self._refusals.append(refusal)
        self._unsaid.append(refusal)
        if len(self._refusals) > self._refusals_max:
            self._forgotten_to = self._refusals.popleft().sequence

    def expect(self, sequence: int, destinations: Iterable[str]) -> bool:
        """The received envelope goes to these (none, if it is refused for all); return as `answer` does."""
        if sequence not in self._pending:
            return False  # the site came back from further behind, and sends it again
        waiting = self._pending[sequence] = set(destinations)
        return not waiting and self._order[0] == sequence and self._advance(0)

    def answer(self, epoch: int, sequence: int, destination: str) -> bool:
        """A destination, or its spool, has it; return whether the origin can be told more by that."""
        if epoch != self.epoch:
            return False
        waiting = self._pending.get(sequence)
        if not waiting:
            return False
        waiting.discard(destination)
        return not waiting and self._order[0] == sequence and self._advance(0)

    @property
    def has_news(self) -> bool:
        """Whether `take_acknowledgement` would return one."""
        return self.acknowledged > self._said_to

    def take_acknowledgement(self) -> Acknowledgement | None:
        """Return what the site has not been told yet."""
        if not self.has_news:
            return None
        acknowledged = self._said_to = self.acknowledged
        said = tuple(refusal for refusal in self._unsaid if refusal.sequence <= acknowledged)
        self._unsaid = [refusal for refusal in self._unsaid if refusal.sequence > acknowledged]
        return Acknowledgement(acknowledged, said)

    @property
    def pending(self) -> int:
        """Envelopes received and not answered up to."""
        return len(self._order)

    def _begin(self, epoch: int, released: int) -> None:
        self.met = max(self.met if epoch == self.epoch else 0, released)
        self.epoch = epoch
        self.acknowledged = self.received = self._said_to = self._forgotten_to = released
        self._pending.clear()
        self._order.clear()
        self._refusals.clear()
        self._unsaid = []

    def _advance(self, released: int) -> bool:
        before = self.acknowledged
        order, pending = self._order, self._pending
        while order:
            waiting = pending[order[0]]
            if order[0] > released and (waiting is None or waiting):
                break
            self.acknowledged = order.popleft()
            del pending[self.acknowledged]
        self.acknowledged = max(self.acknowledged, released)
        return self.acknowledged > before


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an envelope goes: what the router made of its recipients."""

    parts: Mapping[str, tuple[str, ...]]
    """Destination site -> those of the recipients whose home it is."""
    refusals: tuple[Refusal, ...] = ()


class Custody:
    """All ledgers and forwardings of a hub, and what an event at one means for the others.

    Methods return the sites whose links have something new to send.

    Args:
        extents: what the spool has, per destination.
        envelopes_max: in memory for each destination.
        refusals_max: remembered for each origin.

    """

    def __init__(self, extents: Mapping[str, Extent], *, envelopes_max: int, refusals_max: int) -> None:
        self._envelopes_max = envelopes_max
        self._refusals_max = refusals_max
        self._ledgers: dict[str, CustodyLedger] = {}
        self._forwardings = {
            site: Forwarding(site, extent, envelopes_max=envelopes_max) for site, extent in extents.items()
        }

    def ledger(self, site: str) -> CustodyLedger:
        """Return the ledger of an origin."""
        ledger = self._ledgers.get(site)
        if ledger is None:
            ledger = self._ledgers[site] = CustodyLedger(self._refusals_max)
        return ledger

    def forwarding(self, site: str) -> Forwarding:
        """Return the way to a destination."""
        forwarding = self._forwardings.get(site)
        if forwarding is None:
            forwarding = Forwarding(site, Extent(0, 0), envelopes_max=self._envelopes_max)
            self._forwardings[site] = forwarding
        return forwarding

    @property
    def forwardings(self) -> Collection[Forwarding]:
        """All ways, for the status page and for the start."""
        return self._forwardings.values()

    def accept(self, envelope: Envelope, routing: Routing) -> Collection[str]:
        """Take a held envelope whose number the origin's ledger has just received as new."""
        ledger = self.ledger(envelope.origin)
        for refusal in routing.refusals:
            ledger.refuse(refusal)
        has_news = ledger.expect(envelope.sequence, routing.parts)
        for site, recipients in routing.parts.items():
            forwarding = self.forwarding(site)
            if forwarding.is_spooled(envelope):
                has_news = ledger.answer(envelope.epoch, envelope.sequence, site) or has_news
            else:
                forwarding.offer(envelope.addressed_to(recipients))
        return (*routing.parts, envelope.origin) if has_news else tuple(routing.parts)

    def acknowledged(self, site: str, hub_sequence: int) -> Collection[str]:
        """A site has stored what the link brought it.  Raises ValueError if it was never sent so much."""
        return self._answered(site, self.forwarding(site).acknowledge(hub_sequence))

    def appended(self, site: str, positions: Iterable[int]) -> Collection[str]:
        """The spool has stored what was wanted for a site."""
        return self._answered(site, self.forwarding(site).appended(tuple(positions)))

    def _answered(self, site: str, envelopes: Iterable[Envelope]) -> Collection[str]:
        told: dict[str, None] = {}  # a set that keeps its order
        for envelope in envelopes:
            ledger = self._ledgers.get(envelope.origin)
            if ledger is not None and ledger.answer(envelope.epoch, envelope.sequence, site):
                told[envelope.origin] = None
        return told.keys()
