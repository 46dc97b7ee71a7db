"""IQ requests that left the site and wait for their response.

Rule: only an IQ answers, and only from the address that was asked, with the id that was used.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from xmpp.jid import JID

Key = tuple[str, str, str]


class PendingRequests:
    """Bounded; all have the same time to live, so the oldest is always the first to expire."""

    def __init__(self, monotonic: Callable[[], float], *, deadline_seconds: float, requests_max: int) -> None:
        """Make it empty.

        Args:
            monotonic: seconds, never running backwards.
            deadline_seconds: how long an answer is waited for.
            requests_max: how many may wait at once.
        """
        self._monotonic = monotonic
        self._deadline_seconds = deadline_seconds
        self._requests_max = requests_max
        self._waiting: OrderedDict[Key, tuple[float, JID, JID]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, requester: JID, recipient: JID, id: str) -> bool:
        """Wait for a response; False when too many are waited for."""
        if len(self._waiting) >= self._requests_max:
            return False
        key = (requester.full, recipient.full, id)
        self._waiting.pop(key, None)
        self._waiting[key] = (self._monotonic() + self._deadline_seconds, requester, recipient)
        return True

    def answered(self, requester: JID, recipient: JID, id: str) -> bool:
        """Whether exactly this response was waited for; it is not any more."""
        return self._waiting.pop((requester.full, recipient.full, id), None) is not None

    def expired(self, now: float) -> Iterator[tuple[JID, JID, str]]:
        """Take out (requester, recipient, id) of those whose deadline has passed."""
        while self._waiting:
            key, (deadline, requester, recipient) = next(iter(self._waiting.items()))
            if deadline > now:
                return
            del self._waiting[key]
            yield requester, recipient, key[2]
