"""Presence as state: the newest of each account, and what has yet to be said.

Rule: versions only grow, the newest wins, and anything may be said twice.  So nothing here queues history: a state
that is overtaken before it could be sent is never sent.
"""

from collections.abc import Iterable

from cascade.frame import AccountPresence


class PresenceTable:
    """The newest presence of each account that somebody watches."""

    def __init__(self) -> None:
        self._newest: dict[str, AccountPresence] = {}

    def apply(self, presence: AccountPresence) -> bool:
        """Take a state; return whether it was news."""
        known = self._newest.get(presence.account)
        if known is not None and known.version >= presence.version:
            return False
        self._newest[presence.account] = presence
        return True

    def get(self, account: str) -> AccountPresence | None:
        """Return the newest state of an account."""
        return self._newest.get(account)

    def version(self, account: str) -> int:
        """Return the version of what is known; 0 = nothing."""
        known = self._newest.get(account)
        return known.version if known is not None else 0

    def forget(self, accounts: Iterable[str]) -> None:
        """Drop what nobody watches any more."""
        for account in accounts:
            self._newest.pop(account, None)

    def __len__(self) -> int:
        return len(self._newest)


class PendingPresence:
    """States that have yet to be sent, one per account, first come first served."""

    def __init__(self) -> None:
        self._pending: dict[str, AccountPresence] = {}

    def put(self, presence: AccountPresence) -> None:
        """Say this in the next frame, instead of anything older about the account."""
        pending = self._pending.get(presence.account)
        if pending is None or pending.version < presence.version:
            self._pending[presence.account] = presence

    def take(self, bytes_max: int) -> list[AccountPresence]:
        """Return what fits into a frame (at least one), and forget it."""
        taken: list[AccountPresence] = []
        for presence in self._pending.values():
            bytes_max -= presence.size_bytes
            if taken and bytes_max < 0:
                break
            taken.append(presence)
        for presence in taken:
            del self._pending[presence.account]
        return taken

    def discard(self, accounts: Iterable[str]) -> None:
        """Drop what nobody asks for any more."""
        for account in accounts:
            self._pending.pop(account, None)

    def clear(self) -> None:
        """Drop everything: the link is gone, and whoever asks again says which versions it has."""
        self._pending.clear()

    def __len__(self) -> int:
        return len(self._pending)
