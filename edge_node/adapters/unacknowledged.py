"""Which deliveries to a session its client has not acknowledged, by numbers that wrap (XEP-0198 section 4)."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

WRAP = 1 << 32
HALF = WRAP >> 1


def is_after(number: int, acknowledged: int) -> bool:
    """Whether `number` comes after `acknowledged`, both modulo 2^32."""
    return 0 < (number - acknowledged) % WRAP < HALF


def unacknowledged(
    rows: Iterable[tuple[T, Iterable[tuple[int, int]]]], session: int, after_number: int
) -> list[tuple[T, int]]:
    """(row, number) of what the session was sent after `after_number`, in the order of the numbers.

    Args:
        rows: (row, deliveries) of one account, newest first; read no further than needed.
        session: the session's key.
        after_number: the last number that is acknowledged.
    """
    found: list[tuple[T, int]] = []
    ahead = HALF
    for row, deliveries in rows:
        for key, number in deliveries:
            if key != session:
                continue
            # Looking back, numbers fall.  One that does not is from before the session began to count anew.
            if not is_after(number, after_number) or (number - after_number) % WRAP >= ahead:
                return found[::-1]
            ahead = (number - after_number) % WRAP
            found.append((row, number))
    return found[::-1]
