"""Roster requests (RFC 6121 section 2)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from edge_node.features.roster.pushes import RosterPushes, push_to, wire_item
from edge_node.features.roster.rosters import Rosters
from edge_node.features.roster.store import RosterChange, RosterStore
from edge_node.pipeline.feature import Feature, Query, Request, Spec, To
from edge_node.sessions.roster import LiveRoster
from edge_node.sessions.session import Session
from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import roster as wire
from xmpp.stanza import Stanza

PUSHES_MAX = 50
"""Changes told one by one to a client that asks with an old version; more, and it gets the whole roster."""

VERSION_DIGITS_MAX = 18
"""Longer ones are none of ours."""


class RosterFeature:
    """Answers roster requests and tells every interested resource of changes."""

    def __init__(
        self,
        *,
        rosters: Rosters,
        store: RosterStore,
        pushes: RosterPushes,
        keep: Callable[[Session], None],
        remove: Callable[[JID, JID], Awaitable[None]],
        items_max: int,
        name_characters_max: int,
        groups_max: int,
    ) -> None:
        """Compose it.

        Args:
            rosters: in memory, written through.
            store: for what changed since a version.
            pushes: to the interested resources.
            keep: writes a session down after a change.
            remove: takes a contact off an account's roster, which ends the subscriptions with him.
            items_max: contacts in a roster.
            name_characters_max: of a contact's name or a group's.
            groups_max: of one contact.
        """
        self._rosters = rosters
        self._store = store
        self._pushes = pushes
        self._keep = keep
        self._remove = remove
        self._items_max = items_max
        self._name_characters_max = name_characters_max
        self._groups_max = groups_max

    def feature(self) -> Feature:
        """The feature."""
        return Feature(
            name="roster",
            specs=(Spec("RFC 6121", note="sections 2 and 3, with versioning and pre-approval"),),
            stream_features=(
                Element(f"{{{namespaces.ROSTER_VERSIONING}}}ver"),
                Element(f"{{{namespaces.PRE_APPROVAL}}}sub"),
            ),
            iq={Query("get", wire.NAME, To.ACCOUNT): self._get, Query("set", wire.NAME, To.ACCOUNT): self._set},
        )

    async def _get(self, request: Request) -> Stanza | None:
        session = self._own_session(request)
        roster = await self._rosters.get(session.account.bare)
        if not session.interested:
            session.interested = True
            session.roster_version = roster.stored_version
            self._keep(session)
        since = _version(request.payload.get("ver"))
        if since is not None and since <= roster.stored_version:
            changes = await self._store.changes(roster.account, since, PUSHES_MAX)
            if changes is not None:
                session.deliver(request.stanza.result().render())
                for change in changes:
                    push_to(session, _wire_change(change), change.version)
                return None
        items = tuple(wire_item(item) for item in roster if item.in_roster)
        return request.stanza.result(wire.Roster(items, str(roster.stored_version)).element())

    async def _set(self, request: Request) -> Stanza:
        session = self._own_session(request)
        asked = wire.read(request.payload)
        if len(asked.items) != 1:
            raise StanzaError(StanzaCondition.BAD_REQUEST, text="a roster set has one item")
        item = asked.items[0]
        roster = await self._rosters.get(session.account.bare)
        if item.subscription is wire.Subscription.REMOVE:
            known = roster.get(item.jid.bare)
            if known is None or not known.in_roster:
                raise StanzaError(StanzaCondition.ITEM_NOT_FOUND)
            await self._remove(session.account.jid, item.jid.bare_jid)
        else:
            await self._put(roster, item)
        return request.stanza.result()

    async def _put(self, roster: LiveRoster, item: wire.Item) -> None:
        contact = item.jid.bare
        if contact == roster.account:
            raise StanzaError(StanzaCondition.NOT_ALLOWED, text="an account is not its own contact")
        if any(len(text) > self._name_characters_max for text in (item.name, *item.groups)):
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, text="a name is too long")
        if len(item.groups) > self._groups_max:
            raise StanzaError(StanzaCondition.NOT_ACCEPTABLE, text="too many groups")
        before = roster.get(contact)
        if (before is None or not before.in_roster) and len(roster) >= self._items_max:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text="the roster is full")
        after = replace(roster.known(contact), name=item.name, groups=item.groups, in_roster=True)
        version = await self._rosters.put(roster, after)
        self._pushes.push(roster.account, after, version)

    async def restored(self, session: Session) -> Sequence[str]:
        """A restarted core has a session again: push what has changed since its client asked for the roster.

        The last core may have died before it told, or before the client had read it.  Called before anything changes,
        so that what was last comes last.

        Returns:
            The contacts, bare JIDs, that are on the roster no more.
        """
        roster, since = session.account.roster, session.roster_version
        if roster is None or since is None or since == roster.stored_version:
            return ()
        changes = await self._store.changes(roster.account, since, self._items_max) or ()
        for change in changes:
            push_to(session, _wire_change(change), change.version)
        return [change.contact for change in changes if change.item is None]

    def _own_session(self, request: Request) -> Session:
        """RFC 6121 section 2.3.3 and 2.1.5: nobody else may see or change a roster."""
        if request.session is None or not request.is_own:
            raise StanzaError(StanzaCondition.FORBIDDEN)
        return request.session


def _version(text: str | None) -> int | None:
    """The version that a client has; None when it has none of ours."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS_MAX else None


def _wire_change(change: RosterChange) -> wire.Item:
    if change.item is None or not change.item.in_roster:
        return wire.Item(JID.parse(change.contact), subscription=wire.Subscription.REMOVE)
    return wire_item(change.item)
