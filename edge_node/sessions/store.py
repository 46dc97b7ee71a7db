"""Port: sessions outlive the core process, so what they need to be rebuilt is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What a session needs to be rebuilt by a restarted core."""

    key: int
    """64-bit, unique for ever at this edge."""
    secret: bytes
    """Makes the resumption id (XEP-0198 `previd`) unguessable."""
    account: str
    """Local part."""
    resource: str
    managed: bool
    """Whether the client enabled resumable stream management."""
    checkpoint: bytes
    """Opaque to the store: presence, carbons, interest in the roster, and so on."""
    updated_us: int


class SessionStore(Protocol):
    """Writes are fire and forget: they join the next group commit, in order with the acceptances of custody."""

    def save(self, record: SessionRecord) -> None:
        """Insert or replace the record of `record.key`."""

    def delete(self, key: int) -> None:
        """Forget a session that ended."""

    async def load_all(self) -> Sequence[SessionRecord]:
        """Every session that was alive when the last core ended; called once, at start."""
