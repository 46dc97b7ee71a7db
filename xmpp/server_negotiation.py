"""What a client's stream needs at the server until it is bound, and drops then."""

from xmpp.authentication import Authentication
from xmpp.items import Item
from xmpp.negotiation import Progress
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.stanza import Stanza


class Negotiation:
    """How far one stream has come."""

    __slots__ = ("authentication", "backlog", "bind", "facts", "progress")

    def __init__(self, authentication: Authentication, facts: TransportFacts) -> None:
        self.authentication = authentication
        self.facts = facts
        self.progress = Progress.ENCRYPTED if facts.is_encrypted else Progress.NOTHING
        self.bind: Stanza | None = None
        self.backlog: list[Item] = []
        """What arrived while an answer was awaited."""
