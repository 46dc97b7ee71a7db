"""What the core asks of the store that takes custody, and the values that cross this port."""

from collections.abc import Callable
from enum import IntFlag
from typing import NamedTuple, Protocol

Done = Callable[[Exception | None], None]
"""Called on the event loop: with None after the commit, with the reason when there was none."""


class StoreUnavailable(Exception):
    """The store could not commit (full disk, failing device).  Nothing was kept; trying later may do."""


class EntryFlag(IntFlag):
    """What a row of an account's archive is kept for."""

    ARCHIVED = 1
    """Shown to the account's archive queries (XEP-0313)."""
    OFFLINE = 2
    """Reached no resource: delivered when the account has one again (XEP-0160)."""


class Entry:
    """One account's row for a message.

    A row without flags is in custody only: it exists for the sessions named in `deliveries` until they
    acknowledge, and may be removed after that.
    """

    __slots__ = ("account", "deliveries", "flags", "outgoing", "peer")

    def __init__(
        self,
        account: str,
        peer: str,
        *,
        outgoing: bool,
        flags: int,
        deliveries: tuple[tuple[int, int], ...] = (),
    ) -> None:
        """Describe the row.

        Args:
            account: bare JID of the archive's owner, at home at this site.
            peer: bare JID of the other party.
            outgoing: whether the owner sent it.
            flags: `EntryFlag` bits.
            deliveries: (session key, number) pairs: the number that the stanza gets in each session that it
                is delivered to (XEP-0198 counting), so that a session resumed after a crash of the core
                knows what its client has not had.
        """
        self.account = account
        self.peer = peer
        self.outgoing = outgoing
        self.flags = flags
        self.deliveries = deliveries


class Watermark(NamedTuple):
    """How far the envelopes of one origin have been taken, and how far they had been.

    Rule: it is committed only where the store's mark of the origin is `after`, so that it never covers an envelope
    that could not be stored.  Otherwise the whole acceptance is answered with StoreUnavailable.
    """

    origin: str
    """Name of a site."""
    epoch: int
    """Of its outbox."""
    sequence: int
    """In its outbox."""
    after: tuple[int, int] = (0, 0)
    """(epoch, sequence) of the one before; (0, 0) for the first of the origin."""


class Acceptance:
    """Everything that one stanza leaves in the store.  Slots without frozen: made once per message."""

    __slots__ = ("entries", "envelope", "id", "number", "session", "stanza", "watermark")

    def __init__(self, id: int, *, session: int = 0, number: int = 0) -> None:
        """Start an acceptance.

        Args:
            id: archive id and position, strictly increasing at this site, about microseconds of wall clock.
            session: key of the sending session; 0 for what came over the cascade.
            number: how many stanzas the session had sent, this one included.  After a crash of the core the
                highest stored number tells which resent stanzas were taken already.
        """
        self.id = id
        self.session = session
        self.number = number
        self.stanza = b""
        """The rendered stanza as delivered, without the stanza-id of an archive."""
        self.entries: list[Entry] = []
        self.envelope: tuple[int, bytes] | None = None
        """Outbox sequence and encoded envelope, when the recipient's home is elsewhere."""
        self.watermark: Watermark | None = None
        """When it came over the cascade."""


class Custody(Protocol):
    """The write path.  Both calls are made on the event loop, never block, and answer in the order of the calls."""

    @property
    def backlog(self) -> int:
        """How many acceptances wait for a commit."""

    def accept(self, acceptance: Acceptance, done: Done) -> None:
        """Commit `acceptance` with whatever else has gathered, then call `done`."""

    def barrier(self, done: Done) -> None:
        """Call `done` after everything accepted before has been answered; no commit of its own."""

    def fulfilled(self, id: int) -> None:
        """Everything accepted up to `id` has been handed to the sessions or the link that it was for.

        Fire and forget; the newest value joins the next commit.  After a crash what lies above it may not have
        left the core (`DeliveryStore.unfulfilled`).
        """
