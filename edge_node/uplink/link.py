"""What the uplink needs of the connection to the hub; `cascade.transport.client.LinkClient` has it."""

from typing import Protocol

from cascade.envelope import Envelope
from cascade.frame import AccountPresence


class Link(Protocol):
    """The connection to the hub, or what stands for it."""

    @property
    def is_linked(self) -> bool:
        """Whether the hub has welcomed us and is there."""

    @property
    def oldest_us(self) -> int:
        """When the oldest envelope that waits for an answer was promised; 0: none does, or it is not known yet."""

    def offer(self, envelope: Envelope) -> None:
        """Send a held envelope that is committed; in the order of sequences."""

    def offer_transient(self, envelope: Envelope) -> bool:
        """Send a transient envelope; False if it cannot go now."""

    def publish(self, presence: AccountPresence) -> None:
        """Say the newest presence of one of our accounts."""

    def is_asked_for(self, account: str) -> bool:
        """Whether somebody elsewhere watches this account of ours."""

    def watch(self, account: str) -> None:
        """Watch an account elsewhere."""

    def unwatch(self, account: str) -> None:
        """Take one `watch` back."""

    def presence_of(self, account: str) -> AccountPresence | None:
        """The newest presence of an account that we watch."""

    def ask_home(self, account: str) -> bool:
        """Ask where an account lives; False if it cannot be asked now."""

    def accounts_held(self, version: int) -> None:
        """Our replica of accounts has durably reached this version."""

    def store_failed(self) -> None:
        """What came could not be stored: it has to come again."""
