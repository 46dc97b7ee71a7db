"""Presence across sites, as state and by interest (docs/adr/0006).

Towards others: the whole presence of an account is published when somebody elsewhere watches it.
From others: the whole presence of a watched account is compared with what its watchers were shown, and they get
the difference.  Nothing crosses the cascade for accounts that nobody looks at.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from edge_node.routing.router import Router
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from xmpp.inspection import Inspector
from xmpp.jid import JID, InvalidJID
from xmpp.stanza import Stanza, with_recipient

PRESENCE_BYTES_MAX = 1_048_576
"""Of one resource elsewhere: the largest stanza that a site may allow its clients."""
Resources = Mapping[str, bytes]
"""Resource to its presence as broadcast: the rendered stanza, without `to`."""


class PresenceLink(Protocol):
    """The link, as far as presence goes."""

    def watch(self, account: str) -> None:
        """Ask for the presence of an account elsewhere."""

    def unwatch(self, account: str) -> None:
        """Take one `watch` back."""

    def is_asked_for(self, account: str) -> bool:
        """Whether somebody elsewhere watches this account of ours."""

    def publish(self, account: str, version: int, resources: Resources) -> None:
        """The whole presence of an account of ours."""


class RemotePresence:
    """Who here watches whom elsewhere, and what they were shown."""

    def __init__(self, router: Router, registry: Registry, link: PresenceLink, next_version: Callable[[], int]) -> None:
        """Compose it; versions grow strictly (microseconds)."""
        self._router = router
        self._registry = registry
        self._link = link
        self._next_version = next_version
        self._watchers: dict[str, dict[LocalAccount, None]] = {}
        """Contact to the accounts that watch it, in the order in which they began."""
        self._shown: dict[str, dict[str, bytes]] = {}
        self._inspector = Inspector(PRESENCE_BYTES_MAX)
        self.unsound = 0
        """Presences of other sites that were not those of the account that they came for, and were not shown."""

    # What we watch.

    def begin(self, account: LocalAccount, contacts: Iterable[str]) -> None:
        """A local account has come online: watch its contacts elsewhere, and show it what is known of them."""
        for contact in contacts:
            self.watch(account, contact)

    def watch(self, account: LocalAccount, contact: str) -> None:
        """A local account that is online sees the presence of a contact, if that lives elsewhere."""
        if not self._is_elsewhere(contact):
            return
        watchers = self._watchers.get(contact)
        if watchers is None:
            self._watchers[contact] = {account: None}
            self._link.watch(contact)
        else:
            watchers[account] = None

    def unwatch(self, account: LocalAccount, contact: str) -> None:
        """It does not any more, or has gone offline."""
        watchers = self._watchers.get(contact)
        if watchers is None or account not in watchers:
            return
        del watchers[account]
        if not watchers:
            del self._watchers[contact]
            self._shown.pop(contact, None)
            self._link.unwatch(contact)

    def end(self, account: LocalAccount, contacts: Iterable[str]) -> None:
        """A local account has gone offline."""
        for contact in contacts:
            self.unwatch(account, contact)

    def watched(self) -> list[str]:
        """Who is watched here."""
        return list(self._watchers)

    def known(self, contact: str) -> Iterable[bytes]:
        """The presences of a watched contact, as last told."""
        return self._shown.get(contact, {}).values()

    def known_to(self, contact: str, account: LocalAccount) -> list[bytes]:
        """The presences of a watched contact, addressed to a local account that may see them from now on."""
        return [with_recipient(stanza, account.jid) for stanza in self.known(contact)]

    def gone_for(self, contact: str, account: LocalAccount) -> list[bytes]:
        """What tells a local account that it may not see a contact elsewhere any more."""
        return [with_recipient(self._gone(contact, resource), account.jid) for resource in self._shown.get(contact, {})]

    def learned(self, contact: str, resources: Resources) -> None:
        """The hub tells the whole presence of an account: show its watchers what is different."""
        watchers = self._watchers.get(contact)
        if watchers is None:
            return
        before = self._shown.get(contact, {})
        resources = {
            resource: stanza
            for resource, stanza in resources.items()
            if before.get(resource) == stanza or self._is_sound(contact, resource, stanza)
        }
        if resources:
            self._shown[contact] = resources
        else:
            self._shown.pop(contact, None)
        news = [stanza for resource, stanza in resources.items() if before.get(resource) != stanza]
        news += [self._gone(contact, resource) for resource in before if resource not in resources]
        for account in watchers:
            for stanza in news:
                for session in account.sessions.values():
                    if session.is_available:
                        session.deliver(with_recipient(stanza, account.jid))

    def forget_all(self) -> None:
        """Nothing is known of other sites any more: their accounts are shown as unavailable."""
        for contact in list(self._shown):
            self.learned(contact, {})

    def _is_sound(self, contact: str, resource: str, stanza: bytes) -> bool:
        """Whether another site has sent what it says; a stolen one may send anything."""
        try:
            sender = JID.parse(contact).with_resource(resource)
        except InvalidJID:
            is_sound = False
        else:
            is_sound = self._inspector.is_presence_of(sender, stanza)
        self.unsound += not is_sound
        return is_sound

    def _gone(self, contact: str, resource: str) -> bytes:
        sender = JID.parse(contact).with_resource(resource)
        return Stanza("presence", "unavailable", sender=sender).render()

    def _is_elsewhere(self, contact: str) -> bool:
        try:
            return self._router.is_elsewhere(JID.parse(contact))
        except InvalidJID:
            return False

    # What others watch.

    def publish(self, bare: str) -> None:
        """The presence of a local account has changed, or somebody elsewhere has begun to watch it."""
        if not self._link.is_asked_for(bare):
            return
        account = self._registry.account(bare)
        resources: dict[str, bytes] = {}
        if account is not None and account.roster is not None and self._has_subscriber_elsewhere(account):
            for resource, session in account.sessions.items():
                if session.presence is not None:
                    resources[resource] = session.presence.copy(to=None).render()
        self._link.publish(bare, self._next_version(), resources)

    def _has_subscriber_elsewhere(self, account: LocalAccount) -> bool:
        roster = account.roster
        return roster is not None and any(self._is_elsewhere(contact) for contact in roster.subscribers())
