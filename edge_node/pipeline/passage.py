"""A message on its way through this edge."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_node.custody import Acceptance
from edge_node.pipeline.traits import Traits
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.session import Promise, Session
from xmpp.jid import JID
from xmpp.stanza import Stanza


class Passage:
    """One message, from acceptance to delivery.  Slots without frozen: made once per message."""

    __slots__ = (
        "acceptance",
        "account",
        "delivered",
        "flags",
        "held",
        "is_archived_for_sender",
        "promises",
        "recipient",
        "rendered",
        "session",
        "stanza",
        "targets",
        "traits",
    )

    def __init__(self, stanza: Stanza, session: Session | None, traits: Traits, acceptance: Acceptance) -> None:
        """Start a passage.

        Args:
            stanza: with `sender` and `to` set and certain.
            session: the local session that sent it; None when it came over the cascade or from the server.
            traits: of the stanza.
            acceptance: what it leaves in the store.
        """
        self.stanza = stanza
        self.session = session
        self.traits = traits
        self.acceptance = acceptance
        self.rendered = b""
        """The stanza as stored and sent on."""
        self.delivered = b""
        """As the recipient's sessions get it: with the id that it has in his archive, if it is there."""
        self.is_archived_for_sender = False
        """An outbound record has added the row of the sender's own archive."""
        self.recipient: JID | None = None
        """The bare JID of the local account addressed; None when the recipient is not at home here."""
        self.account: LocalAccount | None = None
        """That account, when it has a session."""
        self.flags = 0
        """`EntryFlag` bits that the inbound records set for the recipient's row."""
        self.targets: tuple[Session, ...] = ()
        """The sessions that get it by the rules of RFC 6121 section 8.5."""
        self.held: Session | None = None
        """One more that will get it, but not yet: it waits for the account, behind what came before."""
        self.promises: list[Promise] | None = None
        """Their numbered places, taken before the commit."""

    def delivery(self, recipient: JID, id: int = 0) -> "Delivery":
        """What the queues of its sessions remember of it; `id` is that of its row, 0 when it has none."""
        is_missed = self.traits.offline
        return Delivery(recipient, id, self.targets, self.stanza if is_missed and not id else None, is_missed=is_missed)


class Delivery:
    """What a session's queue remembers of a message until its client has had it.

    Thousands of these wait at any time, so they hold on to nothing that is needed no more.
    """

    __slots__ = ("id", "is_missed", "is_settled", "recipient", "stanza", "targets")

    def __init__(
        self, recipient: JID, id: int, targets: tuple[Session, ...], stanza: Stanza | None, *, is_missed: bool
    ) -> None:
        """Start undelivered.

        Args:
            recipient: the bare JID of the account.
            id: of its row in the store; 0 when it has none.
            targets: all sessions that it goes to.
            stanza: what has to find another way if no client has it; None when it is stored.
            is_missed: whether it has to find another way at all.
        """
        self.recipient = recipient
        self.id = id
        self.targets = targets
        self.stanza = stanza
        self.is_missed = is_missed
        self.is_settled = False
        """A client has certainly had it."""


@dataclass(frozen=True, slots=True)
class Waited:
    """What a session's queue remembers of a stored message that had waited for the account."""

    account: str
    id: int
    sessions: tuple[int, ...] = ()
    """Keys of all sessions that it was delivered to before: while one of them lives, it has a reader."""
    acknowledged: Callable[[], None] | None = None
    """What to do once the client has had it."""
