from collections.abc import Iterator

import pytest

from edge_node.adapters.unacknowledged import WRAP, is_after, unacknowledged


@pytest.mark.parametrize(
    ("number", "acknowledged", "expected"),
    [(1, 0, True), (0, 0, False), (0, 1, False), (0, WRAP - 1, True), (WRAP - 1, 0, False), (3, WRAP - 2, True)],
)
def test_numbers_are_compared_across_the_wrap(number: int, acknowledged: int, expected: bool) -> None:
    assert is_after(number, acknowledged) is expected


def test_it_reads_no_further_than_the_first_acknowledged_row() -> None:
    def rows() -> Iterator[tuple[int, list[tuple[int, int]]]]:
        yield 30, [(7, 3)]
        yield 25, [(8, 1)]
        yield 20, [(7, 2)]
        yield 10, [(7, 1)]
        raise AssertionError("read too far")

    assert unacknowledged(rows(), 7, 1) == [(20, 2), (30, 3)]


def test_numbers_that_began_again_end_the_search() -> None:
    rows = [(5, [(7, 2)]), (4, [(7, 1)]), (3, [(7, 9)]), (2, [(7, 8)])]
    assert unacknowledged(rows, 7, 0) == [(4, 1), (5, 2)]
