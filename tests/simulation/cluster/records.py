"""What was said and by whom: the truth that the laws compare with."""

from dataclasses import dataclass, field


@dataclass(eq=False)
class Message:
    """One message and everything known of it."""

    id: str
    sender: str
    """Name of the device."""
    order: int
    """Among the messages of the device."""
    from_account: str
    to: str
    """Bare or full JID."""
    sent_at: float
    accepted_at: float | None = None
    """When the server counted it as handled."""
    refusal: str | None = None
    """Condition of the error that came back."""
    is_doubtful: bool = False
    """The sender's store failed while it was under way, so it may have been refused unheard."""
    may_repeat: bool = False
    """Sent again without knowing whether it had been taken."""
    was_resent: bool = False
    """Sent again after a resumption, or to the next core: what was refused and not acknowledged may be taken now."""
    was_written: bool = False
    """To the socket of a client without stream management."""
    receipts: list[str] = field(default_factory=list)
    """Sessions that got it, in order."""

    @property
    def to_account(self) -> str:
        """Bare JID."""
        return self.to.partition("/")[0]

    @property
    def is_direct(self) -> bool:
        """Addressed to one resource, which gets it whether it is available or not."""
        return "/" in self.to


@dataclass(eq=False)
class Receipts:
    """What one session of a device got, in order."""

    session: str
    account: str
    is_managed: bool
    began_at: float
    messages: list[tuple[float, Message]] = field(default_factory=list)
    copies: list[tuple[float, Message]] = field(default_factory=list)
    """Carbons."""


@dataclass
class Pair:
    """A subscription between two accounts: asked for once, answered, and perhaps ended once."""

    watcher: str
    contact: str
    is_asked: bool = False
    is_ended: bool = False
