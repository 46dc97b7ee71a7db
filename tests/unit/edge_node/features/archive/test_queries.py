from itertools import count

import pytest

from edge_node.adapters.memory import MemoryStore, open_store
from edge_node.custody import Acceptance, Entry, EntryFlag
from edge_node.features.archive.queries import (
    SCANNED_MAX,
    SCANNED_PAGE,
    fin_of,
    find,
    is_with,
    request_of,
    results,
    selection_of,
)
from edge_node.features.archive.settings import ArchiveSettings
from edge_node.features.archive.store import Page, PageRequest, Row, Selection
from tests.support.edge import jid, parse
from xmpp.errors import StanzaError
from xmpp.payloads import result_set
from xmpp.payloads.archive import Query
from xmpp.payloads.stanza_id import format_archive_id

SETTINGS = ArchiveSettings(page_default=3, page_max=5)
ANNA = "anna@corp.example"
DESK = jid("bruno/desk")


def row(
    number: int, *, to: str = "bruno@corp.example", sender: str = "anna@corp.example/phone", outgoing: bool = True
) -> Row:
    stanza = (
        f'<message type="chat" to="{to}" from="{sender}"><body>{number} to="bruno@corp.example/desk"</body></message>'
    )
    return Row(number, stanza.encode(), outgoing)


async def store_with(resources: str) -> MemoryStore:
    """Anna's messages to Bruno, one a letter: d is to his desk, p to his phone."""
    store = open_store()
    for number, letter in zip(count(1), resources, strict=False):
        acceptance = Acceptance(number)
        acceptance.stanza = row(number, to=f"bruno@corp.example/{'desk' if letter == 'd' else 'phone'}").stanza
        acceptance.entries.append(Entry(ANNA, "bruno@corp.example", outgoing=True, flags=EntryFlag.ARCHIVED))
        store.custody.accept(acceptance, lambda _: None)
    await store.archive.purge(0, 1)  # everything before is committed then
    return store


def page_of(limit: int | None = None, *, after: int | None = None, before: int | str | None = None) -> Query:
    place = before if isinstance(before, str) or before is None else format_archive_id(before)
    page = result_set.PageRequest(limit=limit, after=None if after is None else format_archive_id(after), before=place)
    return Query(with_=DESK, page=page)


class TestTranslation:
    def test_of_an_empty_query(self) -> None:
        assert selection_of(Query(), 10) == Selection()
        assert request_of(result_set.PageRequest(), SETTINGS) == PageRequest(3)

    def test_of_every_field(self) -> None:
        query = Query(with_=DESK, start_us=1, end_us=2, after_id=f"{3:016x}", before_id=f"{4:016x}", ids=(f"{5:016x}",))
        assert selection_of(query, 10) == Selection("bruno@corp.example", 1, 2, 3, 4, (5,))

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (result_set.PageRequest(limit=4), PageRequest(4)),
            (result_set.PageRequest(limit=99), PageRequest(5)),
            (result_set.PageRequest(limit=0), PageRequest(0)),
            (result_set.PageRequest(after=f"{7:016x}"), PageRequest(3, after=7)),
            (result_set.PageRequest(before=f"{7:016x}"), PageRequest(3, before=7)),
            (result_set.PageRequest(before=""), PageRequest(3, last=True)),
        ],
    )
    def test_of_pages(self, asked: result_set.PageRequest, expected: PageRequest) -> None:
        assert request_of(asked, SETTINGS) == expected

    def test_of_foreign_ids_fails(self) -> None:
        for query in (Query(ids=("x",)), Query(after_id="x"), Query(before_id="")):
            with pytest.raises(StanzaError, match="item-not-found"):
                selection_of(query, 10)
        with pytest.raises(StanzaError, match="item-not-found"):
            request_of(result_set.PageRequest(after=""), SETTINGS)


class TestOneResource:
    def test_is_known_by_the_start_tag_alone(self) -> None:
        assert is_with(row(1, to="bruno@corp.example/desk"), DESK)
        assert not is_with(row(1), DESK)
        assert not is_with(row(1, to="bruno@corp.example/desk2"), DESK)
        assert is_with(row(1, sender="bruno@corp.example/desk", outgoing=False), DESK)
        assert not is_with(row(1, sender="bruno@corp.example/desk", outgoing=True), DESK)

    @pytest.mark.parametrize(
        ("query", "ids", "complete"),
        [
            (page_of(), (1, 3, 5), False),
            (page_of(4), (1, 3, 5, 7), True),
            (page_of(2, after=3), (5, 7), True),
            (page_of(1, after=3), (5,), False),
            (page_of(2, before=""), (5, 7), False),
            (page_of(2, before=5), (1, 3), True),
            (page_of(2, before=6), (3, 5), False),
            (page_of(0), (), False),
        ],
    )
    async def test_is_paged(self, query: Query, ids: tuple[int, ...], complete: bool) -> None:
        store = await store_with("dpdpdpd")
        page = await find(store.archive, ANNA, query, SETTINGS)
        assert (tuple(each.id for each in page.rows), page.complete) == (ids, complete)

    async def test_is_found_far_away(self) -> None:
        store = await store_with("d" + "p" * (2 * SCANNED_PAGE) + "d")
        for query in (page_of(2), page_of(2, before="")):
            page = await find(store.archive, ANNA, query, SETTINGS)
            assert ([each.id for each in page.rows], page.complete) == ([1, 2 * SCANNED_PAGE + 2], True)

    async def test_is_not_searched_for_without_end(self) -> None:
        store = await store_with("p" * (SCANNED_MAX + 1) + "d")
        with pytest.raises(StanzaError, match="resource-constraint"):
            await find(store.archive, ANNA, page_of(), SETTINGS)

    async def test_what_was_found_until_then_is_given(self) -> None:
        store = await store_with("d" + "p" * SCANNED_MAX)
        page = await find(store.archive, ANNA, page_of(), SETTINGS)
        assert ([each.id for each in page.rows], page.complete) == ([1], False)


def test_results_are_written_in_the_order_asked_for() -> None:
    page = Page((row(1), row(2)), complete=True, count=2)
    for flip, numbers in ((False, [1, 2]), (True, [2, 1])):
        written = [parse(each) for each in results(page, Query(flip=flip), jid("anna"), jid("anna/phone"))]
        assert [each.elements()[0].get("id") for each in written] == [f"{number:016x}" for number in numbers]


def test_fin_names_the_ends_of_the_page() -> None:
    fin = fin_of(Page((row(1), row(2), row(3)), complete=False, count=9))
    assert fin.page == result_set.Page(first=f"{1:016x}", last=f"{3:016x}", count=9)
    assert not fin.complete
