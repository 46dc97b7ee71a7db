"""Interest: whose presence is wanted, by whom, and what has yet to be said about that.

Presence crosses a link only for accounts that somebody on the other side watches (architecture, decision 6).
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from cascade.frame import InterestChange


class WatchCounts:
    """How many at this site watch each account elsewhere.

    Args:
        accounts_max: different accounts that are watched at the same time.

    """

    def __init__(self, accounts_max: int) -> None:
        self._counts: dict[str, int] = {}
        self._accounts_max = accounts_max

    def watch(self, account: str) -> bool:
        """Count one more; return whether it is the first.  Raises OverflowError for a first one beyond the bound."""
        count = self._counts.get(account, 0)
        if not count and len(self._counts) >= self._accounts_max:
            raise OverflowError(f"{self._accounts_max} accounts are watched")
        self._counts[account] = count + 1
        return count == 0

    def unwatch(self, account: str) -> bool:
        """Count one less; return whether nobody is left.  Raises KeyError if nobody watched."""
        count = self._counts[account] - 1
        if count:
            self._counts[account] = count
            return False
        del self._counts[account]
        return True

    def __contains__(self, account: object) -> bool:
        return account in self._counts

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)


class PendingInterest:
    """The difference that has yet to be said.

    Anything may be said twice; that an account is wanted and that it is not are never pending together.
    """

    def __init__(self) -> None:
        self._added: dict[str, int] = {}
        self._removed: dict[str, None] = {}
        self._is_full_unsaid = False
        self._is_saying_full = False

    def replace(self, accounts: Iterable[tuple[str, int]]) -> None:
        """Say everything anew: (account, version of its presence that is held)."""
        self._added = dict(accounts)
        self._removed.clear()
        self._is_full_unsaid = self._is_saying_full = True

    def add(self, account: str, version: int) -> None:
        """Say that an account is wanted."""
        self._removed.pop(account, None)
        self._added[account] = version

    def remove(self, account: str) -> None:
        """Say that an account is no longer wanted."""
        self._added.pop(account, None)
        self._removed[account] = None

    def take(self, accounts_max: int) -> InterestChange | None:
        """Return what fits into a frame, and forget it."""
        if not self:
            return None
        added = tuple(islice(self._added.items(), accounts_max))
        removed = tuple(islice(self._removed, accounts_max - len(added)))
        for account, _ in added:
            del self._added[account]
        for account in removed:
            del self._removed[account]
        is_full, self._is_full_unsaid = self._is_full_unsaid, False
        has_more = self._is_saying_full and bool(self._added)
        self._is_saying_full = has_more
        return InterestChange(added, removed, is_full, has_more)

    def clear(self) -> None:
        """Drop everything: the link is gone, and all is said anew on the next."""
        self._added.clear()
        self._removed.clear()
        self._is_full_unsaid = self._is_saying_full = False

    def __bool__(self) -> bool:
        return bool(self._added or self._removed or self._is_full_unsaid)


class InterestGatherer:
    """Puts a full statement that spans frames together again.

    Args:
        accounts_max: named by one statement; what goes beyond is left out.

    """

    def __init__(self, accounts_max: int) -> None:
        self._accounts_max = accounts_max
        self._added: dict[str, int] | None = None

    def receive(self, change: InterestChange) -> InterestChange | None:
        """Take a part; return what is to be applied now, if the statement is complete."""
        if change.is_full:
            self._added = {}
        if self._added is None:
            return change
        for account in change.removed:
            self._added.pop(account, None)
        for account, version in change.added:
            if len(self._added) < self._accounts_max:
                self._added[account] = version
        if change.has_more:
            return None
        added, self._added = self._added, None
        return InterestChange(tuple(added.items()), is_full=True)
