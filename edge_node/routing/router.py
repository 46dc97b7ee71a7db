"""Sends presence and IQs on their way: to a local session, to another site, or to nobody."""

from dataclasses import dataclass
from typing import Protocol

from edge_node.sessions.registry import Registry
from xmpp.jid import JID
from xmpp.stanza import Stanza


class LocalAccounts(Protocol):
    """Which accounts are at home at this site."""

    def is_home(self, local: str) -> bool:
        """Whether the account exists here."""


class Uplink(Protocol):
    """The way to other sites for what is not held: it is sent now or not at all."""

    @property
    def is_open(self) -> bool:
        """Whether there are other sites at all, be they within reach or not."""

    def send_transient(self, stanza: Stanza) -> bool:
        """Send it if the link is up; False if not."""


@dataclass(slots=True)
class Asked:
    """What a session's queue remembers of a request."""

    request: Stanza
    is_answered: bool = False


class Router:
    """Routes by address alone; what a stanza means has been decided before."""

    def __init__(self, domain: str, accounts: LocalAccounts, registry: Registry, uplink: Uplink) -> None:
        """Compose it of the domain, who is at home here, who is connected, and the way out."""
        self.domain = domain
        self._accounts = accounts
        self._registry = registry
        self._uplink = uplink

    def is_local(self, jid: JID) -> bool:
        """Whether the address belongs to an account at home here."""
        return jid.local is not None and jid.domain == self.domain and self._accounts.is_home(jid.local)

    def is_ours(self, jid: JID) -> bool:
        """Whether the address is in the company's domain, at whatever site."""
        return jid.domain == self.domain

    def is_elsewhere(self, jid: JID) -> bool:
        """Whether the address may belong to an account at another site."""
        return self._uplink.is_open and jid.local is not None and self.is_ours(jid) and not self.is_local(jid)

    def to_full(self, stanza: Stanza) -> bool:
        """Deliver to the resource that `to` names, here or elsewhere; False when it certainly reached nobody."""
        to = stanza.to
        if to is None or to.local is None or not self.is_ours(to):
            return False
        if self.is_local(to):
            session = self._registry.session(to)
            if session is None or session.is_asleep:
                return False
            is_request = stanza.kind == "iq" and stanza.type in ("get", "set")
            session.deliver(stanza.render(), Asked(stanza) if is_request else None)
            return True
        return self._uplink.send_transient(stanza)
