"""Ids of stanzas: XEP-0359."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmpp.element import Element, parse_fragment
from xmpp.jid import JID
from xmpp.payloads.stanza_id import NAME, StanzaId, format_archive_id, parse_archive_id, read, render

ROOM = JID.parse("room@muc.example")


def test_what_is_written_is_read_back() -> None:
    written = render('5f3d"', ROOM)
    assert written == b'<stanza-id xmlns="urn:xmpp:sid:0" id="5f3d&quot;" by="room@muc.example"/>'
    (element,) = parse_fragment(written)
    assert isinstance(element, Element)
    assert read(element) == StanzaId('5f3d"', ROOM)


@pytest.mark.parametrize(
    "attributes", [{}, {"id": "1"}, {"by": "a@x"}, {"id": "", "by": "a@x"}, {"id": "1", "by": "@"}]
)
def test_what_says_too_little_is_none(attributes: dict[str, str]) -> None:
    assert read(Element(NAME, attributes)) is None


def test_ids_of_an_archive() -> None:
    assert format_archive_id(0x6123456789AB) == "00006123456789ab"
    for text in (
        "",
        "6123456789ab",
        "00006123456789AB",
        "00006123456789ag",
        "0" * 17,
        "8" + "0" * 15,
        "f" * 16,
        "\u0660" * 16,
        "-000000000000001",
    ):
        assert parse_archive_id(text) is None


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_ids_of_an_archive_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert parse_archive_id(format_archive_id(one)) == one
    assert (format_archive_id(one) < format_archive_id(other)) == (one < other)
