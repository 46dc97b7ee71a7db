"""Port: the durable directory of sites and accounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from central_hub.directory.accounts import Account, AccountRecord
from central_hub.directory.changes import AccountEdit, Edited, Refused
from central_hub.directory.sites import Site

GAPS_MAX = 16
"""Remembered for each site; a replica that is older than the oldest of them gets a snapshot."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Versions of a site's accounts between two lives of the directory: nobody was given them."""

    after: int
    """The last version of the life before."""
    before: int
    """The version at which the next one began, by itself no change."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything resolution needs, as read at start."""

    sites: Sequence[Site]
    versions: Mapping[str, int]
    """Site name to the newest version of its accounts."""
    gaps: Mapping[str, Sequence[Gap]]
    """Site name to the gaps in its versions, oldest first."""
    accounts: Iterable[Account]


class DirectoryStore(Protocol):
    """The authority.  Every method answers after the commit; edits are applied in the order of the calls.

    All methods raise StoreUnavailable when the store can't commit or be read.
    """

    async def begin(self, now_us: int) -> None:
        """Begin a life: every site's versions go on at `now_us`, and the gap is remembered.

        So the versions of a life that was lost, because an older copy of the store had to be put back, are not given
        out again, and a replica that holds one of them is known by it.  Of more than `GAPS_MAX` gaps the oldest are
        forgotten, and the base version of the site is moved up to where they end.
        """

    async def load(self) -> Contents:
        """Read sites, their versions and the index of accounts."""

    async def put_site(self, site: Site) -> Site:
        """Add a site, or change where its clients connect; the base version of an existing site stays."""

    async def edit_accounts(self, edits: Sequence[AccountEdit]) -> list[Edited | Refused]:
        """Apply `edits` in one commit, each with the next version of its site; one answer per edit, in order.

        A refused edit does not hinder the others.
        """

    async def accounts_after(self, site: str, version: int, limit: int) -> Sequence[AccountRecord]:
        """Up to `limit` accounts of `site` changed after `version`, in the order of their versions."""
