"""XEP-0198 counters and the queue of stanzas that the peer has not acknowledged.

Both counters are 32-bit and wrap to zero (section 4), which only this file knows.
"""

from typing import Generic, TypeVar

from xmpp.element import Element
from xmpp.errors import StreamCondition, StreamError
from xmpp.namespaces import STREAM_MANAGEMENT

COUNT_MODULUS = 2**32
"""`h` is an xs:unsignedInt: after 2^32 - 1 comes 0."""

T = TypeVar("T")


class HandledCountTooHigh(StreamError):
    """The peer acknowledged what it was never sent, or less than before (XEP-0198 section 6)."""

    def __init__(self, h: int, sent: int) -> None:
        """`h` is what the peer claims, `sent` the number of stanzas sent."""
        text = f"You acknowledged {h} stanzas, but I only sent you {sent} so far."
        counts = {"h": str(h), "send-count": str(sent)}
        application = Element(f"{{{STREAM_MANAGEMENT}}}handled-count-too-high", counts)
        super().__init__(StreamCondition.UNDEFINED_CONDITION, text, application=application)


class HandledCounter:
    """How many of the peer's stanzas are handled, and which of its requests still wait for that.

    Stanzas are numbered as they arrive; those up to `base` came before the count began.
    A request is answered once everything that came before it is handled: at once if nothing is under way.
    """

    __slots__ = ("_base", "_due", "_due_before", "_due_last", "_handled", "_is_open")

    def __init__(self, base: int, handled: int) -> None:
        """Begin behind the stanza numbered `base`; `handled` is the number of the last one handled."""
        self._base = base
        self._handled = handled
        self._due: int | None = None
        self._due_before: int | None = None
        self._due_last = 0
        self._is_open = False

    @property
    def h(self) -> int:
        """What `<a/>` says, modulo 2^32."""
        return max(self._handled - self._base, 0) % COUNT_MODULUS

    def open(self) -> bool:
        """The peer has been told; answers whether an acknowledgement is due."""
        self._is_open = True
        return self._is_due()

    def requested(self, received: int) -> bool:
        """Take a request behind the stanza numbered `received`; answers whether an acknowledgement is due."""
        if self._due is None:
            self._due = received
        self._due_last = received
        return self._is_due()

    def handled(self, number: int) -> bool:
        """Take progress up to the stanza of that number; answers whether an acknowledgement is due."""
        self._handled = number
        return self._due is not None and self._is_due()

    def is_overdue(self) -> bool:
        """Whether a request has waited since the last time that this was asked; it goes on waiting."""
        before, self._due_before = self._due_before, self._due
        return self._is_open and self._due is not None and self._due == before

    def _is_due(self) -> bool:
        if self._due is None or not self._is_open or self._handled < self._due:
            return False
        # One answer may serve several requests; the latest keeps its own.
        self._due = self._due_last if self._due_last > self._handled else None
        return True


class QueueFull(Exception):
    """The peer does not acknowledge; the queue has reached its bound."""


class AckQueue(Generic[T]):
    """What was sent and is not acknowledged yet, in order."""

    # A list, not a deque: an empty deque takes 760 bytes, and most queues are empty most of the time.
    __slots__ = ("_acknowledged", "_items", "items_max")

    def __init__(self, items_max: int, acknowledged: int = 0) -> None:
        """Hold at most `items_max`; `acknowledged` is the count to continue from after a resumption."""
        self.items_max = items_max
        self._acknowledged = acknowledged
        self._items: list[T] = []

    def __len__(self) -> int:
        """How many are not acknowledged."""
        return len(self._items)

    @property
    def sent(self) -> int:
        """The number of the last item pushed, modulo 2^32."""
        return (self._acknowledged + len(self._items)) % COUNT_MODULUS

    @property
    def acknowledged(self) -> int:
        """The highest `h` the peer sent, modulo 2^32."""
        return self._acknowledged

    def push(self, item: T) -> int:
        """Add what is being sent; answers how many are not acknowledged now.  Raises QueueFull."""
        items = self._items
        if len(items) >= self.items_max:
            raise QueueFull
        items.append(item)
        return len(items)

    def acknowledge(self, h: int) -> list[T]:
        """Take the peer's `h`; answers what it releases.  Raises HandledCountTooHigh."""
        count = (h - self._acknowledged) % COUNT_MODULUS
        if count > len(self._items):
            raise HandledCountTooHigh(h, self.sent)
        released = self._items[:count]
        del self._items[:count]
        self._acknowledged = h
        return released

    def unacknowledged(self) -> list[tuple[int, T]]:
        """What must be sent again after a resumption, each with its number."""
        return [
            ((self._acknowledged + position) % COUNT_MODULUS, item)
            for position, item in enumerate(self._items, start=1)
        ]
