"""Ports: what this site still owes the hub, and what it has taken from other sites."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class OutboxStore(Protocol):
    """Envelopes in custody here until the hub answers for them.  They enter through `Custody.accept`."""

    @property
    def epoch(self) -> int:
        """Made when the store was made (microseconds of wall clock), and constant from then on."""

    @property
    def last_sequence(self) -> int:
        """The highest sequence ever given out in this epoch that was committed, trimmed ones included; 0 at first."""

    async def read(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Up to `limit` (sequence, encoded envelope) with a sequence above `after`, in order."""

    def trim(self, up_to: int) -> None:
        """The hub answers for everything up to this sequence: forget it.  Joins the next group commit."""

    @property
    def envelopes(self) -> int:
        """How many envelopes it holds: committed, and not trimmed by a commit."""

    @property
    def size_bytes(self) -> int:
        """What they weigh, encoded."""


class InboxStore(Protocol):
    """The duplicate filter.  Watermarks enter through `Custody.accept`."""

    async def watermarks(self) -> Mapping[str, tuple[int, int]]:
        """Origin site to (epoch, highest sequence taken)."""
