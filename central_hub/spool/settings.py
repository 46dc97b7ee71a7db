"""How much the spool may hold for each site."""

from typing import Annotated

from annotated_types import Ge, Le

from chassis.settings import Settings


class SpoolSettings(Settings):
    """What may wait for a site that is away; beyond it senders get `resource-constraint`."""

    envelopes_max: Annotated[int, Ge(1), Le(100_000_000)] = 1_000_000
    """Envelopes per site."""

    bytes_max: Annotated[int, Ge(1_048_576), Le(1_099_511_627_776)] = 4_294_967_296
    """Bytes per site."""

    age_hours_max: Annotated[int, Ge(1), Le(8760)] = 336
    """When a site has left an envelope waiting for this long, it gets no further ones until it has come back."""
