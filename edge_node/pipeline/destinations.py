"""Who gets a message: the delivery rules of RFC 6121 section 8.5, as a pure function."""

from typing import Literal, NamedTuple

from edge_node.sessions.account import LocalAccount
from edge_node.sessions.session import Session
from xmpp.jid import JID

Fate = Literal["deliver", "offline", "refuse", "ignore"]


class Destination(NamedTuple):
    """What becomes of a message for a local account.  A tuple, because one is made for every message."""

    fate: Fate
    """deliver to `sessions`; keep it for later; refuse with service-unavailable; or ignore it silently."""
    sessions: tuple[Session, ...] = ()


_OFFLINE = Destination("offline")
_REFUSE = Destination("refuse")
_IGNORE = Destination("ignore")

_WITHOUT_RESOURCE = {"chat": _OFFLINE, "normal": _OFFLINE, "headline": _IGNORE, "groupchat": _REFUSE, "error": _IGNORE}
"""RFC 6121 section 8.5.2.2.1: no available resource."""
_WITHOUT_MATCH = {"normal": _REFUSE, "headline": _IGNORE, "groupchat": _REFUSE, "error": _IGNORE}
"""RFC 6121 section 8.5.3.2.1: a full JID that matches nothing; chat is treated as if sent to the bare JID."""


def destination_of(to: JID, kind: str, account: LocalAccount | None) -> Destination:
    """Apply the table of RFC 6121 section 8.5.4 for messages.

    Args:
        to: the address, whose account exists and is at home here.
        kind: type of the message.
        account: the account, when it has a session.
    """
    if to.resource is not None:
        if account is not None:
            session = account.sessions.get(to.resource)
            if session is not None and session.dormant:
                return _OFFLINE if kind in ("chat", "normal") else _IGNORE
            if session is not None:
                return Destination("deliver", (session,))
        if kind != "chat":
            return _WITHOUT_MATCH[kind]
    if account is not None and account.targets and kind not in ("groupchat", "error"):
        return Destination("deliver", account.targets)
    return _WITHOUT_RESOURCE[kind]
