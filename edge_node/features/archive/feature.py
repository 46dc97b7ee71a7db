"""XEP-0313: every account has an archive of its messages, and searches it; XEP-0441: and says what goes into it."""

from edge_node.custody import Entry, EntryFlag
from edge_node.features.archive import queries
from edge_node.features.archive.preferences import ArchivePreferences, TooMany
from edge_node.features.archive.settings import ArchiveSettings
from edge_node.features.archive.store import ArchiveDefault, ArchiveStore, Preferences
from edge_node.pipeline.feature import Feature, Query, Request, Spec, Stages, To
from edge_node.pipeline.passage import Passage
from edge_node.sessions.session import Session
from xmpp import namespaces
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import archive as wire
from xmpp.payloads.stanza_id import format_archive_id
from xmpp.stanza import Stanza

_ARCHIVED = int(EntryFlag.ARCHIVED)


class Archive:
    """Records messages and answers queries; what is recorded is stored by `edge_node.custody`."""

    def __init__(self, store: ArchiveStore, preferences: ArchivePreferences, settings: ArchiveSettings) -> None:
        """Compose it."""
        self._store = store
        self._preferences = preferences
        self._settings = settings

    def feature(self) -> Feature:
        """The feature."""
        return Feature(
            name="archive",
            specs=(
                Spec("XEP-0313", "1.1.3", "urn:xmpp:mam:2 and urn:xmpp:mam:2#extended, for accounts"),
                Spec("XEP-0441", "0.2.0"),
                Spec("XEP-0359", "0.7.0"),
                Spec("XEP-0059", "1.0", "without pages by index"),
                Spec("XEP-0334", "1.0.0", "no-store, no-permanent-store, store"),
            ),
            # Messages of rooms are not archived, so it makes no difference whether a query wants them.
            account_features=(
                namespaces.ARCHIVE,
                namespaces.ARCHIVE_EXTENDED,
                namespaces.ARCHIVE_GROUPCHAT_FIELD,
                namespaces.STANZA_ID,
            ),
            iq={
                Query("set", wire.QUERY, To.ACCOUNT): self._query,
                Query("get", wire.QUERY, To.ACCOUNT): self._form,
                Query("get", wire.METADATA, To.ACCOUNT): self._metadata,
                Query("get", wire.PREFERENCES, To.ACCOUNT): self._show_preferences,
                Query("set", wire.PREFERENCES, To.ACCOUNT): self._set_preferences,
            },
            outbound=Stages(records=(self._record_sent,)),
            inbound=Stages(records=(self._record_received,)),
        )

    # On the way of messages.

    def _record_sent(self, passage: Passage) -> None:
        stanza = passage.stanza
        if not passage.traits.archived or stanza.sender is None or stanza.to is None:
            return
        account = stanza.sender.bare
        if self._preferences.wants(account, stanza.to):
            entry = Entry(account, stanza.to.bare, outgoing=True, flags=_ARCHIVED)
            passage.acceptance.entries.append(entry)
            passage.is_archived_for_sender = True

    def _record_received(self, passage: Passage) -> None:
        sender, recipient = passage.stanza.sender, passage.recipient
        if not passage.traits.archived or sender is None or recipient is None:
            return
        if self._preferences.wants(recipient.bare, sender):
            passage.flags |= _ARCHIVED

    # Queries.

    async def _query(self, request: Request) -> Stanza | None:
        session = _own_session(request)
        account = session.account.jid
        query = wire.read_query(request.payload)
        page = await queries.find(self._store, account.bare, query, self._settings)
        if session.is_over:
            return None
        if len(page.rows) > session.room:
            # What the client reads too slowly must not end its session.
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text="acknowledge what was sent before")
        for message in queries.results(page, query, account, session.jid):
            session.deliver(message)
        return request.stanza.result(queries.fin_of(page).element())

    def _form(self, request: Request) -> Stanza:
        _own_session(request)
        return request.stanza.result(wire.query_form())

    async def _metadata(self, request: Request) -> Stanza:
        account = _own_session(request).account.bare
        bounds = await self._store.bounds(account)
        if bounds is None:
            return request.stanza.result(wire.metadata(None, None))
        first, last = (wire.Edge(format_archive_id(row.id), row.id) for row in bounds)
        return request.stanza.result(wire.metadata(first, last))

    # Preferences.

    def _show_preferences(self, request: Request) -> Stanza:
        return self._answer_preferences(request, _own_session(request).account.bare)

    async def _set_preferences(self, request: Request) -> Stanza:
        account = _own_session(request).account.bare
        asked = wire.read_preferences(request.payload)
        if len(asked.always) + len(asked.never) > self._settings.preference_addresses_max:
            raise StanzaError(StanzaCondition.POLICY_VIOLATION, text="too many addresses")
        try:
            await self._preferences.choose(account, _stored(asked))
        except TooMany as error:
            text = "too many accounts have preferences of their own"
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text=text) from error
        return self._answer_preferences(request, account)

    def _answer_preferences(self, request: Request, account: str) -> Stanza:
        return request.stanza.result(_shown(self._preferences.of(account)).element())


def _own_session(request: Request) -> Session:
    """An archive is for its owner alone (XEP-0313 section 7)."""
    if request.session is None or not request.is_own:
        raise StanzaError(StanzaCondition.FORBIDDEN)
    return request.session


def _stored(preferences: wire.Preferences) -> Preferences:
    return Preferences(
        ArchiveDefault(preferences.default),
        tuple(jid.full for jid in preferences.always),
        tuple(jid.full for jid in preferences.never),
    )


def _shown(preferences: Preferences) -> wire.Preferences:
    return wire.Preferences(
        preferences.default.value,
        tuple(JID.parse(address) for address in preferences.always),
        tuple(JID.parse(address) for address in preferences.never),
    )
