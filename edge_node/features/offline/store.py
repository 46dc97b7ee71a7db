"""Port: offline delivery is a position in the archive, not a queue of deletes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One message that waits for an account or for a session."""

    id: int
    stanza: bytes
    number: int = 0
    """Its number in the session that it was delivered to; 0 when it waits for the account."""
    is_archived: bool = False
    """Whether the account finds it in its archive too, under this id."""
    sessions: tuple[int, ...] = ()
    """Keys of all sessions that it was ever delivered to."""


class DeliveryStore(Protocol):
    """What has not reached its reader yet.  Rows enter through `edge_node.custody`."""

    async def waiting(self, account: str, limit: int) -> Sequence[Undelivered]:
        """Rows flagged OFFLINE above the account's position, oldest first."""

    async def count_waiting(self, account: str, limit: int) -> int:
        """How many rows wait, counting no further than `limit`."""

    def advance(self, account: str, position: int) -> None:
        """Everything waiting up to this id has been delivered.  Never moves back.  Joins the next group commit."""

    async def delivered_to(self, account: str, session: int, after_number: int) -> Sequence[Undelivered]:
        """What was delivered to a session with a number above `after_number` (modulo 2^32), in order of the numbers."""

    def renumber(self, account: str, id: int, session: int, number: int) -> None:
        """A row gets a number in `session`, in place of one that it may have there.

        Joins the next group commit, in order.
        """

    async def unfulfilled(self) -> Sequence[tuple[str, Undelivered]]:
        """(account, row) of incoming rows above the id last given to `Custody.fulfilled`."""

    def keep_waiting(self, account: str, id: int) -> None:
        """Flag a row OFFLINE after all: the sessions that it was delivered to are gone.  Joins the next group commit.

        The account's position moves below the row if it had passed it, and only rows flagged OFFLINE count as waiting.
        """

    async def sessions_numbers(self, since_id: int) -> Mapping[int, int]:
        """Session key to the highest inbound number taken in custody, over acceptances with an id above `since_id`."""

    async def last_id(self) -> int:
        """The highest id in the store; 0 at first."""
