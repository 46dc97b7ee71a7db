"""Port: rosters (RFC 6121 section 2)."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from edge_node.sessions.roster import Roster, RosterItem, Subscription

__all__ = ["Roster", "RosterChange", "RosterItem", "RosterStore", "Subscription"]


class RosterChange(NamedTuple):
    """What became of one contact."""

    version: int
    """The one that the last change of this contact led to."""
    contact: str
    """Bare JID."""
    item: RosterItem | None
    """As it is now; None: removed."""


class RosterStore(Protocol):
    """Verbs on one account's roster.  `version` grows with every change and is given by the caller."""

    async def load(self, account: str) -> Roster:
        """The roster of a bare JID; an account without one has version 0 and no items."""

    async def put(self, account: str, item: RosterItem, version: int) -> None:
        """Insert or replace one item, durably."""

    async def remove(self, account: str, contact: str, version: int) -> None:
        """Remove one item, durably; the removal is remembered for `changes`."""

    async def changes(self, account: str, since: int, limit: int) -> Sequence[RosterChange] | None:
        """What changed after version `since`, oldest first, each contact once.

        None when more than `limit` changed or the removals since then are no longer known: send the whole roster.
        """
