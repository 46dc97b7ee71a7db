"""What the hub can say about its sites; asked by administrators."""

from dataclasses import dataclass
from typing import Protocol

from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.directory.sites import Site


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """A site's present link."""

    since_us: int
    """Wall clock, microseconds."""
    software: str


class Links(Protocol):
    """Port: who is connected."""

    def link_status(self, site: str) -> LinkStatus | None:
        """The site's link; None while it has none."""

    def watched_by(self, site: str) -> int:
        """How many accounts elsewhere the site watches."""


class SpoolUsage(Protocol):
    """Port: what waits for a site."""

    def usage(self, site: str) -> tuple[int, int]:
        """(envelopes, bytes) in the spool."""

    def age_seconds(self, site: str) -> float:
        """How long the oldest of them has waited."""


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """Everything about one site at one moment."""

    site: Site
    link: LinkStatus | None
    accounts: int
    accounts_version: int
    accounts_held: int
    accounts_behind: int
    """Changes that the site has not confirmed."""
    spooled_envelopes: int
    spooled_bytes: int


class Status:
    """Reads the moment's state; changes nothing."""

    def __init__(self, directory: Directory, replicas: Replicas, links: Links, spool: SpoolUsage) -> None:
        """Read from these."""
        self._directory = directory
        self._replicas = replicas
        self._links = links
        self._spool = spool

    def site(self, site: Site) -> SiteStatus:
        """Describe one site."""
        envelopes, size_bytes = self._spool.usage(site.name)
        held = self._replicas.held(site.name)
        return SiteStatus(
            site,
            self._links.link_status(site.name),
            self._directory.population(site.name),
            self._directory.newest_version(site.name),
            held,
            self._directory.changes_since(site.name, held),
            envelopes,
            size_bytes,
        )

    def sites(self) -> list[SiteStatus]:
        """Describe all, in the order of their names."""
        return [self.site(site) for _, site in sorted(self._directory.sites.items())]
