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

    Every row is looked at: one that had waited has a higher number than younger ones that did not have to.

    Args:
        rows: (row, deliveries) of one account.
        session: the session's key.
        after_number: the last number that is acknowledged.
    """
    found = [
        (row, number)
        for row, deliveries in rows
        for key, number in deliveries
        if key == session and is_after(number, after_number)
    ]
    return sorted(found, key=lambda each: (each[1] - after_number) % WRAP)
