"""Message carbons (XEP-0280): what one device sent or received, shown to the others."""

from typing import Final

from xmpp import namespaces
from xmpp.jid import JID
from xmpp.payloads import forwarding
from xmpp.stanza import Stanza

ENABLE: Final = f"{{{namespaces.CARBONS}}}enable"
DISABLE: Final = f"{{{namespaces.CARBONS}}}disable"
SENT: Final = f"{{{namespaces.CARBONS}}}sent"
RECEIVED: Final = f"{{{namespaces.CARBONS}}}received"

_SENT: Final = (f'<sent xmlns="{namespaces.CARBONS}">'.encode(), b"</sent>")
_RECEIVED: Final = (f'<received xmlns="{namespaces.CARBONS}">'.encode(), b"</received>")


def sent(rendered: bytes, type_: str | None, account: JID) -> Stanza:
    """Return the copy, without `to`, of a message that one of the account's devices sent.

    Args:
        rendered: the message, as `Stanza.render` writes it.
        type_: the message's type, which the copy keeps (section 8).
        account: the bare address of the account whose devices see it.

    """
    return _copy(SENT, _SENT, rendered, type_, account)


def received(rendered: bytes, type_: str | None, account: JID) -> Stanza:
    """Return the copy, without `to`, of a message that came for the account (section 7)."""
    return _copy(RECEIVED, _RECEIVED, rendered, type_, account)


def _copy(name: str, tags: tuple[bytes, bytes], rendered: bytes, type_: str | None, account: JID) -> Stanza:
    inner = tags[0] + forwarding.render(rendered) + tags[1]
    return Stanza("message", type=type_, sender=account, payloads=(name,), inner=inner)
