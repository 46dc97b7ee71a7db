"""Settings of the message archive."""

from typing import Annotated, Literal

from annotated_types import Ge, Le

from chassis.settings import Settings

SECONDS_OF_A_DAY = 86_400


class ArchiveSettings(Settings):
    """What is kept of conversations, and what one query may ask for (XEP-0313)."""

    enabled: bool = True
    """Whether there is an archive.  Without one, messages are stored only as long as somebody has to get them."""

    default: Literal["always", "never"] = "always"
    """Whether messages of accounts that have chosen nothing are archived (XEP-0441); "roster" is theirs to choose."""

    retention_days: Annotated[int, Ge(0), Le(36_500)] = 0
    """How long messages are kept; 0: for ever."""

    page_default: Annotated[int, Ge(1), Le(1000)] = 50
    """Messages in one answer, when the client does not say how many."""

    page_max: Annotated[int, Ge(1), Le(1000)] = 250
    """Messages in one answer, however many the client asks for."""

    ids_max: Annotated[int, Ge(1), Le(10_000)] = 250
    """Ids that one query may name; more are a `policy-violation`."""

    preferences_max: Annotated[int, Ge(1), Le(1_000_000)] = 30_000
    """Accounts whose preferences differ from the default; one more is answered `resource-constraint`."""

    preference_addresses_max: Annotated[int, Ge(1), Le(10_000)] = 500
    """Addresses in one account's preferences; more are a `policy-violation`."""

    @property
    def retention_seconds(self) -> float | None:
        """How long messages are kept; None: for ever."""
        return float(self.retention_days * SECONDS_OF_A_DAY) or None
