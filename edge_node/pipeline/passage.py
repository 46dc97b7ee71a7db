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
        "settled",
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
        self.settled = False
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
