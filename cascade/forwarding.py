"""The way from the hub to one site: straight onto the link, or through the spool, and never out of order.

Rule: envelopes leave in the order in which they were offered.  A duplicate is harmless (the site's inbox drops it); an
envelope that is overtaken by a later one of its origin would be lost (the inbox would take it for a duplicate).

Two modes:

*Direct*: the spool has nothing that is not in memory.  An offered envelope goes to memory and to the link; nothing is
written.  Custody stays with the origin until the site has acknowledged.

*Spooling*: the site is away, or has more in memory than it may have.  Everything that is not durable is appended to the
spool, oldest first, and every later envelope behind it.  The link is fed by reading the spool, until it is in memory as
a whole: direct again.

::

            offer, memory full │ unlinked
    DIRECT ───────────────────────────────▶ SPOOLING
       ▲                                        │
       └────────────────────────────────────────┘
         linked, nothing to append, spool read to its end
"""

from collections import deque
from collections.abc import Sequence

from cascade.envelope import Envelope
from cascade.outbox import Read
from cascade.spool import Extent, Spooled, marks_of


class _Entry:
    """An envelope on its way to the site."""

    __slots__ = ("envelope", "is_acknowledged", "is_resident", "position")

    def __init__(self, envelope: Envelope, position: int, *, is_resident: bool) -> None:
        self.envelope = envelope
        self.position = position  # in the spool; 0 = not durable
        self.is_resident = is_resident  # goes to the link from memory
        self.is_acknowledged = False


class Forwarding:
    """What the hub owes one site.

    Args:
        site: the destination.
        extent: what the spool has of it.
        envelopes_max: in memory, sent or waiting for the link; at least the site's window.
        batch_max: envelopes of one append or read.

    """

    def __init__(self, site: str, extent: Extent, *, envelopes_max: int, batch_max: int = 512) -> None:
        self.site = site
        self._envelopes_max = envelopes_max
        self._batch_max = batch_max
        self._window = 0
        self._is_linked = False
        self._sent: deque[_Entry] = deque()
        self._unsent: deque[_Entry] = deque()
        self._to_append: deque[_Entry] = deque()
        self._appending: list[_Entry] = []
        self._spooled_to = extent.last
        self._marks = dict(extent.marks)
        self._loaded_to = extent.trimmed_to
        self._trimmed_to = extent.trimmed_to
        self._trim_told = extent.trimmed_to
        self._is_reading = False
        self._is_read_stale = False
        self.hub_sequence = 0
        """The highest that was sent on this link."""
        self._acknowledged_to = 0

    # ---------------------------------------------------------------------------------------------------- the link

    def linked(self, window_envelopes: int) -> None:
        """The site has said hello: hub sequences begin anew."""
        if self._is_linked:
            raise ValueError(f"{self.site} is linked already: close the older link first")
        self._is_linked = True
        self._window = min(window_envelopes, self._envelopes_max)
        self.hub_sequence = self._acknowledged_to = 0

    def unlinked(self) -> None:
        """The link is gone: what is not durable goes to the spool, what is will be read again."""
        self._is_linked = False
        self._window = 0
        if not self.is_spooling:
            self._begin_spooling()
        for entries in (self._sent, self._unsent):
            for entry in entries:
                entry.is_resident = False
            entries.clear()
        self._loaded_to = self._trimmed_to
        self._is_read_stale = self._is_reading

    def take(self) -> Envelope | None:
        """Return the next envelope for the link, with its hub sequence, if the window is open."""
        if not self._unsent or len(self._sent) >= self._window:
            return None
        entry = self._unsent.popleft()
        self._sent.append(entry)
        self.hub_sequence += 1
        envelope = entry.envelope
        envelope.hub_sequence = self.hub_sequence
        return envelope

    @property
    def sendable_count(self) -> int:
        """How many envelopes `take` would return."""
        return max(0, min(len(self._unsent), self._window - len(self._sent)))

    def acknowledge(self, hub_sequence: int) -> list[Envelope]:
        """The site has stored everything up to here; return what is answered for by that.

        Raises:
            ValueError: so much was never sent on this link.

        """
        if hub_sequence > self.hub_sequence:
            raise ValueError(f"hub sequence {hub_sequence} acknowledged, {self.hub_sequence} sent")
        answered: list[Envelope] = []
        for _ in range(hub_sequence - self._acknowledged_to):
            entry = self._sent.popleft()
            entry.is_acknowledged = True
            if entry.position:
                self._trimmed_to = entry.position
            else:
                answered.append(entry.envelope)
        self._acknowledged_to = max(self._acknowledged_to, hub_sequence)
        return answered

    # ------------------------------------------------------------------------------------------------- the origins

    def is_spooled(self, envelope: Envelope) -> bool:
        """Whether the spool has it, or had it: it comes again, for the hub has died before it answered."""
        return (envelope.epoch, envelope.sequence) <= self._marks.get(envelope.origin, (0, 0))

    def offer(self, envelope: Envelope) -> None:
        """Take an envelope, which is this destination's own copy."""
        if not self.is_spooling and self._is_linked and self.in_memory < self._envelopes_max:
            self._unsent.append(_Entry(envelope, 0, is_resident=True))
            return
        if not self.is_spooling:
            self._begin_spooling()
        self._to_append.append(_Entry(envelope, 0, is_resident=False))

    # --------------------------------------------------------------------------------------------------- the spool

    @property
    def is_spooling(self) -> bool:
        """Whether something is, or has to be, in the spool that is not in memory."""
        return bool(self._to_append or self._appending or self._is_reading) or self._loaded_to < self._spooled_to

    def wanted_append(self) -> list[Envelope] | None:
        """Return what to append to the spool now; its answer goes to `appended` or `append_failed`."""
        if self._appending:
            return None
        while self._to_append and len(self._appending) < self._batch_max:
            entry = self._to_append.popleft()
            if not entry.is_acknowledged:
                self._appending.append(entry)
        return [entry.envelope for entry in self._appending] or None

    def appended(self, positions: Sequence[int]) -> list[Envelope]:
        """The spool has them, durably; return what is answered for by that."""
        answered: list[Envelope] = []
        for entry, position in zip(self._appending, positions, strict=True):
            entry.position = position
            if entry.is_acknowledged:
                self._trimmed_to = max(self._trimmed_to, position)
            else:
                answered.append(entry.envelope)
            if entry.is_acknowledged or entry.is_resident:
                self._loaded_to = max(self._loaded_to, position)
        self._spooled_to = positions[-1]
        self._marks.update(marks_of(entry.envelope for entry in self._appending))
        self._appending = []
        return answered

    def append_failed(self) -> None:
        """The spool could not: it will be asked again, for the same, as soon as this has been called."""
        self._to_append.extendleft(reversed(self._appending))
        self._appending = []

    def wanted_read(self) -> Read | None:
        """Return the read of the spool to start now; its answer goes to `loaded` or `read_failed`."""
        if self._is_reading or not self._is_linked or self._loaded_to >= self._spooled_to:
            return None
        room = self._envelopes_max - self.in_memory
        if room < max(1, min(self._batch_max, self._envelopes_max) // 2):
            return None
        self._is_reading = True
        return Read(self._loaded_to, min(room, self._batch_max))

    def loaded(self, spooled: Sequence[Spooled]) -> None:
        """Take the answer of a read."""
        self._is_reading = False
        if self._is_read_stale:
            self._is_read_stale = False
            return
        for item in spooled:
            self._unsent.append(_Entry(item.envelope, item.position, is_resident=True))
            self._loaded_to = item.position

    def read_failed(self) -> None:
        """The spool could not: it will be asked again as soon as this has been called."""
        self._is_reading = self._is_read_stale = False

    def wanted_trim(self) -> int | None:
        """Return the position up to which the spool may be trimmed, if it has grown since the last time."""
        if self._trimmed_to == self._trim_told:
            return None
        self._trim_told = self._trimmed_to
        return self._trimmed_to

    @property
    def spooled(self) -> int:
        """An upper bound of the envelopes in the spool."""
        return self._spooled_to - self._trimmed_to

    @property
    def in_memory(self) -> int:
        """Envelopes in memory for the link, sent or not."""
        return len(self._sent) + len(self._unsent)

    # -------------------------------------------------------------------------------------------------------- parts

    def _begin_spooling(self) -> None:
        for entries in (self._sent, self._unsent):
            self._to_append.extend(entry for entry in entries if not entry.position)
