"""From a query to what is asked of the store, and from its rows to what the client gets (XEP-0313 section 4)."""

from collections.abc import Iterable

from edge_node.features.archive.settings import ArchiveSettings
from edge_node.features.archive.store import ArchiveStore, Page, PageRequest, Row, Selection, UnknownId
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import archive as wire
from xmpp.payloads import result_set
from xmpp.payloads.delay import Delay
from xmpp.payloads.stanza_id import format_archive_id, parse_archive_id
from xmpp.stanza import Stanza

SCANNED_PAGE = 250
"""Rows read at a time to find those of one resource, by which the store has no order."""
SCANNED_MAX = 10_000
"""Rows looked at for one such query."""


def selection_of(query: wire.Query, ids_max: int) -> Selection:
    """The rows that a query asks for.

    Raises:
        StanzaError: it names an id that no archive of ours gives, or too many.
    """
    if len(query.ids) > ids_max:
        raise StanzaError(StanzaCondition.POLICY_VIOLATION, text=f"more than {ids_max} ids")
    return Selection(
        peer=None if query.with_ is None else query.with_.bare,
        start_us=query.start_us,
        end_us=query.end_us,
        after_id=_number(query.after_id),
        before_id=_number(query.before_id),
        ids=tuple(_known(text) for text in query.ids) or None,
    )


def request_of(page: result_set.PageRequest, settings: ArchiveSettings) -> PageRequest:
    """The page that a query asks for, within the bounds.

    Raises:
        StanzaError: it names an id that no archive of ours gives, or a position (XEP-0059 section 2.6).
    """
    if page.index is not None:
        raise StanzaError(StanzaCondition.FEATURE_NOT_IMPLEMENTED, text="a page is found by an id, not by a position")
    limit = settings.page_default if page.limit is None else min(page.limit, settings.page_max)
    return PageRequest(limit, _number(page.after), _number(page.before or None), last=page.before == "")


def _number(text: str | None) -> int | None:
    return None if text is None else _known(text)


def _known(text: str) -> int:
    number = parse_archive_id(text)
    if number is None:
        raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, text="the archive has no such id")
    return number


async def find(store: ArchiveStore, account: str, query: wire.Query, settings: ArchiveSettings) -> Page:
    """Read the page that a query asks for.

    Raises:
        StanzaError: the query names what is not there, or asks for too much.
    """
    selection, request = selection_of(query, settings.ids_max), request_of(query.page, settings)
    try:
        if query.with_ is None or query.with_.is_bare:
            return await store.page(account, selection, request)
        return await _find_of_resource(store, account, query.with_, selection, request)
    except UnknownId as error:
        raise StanzaError(StanzaCondition.ITEM_NOT_FOUND, text="the archive has no such id") from error


async def _find_of_resource(
    store: ArchiveStore, account: str, address: JID, selection: Selection, request: PageRequest
) -> Page:
    """The same for one resource of the other party, in bounded steps through what the archive has of that party."""
    backwards = request.after is None and (request.last or request.before is not None)
    found: list[Row] = []
    step = PageRequest(SCANNED_PAGE, request.after, request.before, last=request.last)
    for _ in range(SCANNED_MAX // SCANNED_PAGE):
        page = await store.page(account, selection, step)
        rows = reversed(page.rows) if backwards else page.rows
        matching = [row for row in rows if is_with(row, address)]
        found += matching
        if page.complete or len(found) > request.limit:
            break
        if backwards:
            step = PageRequest(SCANNED_PAGE, request.after, page.rows[0].id)
        else:
            step = PageRequest(SCANNED_PAGE, page.rows[-1].id, request.before)
    else:
        if not found:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text="too many messages to search: name a time")
        return _page(found, request.limit, backwards=backwards, complete=False)
    return _page(found, request.limit, backwards=backwards, complete=len(found) <= request.limit)


def _page(found: list[Row], limit: int, *, backwards: bool, complete: bool) -> Page:
    rows = found[:limit]
    return Page(tuple(reversed(rows) if backwards else rows), complete=complete, count=None)


def is_with(row: Row, address: JID) -> bool:
    """Whether a row was sent to, or came from, exactly this address; only the start tag is looked at."""
    start, _, _ = row.stanza.partition(b">")
    return b'%s="%s"' % (b" to" if row.outgoing else b" from", address.escaped.encode()) in start


def results(page: Page, query: wire.Query, account: JID, to: JID) -> Iterable[bytes]:
    """The messages that carry a page, rendered, in the order in which the client wants them."""
    for row in reversed(page.rows) if query.flip else page.rows:
        result = wire.render_result(row.stanza, format_archive_id(row.id), Delay(row.id), query.query_id)
        yield Stanza("message", to=to, sender=account, payloads=(wire.RESULT,), inner=result).render()


def fin_of(page: Page) -> wire.Fin:
    """What follows the messages."""
    first, last = (page.rows[0], page.rows[-1]) if page.rows else (None, None)
    return wire.Fin(
        result_set.Page(
            first=None if first is None else format_archive_id(first.id),
            last=None if last is None else format_archive_id(last.id),
            count=page.count,
        ),
        complete=page.complete,
    )
