"""Who has been heard how far: the duplicate filter of a site.

Rule: from one origin, envelopes are taken in the order of (epoch, sequence), so one pair per origin says it all.  There
are two pairs: what has been *taken* in memory, which recognises duplicates, and what has been *stored*, which decides
what may be acknowledged.  Taken runs ahead of stored by what is being committed.

An envelope that is new is told which one was taken before it (`Envelope.after`), so that the store can see to it that
none is committed whose predecessor failed.
"""

from collections.abc import Mapping
from enum import Enum

from cascade.envelope import Envelope

Watermark = tuple[int, int]
"""(epoch, sequence) of the highest envelope of one origin."""

_NOTHING: Watermark = (0, 0)


class Verdict(Enum):
    """What an inbox says about an envelope."""

    NEW = "new"
    DUPLICATE = "duplicate"
    STALE = "stale"
    """Of an epoch of its origin that is over: fenced."""


class Inbox:
    """Watermarks per origin.

    Args:
        watermarks: as the store has them.

    """

    def __init__(self, watermarks: Mapping[str, Watermark]) -> None:
        self._stored: dict[str, Watermark] = dict(watermarks)
        self._taken: dict[str, Watermark] = dict(watermarks)

    def take(self, envelope: Envelope) -> Verdict:
        """Judge a held envelope; one that is new counts as taken from now on, and is told what it comes after."""
        mark = (envelope.epoch, envelope.sequence)
        taken = self._taken.get(envelope.origin, _NOTHING)
        if mark > taken:
            envelope.after = taken
            self._taken[envelope.origin] = mark
            return Verdict.NEW
        return Verdict.STALE if envelope.epoch < taken[0] else Verdict.DUPLICATE

    def store(self, envelope: Envelope) -> None:
        """Note that a taken envelope, and so every one of its origin before it, has been committed."""
        mark = (envelope.epoch, envelope.sequence)
        if mark > self._stored.get(envelope.origin, _NOTHING):
            self._stored[envelope.origin] = mark
        if mark > self._taken.get(envelope.origin, _NOTHING):
            self._taken[envelope.origin] = mark  # it was forgotten while its commit was under way

    def is_stored(self, origin: str, mark: Watermark) -> bool:
        """Whether everything of an origin up to here has been committed."""
        return mark <= self._stored.get(origin, _NOTHING)

    def forget_taken(self) -> None:
        """Storing has failed: what was taken and not stored must come again, on a new link."""
        self._taken = dict(self._stored)

    @property
    def watermarks(self) -> Mapping[str, Watermark]:
        """What is stored, per origin."""
        return self._stored
