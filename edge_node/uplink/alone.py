"""A site without a hub: everything works inside it, and what is for other sites waits in the outbox."""

from cascade.envelope import Envelope
from cascade.frame import AccountPresence


class NoLink:
    """Stands where the link would be."""

    is_linked = False
    oldest_us = 0

    def offer(self, envelope: Envelope) -> None:
        """It stays in the outbox."""

    def offer_transient(self, envelope: Envelope) -> bool:
        """It cannot go."""
        del envelope
        return False

    def publish(self, presence: AccountPresence) -> None:
        """Nobody elsewhere is there to watch."""

    def is_asked_for(self, account: str) -> bool:
        """Nobody asks."""
        del account
        return False

    def watch(self, account: str) -> None:
        """Nothing will be told."""

    def unwatch(self, account: str) -> None:
        """Nothing was."""

    def ask_home(self, account: str) -> bool:
        """There is nobody to ask."""
        del account
        return False

    def accounts_held(self, version: int) -> None:
        """Nobody has to know."""

    def store_failed(self) -> None:
        """Nothing comes."""

    def presence_of(self, account: str) -> AccountPresence | None:
        """Nothing is known."""
        del account
        return None
