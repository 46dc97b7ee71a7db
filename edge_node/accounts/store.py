"""Port: the durable replica of this site's own accounts, so that a branch can authenticate alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xmpp.sasl import ScramVerifier


@dataclass(frozen=True, slots=True)
class Account:
    """One account whose home is this site, as the hub last told."""

    local: str
    disabled: bool
    verifiers: tuple[ScramVerifier, ...]
    display_name: str


class AccountStore(Protocol):
    """The hub is the only author; this is a copy with a version."""

    async def load(self) -> tuple[int, Sequence[Account]]:
        """The version held and every account; (0, ()) for an empty replica."""

    async def apply(self, version: int, upserted: Sequence[Account], removed: Sequence[str], *, full: bool) -> None:
        """Apply one versioned difference durably.

        Args:
            version: what the replica holds afterwards.
            upserted: accounts added or changed.
            removed: local parts that are gone.
            full: `upserted` is everything: what it does not name is gone.
        """
