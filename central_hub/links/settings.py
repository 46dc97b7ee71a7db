"""Settings of the hub's side of links."""

from typing import Annotated

from annotated_types import Ge, Gt, Le

from cascade.link import LinkSettings as CascadeLinkSettings
from chassis.settings import LocalPath, Settings


class LinksSettings(Settings):
    """The port for sites: mutual TLS, and a certificate with the URI chappe://site/NAME."""

    host: str = "0.0.0.0"  # noqa: S104 - sites come from elsewhere
    """Address to listen on."""

    port: Annotated[int, Ge(0), Le(65535)] = 7401
    """Port to listen on; 0 lets the kernel choose."""

    certificate: LocalPath
    """PEM file of the hub's certificate, followed by those between it and the authority."""

    key: LocalPath
    """PEM file of its private key, not encrypted."""

    authority: LocalPath
    """PEM file of the authority that sites' certificates come from."""

    window_envelopes: Annotated[int, Ge(1), Le(100_000)] = 1024
    """Held envelopes that one site may have unanswered."""

    forward_envelopes_max: Annotated[int, Ge(1), Le(1_000_000)] = 4096
    """Held envelopes in memory for each destination; what goes beyond waits in the spool."""

    refusals_max: Annotated[int, Ge(1), Le(1_000_000)] = 10_000
    """Refusals remembered for each origin until it has settled them."""

    interest_accounts_max: Annotated[int, Ge(1), Le(10_000_000)] = 100_000
    """Accounts whose presence one site may watch."""

    dead_seconds: Annotated[float, Gt(0), Le(3600)] = 45.0
    """A site that has been silent for so long is given up; it sends a heartbeat every 15 s, or as its settings say."""

    presence_grace_seconds: Annotated[float, Gt(0), Le(3600)] = 30.0
    """How long a site may be away before its people are shown as unavailable elsewhere."""

    accounts_per_part: Annotated[int, Ge(1), Le(1000)] = 250
    """Accounts in one part of a change of a site's replica."""

    store_retry_seconds: Annotated[float, Gt(0), Le(60)] = 1.0
    """How long to wait before a store that failed is tried again."""

    reconnect_after_ms: Annotated[int, Ge(0), Le(60_000)] = 500
    """What a draining hub tells sites to wait before they come back."""

    def cascade(self) -> CascadeLinkSettings:
        """Return what the pure machine needs of this."""
        return CascadeLinkSettings(
            window_envelopes=self.window_envelopes,
            interest_accounts_max=self.interest_accounts_max,
            dead_seconds=self.dead_seconds,
        )
