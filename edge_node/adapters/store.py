"""The shape of an opened store: one attribute per port, and the upkeep that belongs to no port."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from edge_node.accounts.store import AccountStore
from edge_node.custody.port import Custody
from edge_node.features.archive.store import ArchiveStore
from edge_node.features.last_activity.store import DepartureStore
from edge_node.features.offline.store import DeliveryStore
from edge_node.features.roster.store import RosterStore
from edge_node.sessions.store import SessionStore


@dataclass(slots=True)
class StoreCounters:
    """What a store has done since it was opened; written by the store, read by whoever exports metrics."""

    commits: int = 0
    acceptances: int = 0
    """Acceptances committed."""
    refused: int = 0
    """Acceptances answered with StoreUnavailable: the backlog was full, or there was no commit."""
    failures: int = 0
    """Commits that failed."""
    retried: int = 0
    """Fire-and-forget writes that were in a failed commit and went to the next one."""
    dropped: int = 0
    """Fire-and-forget writes given up because too many waited for a retry."""
    upkeep_failures: int = 0
    """Merges and checkpoints that failed, to be done later."""
    merges: int = 0
    """Times that recent rows were moved to where they are found by account."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one call of `Store.sweep` did."""

    removed: int
    """Rows removed."""
    next_id: int | None
    """Where to go on; None: this round is over, begin the next at 0."""


class Outbox(Protocol):
    """As `edge_node.uplink.store.OutboxStore`, which adapters implement without knowing the uplink."""

    @property
    def epoch(self) -> int: ...
    @property
    def last_sequence(self) -> int: ...
    async def read(self, after: int, limit: int) -> list[tuple[int, bytes]]: ...
    def trim(self, up_to: int) -> None: ...
    @property
    def envelopes(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...


class Inbox(Protocol):
    """As `edge_node.uplink.store.InboxStore`."""

    async def watermarks(self) -> Mapping[str, tuple[int, int]]: ...


class Store(Protocol):
    """An opened store.  Everything is called on the event loop that opened it."""

    @property
    def custody(self) -> Custody: ...
    @property
    def archive(self) -> ArchiveStore: ...
    @property
    def deliveries(self) -> DeliveryStore: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def departures(self) -> DepartureStore: ...
    @property
    def rosters(self) -> RosterStore: ...
    @property
    def accounts(self) -> AccountStore: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def counters(self) -> StoreCounters: ...

    async def sweep(self, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Swept:
        """Remove what was kept for deliveries only and is not needed any more; the core's housekeeping calls it.

        A row without ARCHIVED goes when it waits for nobody: it is not OFFLINE above its account's position, and
        every session of its deliveries is gone or has acknowledged the number.  A message that left no row (only
        the number of its sender's stanza) goes as it is.

        Args:
            after_id: look at messages above this id: 0, or `Swept.next_id` of the call before.
            before_id: keep everything from this id on: a sender may resend what it sent lately.
            limit: how many messages to look at; one commit.
            acknowledged: for every session that lives, connected or not, the last number that its client has
                acknowledged (XEP-0198 `h`; for a session without stream management, the last number written to it).

        Raises:
            StoreUnavailable: no commit; nothing was removed.
        """

    async def close(self) -> None:
        """Commit what was submitted, then let go.  Afterwards every submission is refused."""
