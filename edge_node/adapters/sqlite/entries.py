"""Where the rows of an account's archive are: sorted by account in `entry`, lately arrived ones in `recent`."""

import json
from typing import NamedTuple


class Place(NamedTuple):
    """Where to look for one account's rows, as of the moment when it was asked for.

    Ask before the reader's view begins: rows that were committed by then are in `recent` where this says so, or have
    been moved to `entry` in between, in both cases visible to the reader.
    """

    recent: str
    """Numbers of rows in `recent`, as JSON; empty: there are none.  It may name rows that are gone or not its own."""


def place(numbers: list[int]) -> Place:
    """From what the writer knows by heart."""
    return Place(json.dumps(numbers) if numbers else "")


_FOUND_IN_RECENT = " AND row IN (SELECT value FROM json_each(:recent))"


def union(select: str, where: Place, entry: str = "entry") -> str:
    """One select over both tables; `{table}` stands for the table in `select`, which must have conditions.

    The statement takes `where.recent` as the value named `recent`.  `entry` may name an index too.
    """
    selects = [select.format(table=entry)]
    if where.recent:
        selects.append(select.format(table="recent") + _FOUND_IN_RECENT)
    return " UNION ALL ".join(selects)
