"""Port: reading an account's message archive (XEP-0313).  Rows enter through `edge_node.custody`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows a query asks for; every bound is optional and they all apply together."""

    peer: str | None = None
    """Bare JID of the other party."""
    start_us: int | None = None
    """Not before: microseconds since 1970, UTC."""
    end_us: int | None = None
    """Not after."""
    after_id: int | None = None
    """Form field `after-id`: ids above."""
    before_id: int | None = None
    """Form field `before-id`: ids below."""
    ids: tuple[int, ...] | None = None
    """Just these; an id that is not in the archive makes the query fail (item-not-found)."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Where in the selection the page lies (XEP-0059)."""

    limit: int
    after: int | None = None
    """The page that follows this id."""
    before: int | None = None
    """The page that precedes this id."""
    last: bool = False
    """The last page of the selection (an empty `<before/>`)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One archived message."""

    id: int
    """Also its time: microseconds since 1970, UTC, made strictly increasing."""
    stanza: bytes
    outgoing: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of their ids."""

    rows: tuple[Row, ...]
    complete: bool
    """Nothing of the selection lies beyond this page in the direction of paging."""
    count: int | None
    """How many rows the selection has, when counting was cheap (bounded by the adapter)."""


class UnknownId(Exception):
    """A page or selection names an id that the archive does not have (XEP-0059: item-not-found)."""


class ArchiveDefault(StrEnum):
    """What is archived where no rule of the preferences applies (XEP-0441)."""

    ALWAYS = "always"
    NEVER = "never"
    ROSTER = "roster"


@dataclass(frozen=True, slots=True)
class Preferences:
    """One account's archiving preferences (XEP-0441)."""

    default: ArchiveDefault
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class ArchiveStore(Protocol):
    """Reads of one account's archive.  Only rows flagged ARCHIVED are seen."""

    async def page(self, account: str, selection: Selection, request: PageRequest) -> Page:
        """One page.

        Raises:
            UnknownId: `request.after`, `request.before`, `selection.ids`, `after_id` or `before_id` is not there.
        """

    async def bounds(self, account: str) -> tuple[Row, Row] | None:
        """The oldest and the newest row, for archive metadata; None for an empty archive."""

    async def purge(self, before_id: int, limit: int) -> int:
        """Remove rows older than `before_id` in one commit, message by message until `limit` are reached; how many."""

    async def all_preferences(self) -> Mapping[str, Preferences]:
        """What accounts (bare JIDs) chose; those that chose nothing are left out.  Read once, at start."""

    async def set_preferences(self, account: str, preferences: Preferences) -> None:
        """Keep what the account chose, durably."""
