"""IQ requests that left the site and wait for their response.

Rule: only an IQ answers, and only from the address that was asked, with the id that was used.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from xmpp.jid import JID
from xmpp.stanza import Stanza

Key = tuple[str, str, str]


class Pending(NamedTuple):
    """A request that waits."""

    deadline: float
    requester: JID
    recipient: JID
    id: str
    type: str
    payload: str
    """Clark name: what was asked for."""


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
        self._waiting: OrderedDict[Key, Pending] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, requester: JID, recipient: JID, request: Stanza) -> bool:
        """Wait for the response to a request that has an id and a payload; False when too many are waited for."""
        if len(self._waiting) >= self._requests_max:
            return False
        id_ = request.id or ""
        key = (requester.full, recipient.full, id_)
        self._waiting.pop(key, None)
        deadline = self._monotonic() + self._deadline_seconds
        self._waiting[key] = Pending(deadline, requester, recipient, id_, request.type or "", request.payloads[0])
        return True

    def answered(self, requester: JID, recipient: JID, id: str) -> Pending | None:
        """Take out the request that this is the response to; None when exactly this response was not waited for."""
        return self._waiting.pop((requester.full, recipient.full, id), None)

    def expired(self, now: float) -> Iterator[Pending]:
        """Take out those whose deadline has passed."""
        while self._waiting:
            key, request = next(iter(self._waiting.items()))
            if request.deadline > now:
                return
            del self._waiting[key]
            yield request
