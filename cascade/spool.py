"""The hub's durable store of envelopes for sites that are away or slow: the port, and the adapter in memory.

Rule: per destination, positions grow with the order of appending; what was appended is there until it is trimmed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cascade.envelope import Envelope
from cascade.inbox import Watermark


@dataclass(frozen=True, slots=True)
class Extent:
    """What a spool has of one destination."""

    trimmed_to: int
    """The highest position that is gone (0 = none)."""
    last: int
    """The highest position that was given out; never reused."""
    marks: Mapping[str, Watermark] = field(default_factory=dict)
    """Origin to the name of its last envelope that was appended, trimmed ones included."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """An envelope and its position."""

    position: int
    envelope: Envelope


class SpoolStore(Protocol):
    """Port.  Calls return at once; answers come later, in the order of the calls, on the caller's loop."""

    def extents(self) -> Mapping[str, Extent]:
        """Return what is stored of every destination.  Called once, at start."""
        ...

    def append(
        self, destination: str, envelopes: Sequence[Envelope], done: Callable[[Sequence[int] | Exception], None]
    ) -> None:
        """Store envelopes, all or none; answer with their positions once they are durable, or why they are not."""
        ...

    def read(
        self,
        destination: str,
        after_position: int,
        limit: int,
        done: Callable[[Sequence[Spooled] | Exception], None],
    ) -> None:
        """Answer with at most `limit` envelopes after a position, in order."""
        ...

    def trim(self, destination: str, up_to_position: int) -> None:
        """Delete up to a position; may be batched, and may be lost by a crash."""
        ...


class MemorySpoolStore:
    """A spool that is durable for as long as the object lives; answers at once."""

    def __init__(self) -> None:
        self._spooled: dict[str, deque[Spooled]] = {}
        self._extents: dict[str, Extent] = {}

    def extents(self) -> Mapping[str, Extent]:
        return dict(self._extents)

    def append(
        self, destination: str, envelopes: Sequence[Envelope], done: Callable[[Sequence[int] | Exception], None]
    ) -> None:
        extent = self._extents.get(destination, Extent(0, 0))
        spooled = self._spooled.setdefault(destination, deque())
        positions = range(extent.last + 1, extent.last + 1 + len(envelopes))
        spooled.extend(Spooled(position, envelope) for position, envelope in zip(positions, envelopes, strict=True))
        marks = {**extent.marks, **marks_of(envelopes)}
        self._extents[destination] = Extent(extent.trimmed_to, extent.last + len(envelopes), marks)
        done(positions)

    def read(
        self,
        destination: str,
        after_position: int,
        limit: int,
        done: Callable[[Sequence[Spooled] | Exception], None],
    ) -> None:
        found: list[Spooled] = []
        for spooled in self._spooled.get(destination, ()):
            if spooled.position > after_position:
                found.append(spooled)
                if len(found) == limit:
                    break
        done(found)

    def trim(self, destination: str, up_to_position: int) -> None:
        spooled = self._spooled.get(destination)
        while spooled and spooled[0].position <= up_to_position:
            spooled.popleft()
        extent = self._extents.get(destination, Extent(0, 0))
        self._extents[destination] = Extent(max(extent.trimmed_to, up_to_position), extent.last, extent.marks)


def marks_of(envelopes: Iterable[Envelope]) -> dict[str, Watermark]:
    """Origin to the name of its last envelope."""
    return {envelope.origin: (envelope.epoch, envelope.sequence) for envelope in envelopes}
