"""Presence between accounts of this site (RFC 6121 section 4)."""

from edge_node.features.presence.remote import RemotePresence
from edge_node.routing.router import Router
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.roster import LiveRoster
from edge_node.sessions.session import Session
from xmpp.jid import JID
from xmpp.stanza import Stanza, with_recipient


class LocalPresence:
    """Tells those who may see an account what its resources do."""

    def __init__(self, router: Router, registry: Registry, remote: RemotePresence) -> None:
        """Compose it."""
        self._router = router
        self._registry = registry
        self._remote = remote

    def broadcast(self, session: Session, presence: Stanza) -> None:
        """Send a resource's presence to those who see it, and to the account's own available resources.

        Args:
            session: whose it is.
            presence: without `to`; available or unavailable.
        """
        account = session.account
        rendered = presence.render()
        own = with_recipient(rendered, account.jid)
        for other in account.sessions.values():
            if other.is_available or other is session:
                other.deliver(own)
        if account.roster is not None:
            for contact in account.roster.subscribers():
                self.send(rendered, contact)
        self._remote.publish(account.bare)

    def send(self, rendered: bytes, contact: str) -> None:
        """Send a rendered presence to the available resources of a contact, if he is at home here."""
        account = self._registry.account(contact)
        if account is None or not account.sessions:
            return
        data = with_recipient(rendered, account.jid)
        for session in account.sessions.values():
            if session.is_available:
                session.deliver(data)

    def show_contacts(self, session: Session) -> None:
        """Send a resource that has become available the presence of those whom its account sees (section 4.2.2)."""
        account = session.account
        for other in account.sessions.values():
            if other is not session and other.presence is not None:
                session.deliver(with_recipient(other.presence.render(), account.jid))
        if account.roster is None:
            return
        for contact in account.roster.watched():
            self.show_contact(session, contact)

    def show_contacts_anew(self, session: Session) -> None:
        """The same for a resource that may have been shown something else: nobody is there, and then who is."""
        account = session.account
        for item in account.roster or ():
            gone = Stanza("presence", "unavailable", to=account.jid, sender=JID.parse(item.contact))
            session.deliver(gone.render())
        self.show_contacts(session)

    def show_contact(self, session: Session, contact: str) -> None:
        """Send a resource the presence of one contact."""
        to = session.account.jid
        for rendered in self._presences_for(contact, to.bare):
            session.deliver(with_recipient(rendered, to))

    def presences_of(self, account: LocalAccount) -> list[bytes]:
        """The presence of each available resource, rendered without `to`."""
        return [session.presence.render() for session in account.sessions.values() if session.presence is not None]

    def _presences_for(self, contact: str, watcher: str) -> list[bytes]:
        account = self._registry.account(contact)
        if account is not None:
            roster: LiveRoster | None = account.roster
            return self.presences_of(account) if roster is not None and roster.is_seen_by(watcher) else []
        return list(self._remote.known(contact))

    def vanish(self, account: LocalAccount, contact: str) -> None:
        """A contact may not see the account any more: to him all its resources become unavailable (section 3.3.3)."""
        for session in account.sessions.values():
            if session.is_available:
                self.send(Stanza("presence", "unavailable", sender=session.jid).render(), contact)
        self._remote.publish(account.bare)

    def appear(self, account: LocalAccount, contact: str) -> None:
        """A contact may see the account from now on (section 3.1.5)."""
        for rendered in self.presences_of(account):
            self.send(rendered, contact)
        self._remote.publish(account.bare)
