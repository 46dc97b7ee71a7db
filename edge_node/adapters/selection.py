"""A query of the archive as a range of ids, for every adapter.

An id is also the microsecond of the message, so times, the ids of the form, and the place of a page (XEP-0313
section 4, XEP-0059) are bounds of one kind.
"""

from typing import NamedTuple

from edge_node.features.archive.store import PageRequest, Selection

ID_MAX = (1 << 63) - 1
"""Stores keep ids as signed 64-bit numbers."""


class IdRange(NamedTuple):
    """Ids from `low` to `high`, both included."""

    low: int
    high: int


EVERYTHING = IdRange(0, ID_MAX)


def selected(selection: Selection) -> IdRange:
    """The ids that the selection's times and ids leave."""
    low, high = EVERYTHING
    if selection.start_us is not None:
        low = max(low, selection.start_us)
    if selection.after_id is not None:
        low = max(low, selection.after_id + 1)
    if selection.end_us is not None:
        high = min(high, selection.end_us)
    if selection.before_id is not None:
        high = min(high, selection.before_id - 1)
    return IdRange(min(low, ID_MAX), max(high, -1))


def paged(within: IdRange, request: PageRequest) -> IdRange:
    """The part of the selection where the page may lie."""
    low, high = within
    if request.after is not None:
        low = max(low, request.after + 1)
    if request.before is not None:
        high = min(high, request.before - 1)
    return IdRange(min(low, ID_MAX), max(high, -1))


def is_backward(request: PageRequest) -> bool:
    """Whether the page is taken from the end of its range.

    `after` together with `before` is undefined in XEP-0313 section 4.2; here it is the first page between the two.
    """
    return request.after is None and (request.last or request.before is not None)


def named_ids(selection: Selection, request: PageRequest) -> set[int]:
    """The ids that the query names and that the archive must therefore have (XEP-0313 sections 4.1.3 and 4.2)."""
    named = {selection.after_id, selection.before_id, request.after, request.before, *(selection.ids or ())}
    return {each for each in named if each is not None}
