"""One parser inside a stream: what it keeps and when it is free for another stream."""

import pytest

from xmpp.cutter import ElementCutter, Limits, end_of_tag
from xmpp.element import ClarkNames
from xmpp.errors import StreamCondition, StreamError
from xmpp.items import Fault, Item, StreamEnd
from xmpp.stanza import Stanza


def cutter(limits: Limits | None = None) -> ElementCutter:
    return ElementCutter(limits or Limits(), ClarkNames())


def test_it_is_idle_when_nothing_is_left_over() -> None:
    parser = cutter()
    for data, idle in (
        (b"<iq/>", True),
        (b"<iq/> ", True),
        (b"<iq/><", False),
        (b"iq>", False),
        (b"x", False),
        (b"</iq>", True),
        (b"<iq/><iq>", False),
        (b"</iq>\r", True),
    ):
        parser.feed(data)
        assert (parser.is_idle, parser.is_over) == (idle, False)


def test_an_empty_piece_changes_nothing() -> None:
    parser = cutter()
    expected: list[tuple[bytes, list[Item], bool]] = [
        (b"", [], True),
        (b"<iq", [], False),
        (b"", [], False),
        (b"/>", [Stanza("iq")], True),
        (b"", [], True),
    ]
    assert [(data, parser.feed(data), parser.is_idle) for data, _, _ in expected] == expected


def test_the_end_of_the_stream_is_the_end() -> None:
    parser = cutter()
    assert parser.feed(b"<iq/></stream:stream>") == [Stanza("iq"), StreamEnd()]
    assert (parser.is_idle, parser.is_over) == (False, True)
    for ignored in (b"<!-- -->", b"<iq/>", b"\0"):
        assert parser.feed(ignored) == []


def test_a_fault_is_the_end() -> None:
    parser = cutter()
    assert parser.feed(b"<iq>\0") == [
        Fault(StreamError(StreamCondition.NOT_WELL_FORMED, "not well-formed (invalid token)"))
    ]
    assert (parser.is_idle, parser.is_over) == (False, True)


def test_names_are_shared() -> None:
    names = ClarkNames()
    first, second = (ElementCutter(Limits(), names).feed(b"<iq><a xmlns='urn:x'/></iq>") for _ in range(2))
    assert isinstance(first[0], Stanza)
    assert isinstance(second[0], Stanza)
    assert first[0].payloads[0] is second[0].payloads[0]


def test_a_stanza_in_many_pieces_is_read_in_linear_time() -> None:
    parser = cutter(Limits(stanza_size_bytes_max=300_000))
    text = b"x" * 200_000
    items = [item for byte in (b"<iq><b>" + text + b"</b></iq>") for item in parser.feed(bytes((byte,)))]
    assert items == [Stanza("iq", payloads=("{jabber:client}b",), inner=b"<b>" + text + b"</b>")]


def test_the_end_of_a_tag() -> None:
    for tag in (b"<a>", b"<a/>", b"<a b='>' c=\">'\">", b"<a b='\"'\n/>"):
        assert end_of_tag(b"x" + tag + b"'>\">", 1) == 1 + len(tag)


def test_only_a_tag_has_an_end() -> None:
    with pytest.raises(AssertionError):
        end_of_tag(b"<a", 0)


@pytest.mark.parametrize(("namespace", "count"), [("n" * 400, 3), ("ü" * 200, 3), ("n" * 30, 40)])
def test_one_declaration_does_not_make_many_long_names(namespace: str, count: int) -> None:
    limits = Limits(stanza_size_bytes_max=1000)
    few, many = (f"<iq xmlns:p='{namespace}'>{'<p:q/>' * number}</iq>".encode() for number in (1, count))
    assert isinstance(cutter(limits).feed(few)[0], Stanza)
    fault = cutter(limits).feed(many)[-1]
    assert isinstance(fault, Fault)
    assert (fault.error.condition, fault.error.text) == (
        StreamCondition.POLICY_VIOLATION,
        "the names of the payloads are too long",
    )
