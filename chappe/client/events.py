"""What a client reports, beside the stanzas that come in."""

from dataclasses import dataclass

from xmpp.events import Acknowledged
from xmpp.jid import JID
from xmpp.stanza import Stanza


@dataclass(frozen=True, slots=True)
class Connected:
    """Stanzas may be sent."""

    jid: JID
    is_resumed: bool
    """The session goes on (XEP-0198): presence, roster and carbons are as they were."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is lost; the client tries to get another."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The client has given up."""

    reason: str


Event = Stanza | Acknowledged | Connected | Disconnected | Ended
"""A stanza that answers a request is not reported: `Client.request` returns it."""
