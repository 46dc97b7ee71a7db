"""Roster pushes (RFC 6121 section 2.1.6)."""

from edge_node.sessions.registry import Registry
from edge_node.sessions.roster import RosterItem
from edge_node.sessions.session import Session
from xmpp.jid import JID
from xmpp.payloads import roster as wire
from xmpp.stanza import Stanza


class RosterPushes:
    """Tells the interested resources of an account what has changed in its roster."""

    def __init__(self, registry: Registry) -> None:
        """Push to who is connected."""
        self._registry = registry

    def push(self, account: str, item: RosterItem, version: int) -> None:
        """An item is new or changed."""
        self._to_all(account, wire_item(item), version)

    def push_removal(self, account: str, contact: str, version: int) -> None:
        """A contact is gone."""
        self._to_all(account, wire.Item(JID.parse(contact), subscription=wire.Subscription.REMOVE), version)

    def _to_all(self, account: str, item: wire.Item, version: int) -> None:
        connected = self._registry.account(account)
        for session in connected.sessions.values() if connected is not None else ():
            if session.interested:
                push_to(session, item, version)


def push_to(session: Session, item: wire.Item, version: int) -> None:
    """Push one item to one resource."""
    roster = wire.Roster((item,), str(version))
    push = Stanza.build("iq", roster.element(), type="set", id=f"push-{version}", to=session.jid)
    session.deliver(push.render())


def wire_item(item: RosterItem) -> wire.Item:
    """An item as clients see it."""
    return wire.Item(
        jid=JID.parse(item.contact),
        name=item.name,
        subscription=wire.Subscription(item.subscription.value),
        groups=item.groups,
        is_asking=item.ask,
        is_approved=item.approved,
    )
