"""Result sets: XEP-0059."""

import pytest

from xmpp.element import Element, parse_fragment, serialize
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.payloads.result_set import COUNT_MAX, NAME, Page, PageRequest, read_page, read_request


def parsed(inner: bytes) -> Element:
    (element,) = parse_fragment(b"<set xmlns='http://jabber.org/protocol/rsm'>" + inner + b"</set>")
    assert isinstance(element, Element)
    return element


@pytest.mark.parametrize(
    ("inner", "request_"),
    [
        (b"", PageRequest()),
        (b"<max>10</max>", PageRequest(limit=10)),
        (b"<max>0</max>", PageRequest(limit=0)),
        (b"<max> 10 </max><after>x@y</after>", PageRequest(limit=10, after="x@y")),
        (b"<max>10</max><before/>", PageRequest(limit=10, before="")),
        (b"<before>x</before>", PageRequest(before="x")),
        (b"<max>10</max><index>371</index>", PageRequest(limit=10, index=371)),
        (b"<max>9999999999</max>", PageRequest(limit=COUNT_MAX)),
    ],
)
def test_requests(inner: bytes, request_: PageRequest) -> None:
    assert read_request(parsed(inner)) == request_
    assert read_request(request_.element()) == request_


@pytest.mark.parametrize(
    ("inner", "page"),
    [
        (b"", Page()),
        (b"<count>0</count>", Page(count=0)),
        (b"<first index='0'>a</first><last>b</last><count>800</count>",
         Page(first="a", last="b", first_index=0, count=800)),
        (b"<first>a</first><last>b</last>", Page(first="a", last="b")),
    ],
)  # fmt: skip
def test_pages(inner: bytes, page: Page) -> None:
    assert read_page(parsed(inner)) == page
    assert page.element() == parsed(inner)


def test_an_empty_before_is_an_empty_element() -> None:
    assert serialize(PageRequest(before="").element()) == b'<set xmlns="http://jabber.org/protocol/rsm"><before/></set>'


@pytest.mark.parametrize("number", ["", "-1", "ten", "1.5", "\u0661", "99999999999", "0x1"])
def test_what_is_no_number(number: str) -> None:
    child = Element("{http://jabber.org/protocol/rsm}max", children=(number,))
    with pytest.raises(StanzaError) as refusal:
        read_request(Element(NAME, children=(child,)))
    assert refusal.value.condition == StanzaCondition.BAD_REQUEST
