"""Ids of stanzas: XEP-0359."""

from hypothesis import given
from hypothesis import strategies as st

from xmpp.element import Element, parse_fragment
from xmpp.jid import JID
from xmpp.payloads.stanza_id import format_archive_id, parse_archive_id, render_archive_id


def test_the_element_of_an_archived_message() -> None:
    written = render_archive_id(0x6123456789AB, JID.parse('room@muc.example/a"b'))
    (element,) = parse_fragment(written)
    attributes = {"id": "00006123456789ab", "by": 'room@muc.example/a"b'}
    assert element == Element("{urn:xmpp:sid:0}stanza-id", attributes)


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
