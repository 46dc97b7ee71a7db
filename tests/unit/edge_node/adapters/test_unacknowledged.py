import pytest

from edge_node.adapters.unacknowledged import WRAP, is_after, unacknowledged


@pytest.mark.parametrize(
    ("number", "acknowledged", "expected"),
    [(1, 0, True), (0, 0, False), (0, 1, False), (0, WRAP - 1, True), (WRAP - 1, 0, False), (3, WRAP - 2, True)],
)
def test_numbers_are_compared_across_the_wrap(number: int, acknowledged: int, expected: bool) -> None:
    assert is_after(number, acknowledged) is expected


def test_it_finds_what_the_session_has_not_acknowledged() -> None:
    rows = [(30, [(7, 3)]), (25, [(8, 1)]), (20, [(8, 9), (7, 2)]), (10, [(7, 1)])]
    assert unacknowledged(rows, 7, 1) == [(20, 2), (30, 3)]


def test_what_had_waited_is_found_behind_what_came_later() -> None:
    rows = [(30, [(7, 2)]), (20, [(7, 1)]), (10, [(7, 3)])]
    assert unacknowledged(rows, 7, 1) == [(30, 2), (10, 3)]


def test_the_order_is_that_of_the_numbers_across_the_wrap() -> None:
    rows = [(3, [(7, 1)]), (2, [(7, WRAP - 1)]), (1, [(7, 0)])]
    assert unacknowledged(rows, 7, WRAP - 2) == [(2, WRAP - 1), (1, 0), (3, 1)]
