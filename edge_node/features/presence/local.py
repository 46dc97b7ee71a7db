"""Presence between accounts of this site (RFC 6121 section 4)."""

from collections.abc import Iterable

from edge_node.features.presence.remote import RemotePresence
from edge_node.routing.router import Router
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
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
            _show(session, self._presences_for(contact, account))

    def show_contacts_anew(self, session: Session) -> None:
        """The same for a resource that may have been shown something else: nobody is there, and then who is."""
        account = session.account
        for item in account.roster or ():
            self.show_nobody(session, item.contact)
        self.show_contacts(session)

    def show_nobody(self, session: Session, contact: str) -> None:
        """Tell a resource that all those of a contact, whichever it was shown, are unavailable."""
        gone = Stanza("presence", "unavailable", to=session.account.jid, sender=JID.parse(contact))
        session.deliver(gone.render())

    def answer_probe(self, session: Session, contact: JID) -> None:
        """Send a resource the presence of one contact, if its account may see it; none is said too (section 4.3.2)."""
        presences = self._presences_for(contact.bare, session.account)
        if not presences and _sees(session.account, contact.bare):
            presences = [Stanza("presence", "unavailable", sender=contact.bare_jid).render()]
        _show(session, presences)

    def _presences_for(self, contact: str, watcher: LocalAccount) -> list[bytes]:
        account = self._registry.account(contact)
        if account is None:
            return list(self._remote.known(contact)) if _sees(watcher, contact) else []
        roster = account.roster
        is_seen = account is watcher or (roster is not None and roster.is_seen_by(watcher.bare))
        return _presences_of(account) if is_seen else []

    def vanish(self, account: LocalAccount, contact: str) -> None:
        """A contact may not see the account any more: to him all its resources become unavailable (section 3.3.3)."""
        for session in account.sessions.values():
            if session.is_available:
                self.send(Stanza("presence", "unavailable", sender=session.jid).render(), contact)
        self._remote.publish(account.bare)

    def appear(self, account: LocalAccount, contact: str) -> None:
        """A contact may see the account from now on (section 3.1.5)."""
        for rendered in _presences_of(account):
            self.send(rendered, contact)
        self._remote.publish(account.bare)


def _sees(account: LocalAccount, contact: str) -> bool:
    return account.roster is not None and account.roster.sees(contact)


def _presences_of(account: LocalAccount) -> list[bytes]:
    """The presence of each available resource, rendered without `to`."""
    return [session.presence.render() for session in account.sessions.values() if session.presence is not None]


def _show(session: Session, presences: Iterable[bytes]) -> None:
    for rendered in presences:
        session.deliver(with_recipient(rendered, session.account.jid))
