"""The directory's store in memory."""

from collections.abc import Sequence
from dataclasses import replace

from central_hub.directory.accounts import AccountRecord
from central_hub.directory.changes import AccountEdit, Edited, Refused, applied, check
from central_hub.directory.sites import Site
from central_hub.directory.store import GAPS_MAX, Contents, Gap


class MemoryDirectory:
    """Implements DirectoryStore."""

    def __init__(self) -> None:
        """Start empty."""
        self._sites: dict[str, Site] = {}
        self._versions: dict[str, int] = {}
        self._gaps: dict[str, list[Gap]] = {}
        self._records: dict[str, AccountRecord] = {}

    async def begin(self, now_us: int) -> None:
        for name, version in self._versions.items():
            self._versions[name] = max(version + 1, now_us)
            gaps = self._gaps.setdefault(name, [])
            gaps.append(Gap(version, self._versions[name]))
            if len(gaps) > GAPS_MAX:
                self._sites[name] = replace(self._sites[name], base_version=gaps.pop(0).before)

    async def load(self) -> Contents:
        return Contents(
            tuple(self._sites.values()),
            dict(self._versions),
            {name: tuple(gaps) for name, gaps in self._gaps.items()},
            tuple(r.account for r in self._records.values()),
        )

    async def put_site(self, site: Site) -> Site:
        known = self._sites.get(site.name)
        stored = site if known is None else replace(site, base_version=known.base_version)
        self._sites[site.name] = stored
        self._versions.setdefault(site.name, stored.base_version)
        return stored

    async def edit_accounts(self, edits: Sequence[AccountEdit]) -> list[Edited | Refused]:
        return [self._edit(edit) for edit in edits]

    def _edit(self, edit: AccountEdit) -> Edited | Refused:
        current = self._records.get(edit.local)
        refused = check(edit, None if current is None else current.account)
        if refused is not None:
            return refused
        site = edit.site if current is None else current.account.site
        if site is None or site not in self._sites:
            return Refused.UNKNOWN_SITE
        self._versions[site] += 1
        record = applied(edit, current, self._versions[site])
        self._records[edit.local] = record
        return Edited(record.account, current is None)

    async def accounts_after(self, site: str, version: int, limit: int) -> Sequence[AccountRecord]:
        wanted = [r for r in self._records.values() if r.account.site == site and r.account.version > version]
        return sorted(wanted, key=lambda record: record.account.version)[:limit]
