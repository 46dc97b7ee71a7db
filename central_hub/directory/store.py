"""Port: the durable directory of sites and accounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from central_hub.directory.accounts import Account, AccountRecord
from central_hub.directory.changes import AccountEdit, Edited, Refused
from central_hub.directory.sites import Site


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything resolution needs, as read at start."""

    sites: Sequence[Site]
    versions: Mapping[str, int]
    """Site name to the newest version of its accounts."""
    accounts: Iterable[Account]


class DirectoryStore(Protocol):
    """The authority.  Every method answers after the commit; edits are applied in the order of the calls.

    All methods raise StoreUnavailable when the store can't commit or be read.
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
