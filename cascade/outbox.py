"""What a site has promised and the hub has not answered for yet.

Rule: the store behind it is the outbox; this is the part of it that is in memory, with three marks in the order of
sequences::

    released         sent            loaded           last_sequence
    ───┴──────────────┴────────────────┴────────────────────┴
     gone   in flight   ready to send   only in the store

A held envelope is offered *after* its store has committed it.  While everything before it is in memory and there is
room, it stays in memory and is never read back; otherwise it is read later, through `wanted_read` and `loaded`.

The outbox survives links: after a link is lost, `rewind` makes everything that is not released ready to be sent again.
Sequences grow, but need not be contiguous (an allocated sequence may never have been committed).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cascade.envelope import Envelope
from cascade.frame import Acknowledgement, Refusal


@dataclass(frozen=True, slots=True)
class Read:
    """The store is asked for the envelopes after a sequence, in order."""

    after_sequence: int
    limit: int


@dataclass(slots=True)
class Release:
    """What an acknowledgement, or a read after it, has answered for.

    1. `refused` are handled, durably: each becomes an error to its sender;
    2. the store is trimmed `up_to` (0 = nothing new);
    3. `Outbox.settle` is told, which the next hello tells the hub: until then it remembers the refusals.
    """

    refused: list[tuple[Envelope, Refusal]]
    up_to: int


class OutboxRegressed(Exception):
    """The hub answers for sequences that this outbox has never given out: it is an old copy, and needs a new epoch."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text}: the store is an old copy, see `chappe edge new-epoch --help`")


class Outbox:
    """The window over the outbox store of one site.

    Args:
        epoch: of the store.
        last_sequence: the highest that the store has given out.
        envelopes_max: held in memory, in flight or ready.
        bytes_max: the same, in bytes; one envelope is always allowed.
        read_limit: envelopes asked for by one read.

    """

    def __init__(
        self, *, epoch: int, last_sequence: int, envelopes_max: int, bytes_max: int, read_limit: int = 512
    ) -> None:
        self.epoch = epoch
        self.last_sequence = last_sequence
        """The highest sequence that the store has committed."""
        self.released = 0
        """Everything up to here is answered for."""
        self.settled = 0
        """Everything up to here is settled: refusals have become errors, and the store is trimmed."""
        self.is_known = False
        """Whether the store has been looked into, so that `settled` can be told to the hub."""
        self._envelopes_max = envelopes_max
        self._bytes_max = bytes_max
        self._read_limit = read_limit
        self._in_flight: deque[Envelope] = deque()
        self._ready: deque[Envelope] = deque()
        self._bytes = 0
        self._loaded_to = 0
        self._is_reading = False
        self._reading_to = 0  # last_sequence when the read was asked for
        self._answered_to = 0
        self._refusals: dict[int, list[Refusal]] = {}

    # ------------------------------------------------------------------------------------------------ what comes in

    def offer(self, envelope: Envelope) -> None:
        """Take an envelope that the store has just committed."""
        if envelope.sequence <= self.last_sequence:
            raise ValueError(f"sequence {envelope.sequence} is not above {self.last_sequence}")
        is_contiguous = self.is_known and self._loaded_to == self.last_sequence
        self.last_sequence = envelope.sequence
        if is_contiguous and self._has_room:
            self._keep(envelope)

    def loaded(self, envelopes: Sequence[Envelope], *, is_complete: bool) -> Release:
        """Take the answer of a read.

        Args:
            envelopes: in order, each after the sequence that was asked for.
            is_complete: nothing more was committed when the read was asked for: fewer than its limit came.

        """
        if not self.is_known:
            self.is_known = True
            self.released = self.settled = envelopes[0].sequence - 1 if envelopes else self._reading_to
        for envelope in envelopes:
            self._keep(envelope)
        if is_complete:
            self._loaded_to = max(self._loaded_to, self._reading_to)
        self._is_reading = False
        return self._release()

    def read_failed(self) -> None:
        """The store could not answer the read: it will be asked again."""
        self._is_reading = False

    def acknowledge(self, acknowledgement: Acknowledgement) -> Release:
        """Take an answer of the hub.

        Raises:
            OutboxRegressed: it answers for what was never given out.

        """
        if acknowledgement.up_to > self.last_sequence:
            raise OutboxRegressed(
                f"the hub answers up to {acknowledgement.up_to}, epoch {self.epoch} has reached {self.last_sequence}"
            )
        for refusal in acknowledgement.refusals:
            if self.released < refusal.sequence <= acknowledgement.up_to:
                known = self._refusals.setdefault(refusal.sequence, [])
                if refusal not in known:
                    known.append(refusal)
        self._answered_to = max(self._answered_to, acknowledgement.up_to)
        return self._release()

    def settle(self, up_to: int) -> None:
        """Note that what a release asks for has been done."""
        self.settled = up_to

    def rewind(self) -> None:
        """The link is gone: what was in flight is ready again."""
        self._ready.extendleft(reversed(self._in_flight))
        self._in_flight.clear()

    # ----------------------------------------------------------------------------------------------- what goes out

    def take(self, window_envelopes: int) -> Envelope | None:
        """Return the next envelope to send, unless as many as the window allows are in flight."""
        if not self._ready or len(self._in_flight) >= window_envelopes:
            return None
        envelope = self._ready.popleft()
        self._in_flight.append(envelope)
        return envelope

    def is_sendable(self, window_envelopes: int) -> bool:
        """Whether `take` would return one."""
        return bool(self._ready) and len(self._in_flight) < window_envelopes

    def sendable_count(self, window_envelopes: int) -> int:
        """Return how many `take` would return."""
        return max(0, min(len(self._ready), window_envelopes - len(self._in_flight)))

    def wanted_read(self) -> Read | None:
        """Return the read to start now, if one is due; its answer goes to `loaded` or `read_failed`."""
        if not self.is_read_wanted:
            return None
        room = self._envelopes_max - len(self._ready) - len(self._in_flight)
        self._is_reading = True
        self._reading_to = self.last_sequence
        return Read(self._loaded_to, min(self._read_limit, room))

    @property
    def is_read_wanted(self) -> bool:
        """Whether `wanted_read` would return one."""
        if self._is_reading or len(self._ready) >= max(1, self._read_limit // 2) or not self._has_room:
            return False
        return not self.is_known or self._loaded_to < self.last_sequence

    # ---------------------------------------------------------------------------------------------------- measures

    @property
    def backlog(self) -> int:
        """An upper bound of the envelopes that wait for an answer, in memory and in the store."""
        return self.last_sequence - self.released if self.is_known else self.last_sequence

    @property
    def oldest_us(self) -> int:
        """When the oldest envelope that waits for an answer was promised; 0: none does, or it is not known yet."""
        for held in (self._in_flight, self._ready):
            if held:
                return held[0].sent_us
        return 0

    @property
    def in_memory(self) -> int:
        """Envelopes in memory."""
        return len(self._ready) + len(self._in_flight)

    @property
    def in_flight(self) -> int:
        """Envelopes sent on this link and not answered for."""
        return len(self._in_flight)

    # -------------------------------------------------------------------------------------------------------- parts

    @property
    def _has_room(self) -> bool:
        return self.in_memory < self._envelopes_max and self._bytes < self._bytes_max

    def _keep(self, envelope: Envelope) -> None:
        self._ready.append(envelope)
        self._bytes += envelope.size_bytes
        self._loaded_to = envelope.sequence

    def _release(self) -> Release:
        """Let go of what is answered for, as far as it is in memory: a refusal needs its envelope."""
        up_to = min(self._answered_to, self._loaded_to)
        if up_to <= self.released:
            return Release([], 0)
        refused: list[tuple[Envelope, Refusal]] = []
        for held in (self._in_flight, self._ready):
            while held and held[0].sequence <= up_to:
                envelope = held.popleft()
                self._bytes -= envelope.size_bytes
                refusals = self._refusals.pop(envelope.sequence, ())
                refused += [(_narrowed(envelope, refusal), refusal) for refusal in refusals]
        for sequence in [sequence for sequence in self._refusals if sequence <= up_to]:
            del self._refusals[sequence]
        self.released = up_to
        return Release(refused, up_to)


def _narrowed(envelope: Envelope, refusal: Refusal) -> Envelope:
    if not refusal.recipients or refusal.recipients == envelope.recipients:
        return envelope
    return replace(envelope, recipients=refusal.recipients, encoded=b"")
