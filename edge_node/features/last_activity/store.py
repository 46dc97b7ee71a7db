"""Port: when accounts were last connected."""

from typing import Protocol


class DepartureStore(Protocol):
    """One moment for each account: that of its latest departure."""

    def left(self, account: str, at_us: int) -> None:
        """Keep when an account's last session ended; fire and forget, it joins the next group commit.

        Args:
            account: bare JID.
            at_us: wall clock.
        """

    async def last(self, account: str) -> int | None:
        """The moment that was kept last; None: there was none.  Raises StoreUnavailable."""
