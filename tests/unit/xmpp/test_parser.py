"""The reader of a stream: whole, byte by byte and cut anywhere, what it reports is the same."""

import gc
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xmpp.strategies import ELEMENTS
from xmpp.cutter import ElementCutter
from xmpp.element import Element, serialize
from xmpp.errors import StreamCondition, StreamError
from xmpp.header import HeaderReader
from xmpp.jid import JID
from xmpp.parser import Fault, Item, Limits, ParserPool, StreamEnd, StreamHeader, StreamReader
from xmpp.stanza import Stanza

TAG = b"<stream:stream to='corp.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
HEADER = StreamHeader(to="corp.example", version="1.0", raw=TAG)
END = b"</stream:stream>"
LIMITS = Limits(stanza_size_bytes_max=200, depth_max=5, elements_max=8, tag_size_bytes_max=150)

B, C = "{jabber:client}b", "{jabber:client}c"
ANNA = JID.parse("anna@corp.example/pc")

ACCEPTED: list[tuple[bytes, Sequence[Item]]] = [
    (b"", []),
    (b" \r\n\t ", []),
    (b"<presence/>", [Stanza("presence")]),
    (b"<presence></presence>", [Stanza("presence")]),
    (b"<presence />\n<presence\n></presence >", [Stanza("presence"), Stanza("presence")]),
    (b"<iq/></stream:stream>", [Stanza("iq"), StreamEnd()]),
    (b"<iq></iq></stream:stream >", [Stanza("iq"), StreamEnd()]),
    (b"<iq a='/'></iq>", [Stanza("iq")]),
    (b"<iq id='>'/>", [Stanza("iq", id=">")]),
    (b"<iq id='>'><b/></iq>", [Stanza("iq", id=">", payloads=(B,), inner=b"<b/>")]),
    (b"<iq id='>\"'>><b/></iq>", [Stanza("iq", id='>"', payloads=(B,), inner=b"><b/>")]),
    (b"<iq id='\"'><b/></iq>", [Stanza("iq", id='"', payloads=(B,), inner=b"<b/>")]),
    (b'<iq id="\'/>"/>', [Stanza("iq", id="'/>")]),
    (b"<message>a<b/>c</message>", [Stanza("message", payloads=(B,), inner=b"a<b/>c")]),
    (b"<message>a></message>", [Stanza("message", inner=b"a>")]),
    (b"<message><b x='/'/><c>></c></message>", [Stanza("message", payloads=(B, C), inner=b"<b x='/'/><c>></c>")]),
    (b"<message><b><b><b/></b></b><c/></message>",
     [Stanza("message", payloads=(B, C), inner=b"<b><b><b/></b></b><c/>")]),
    (b"<message><b><![CDATA[</message>]]></b></message>",
     [Stanza("message", payloads=(B,), inner=b"<b><![CDATA[</message>]]></b>")]),
    (b"<message type='chat' id='1' to='Anna@corp.example/pc' from='anna@corp.example/pc' xml:lang='de' other='x'/>",
     [Stanza("message", "chat", "1", ANNA, ANNA, "de")]),
    (b"<iq id='&lt;&#x41;&quot;&amp;'/>", [Stanza("iq", id='<A"&')]),
    (b"<iq to='@' from='anna@corp.example/pc'/>", [Stanza("iq", sender=ANNA, malformed="to")]),
    (b"<iq to='' from='@'/>", [Stanza("iq", malformed="to")]),
    (b"<iq from='a b@x'/>", [Stanza("iq", malformed="from")]),
    (b"<message xmlns='jabber:client'><b/></message>", [Stanza("message", payloads=(B,), inner=b"<b/>")]),
    (b"<message><x xmlns='urn:x'><y/></x></message>",
     [Stanza("message", payloads=("{urn:x}x",), inner=b"<x xmlns='urn:x'><y/></x>")]),
    (b"<message><p:x xmlns:p='urn:x' p:k='1'/></message>",
     [Stanza("message", payloads=("{urn:x}x",), inner=b"<p:x xmlns:p='urn:x' p:k='1'/>")]),
    (b"<message xmlns:p='urn:&quot;x' xmlns:xml='http://www.w3.org/XML/1998/namespace' p:k='1'><p:x/></message>",
     [Stanza("message", payloads=('{urn:"x}x',), inner=b"<p:x/>", declarations=b' xmlns:p="urn:&quot;x"')]),
    (b"<iq xmlns:p='urn:x' p:k='1'/>", [Stanza("iq")]),
    (b"<c:iq xmlns:c='jabber:client' xmlns='urn:x'>t</c:iq>", [Stanza("iq", inner=b"t")]),
    (b"<message id='xmlns:p'><b>stream:</b></message>",
     [Stanza("message", id="xmlns:p", payloads=(B,), inner=b"<b>stream:</b>")]),
    (b"<c:message xmlns:c='jabber:client'><b/></c:message>",
     [Stanza("message", payloads=(B,), inner=b"<b/>", declarations=b' xmlns:c="jabber:client"')]),
    (b"<c:message xmlns:c='jabber:client' xmlns='urn:x'>t<b/><c:b/></c:message>",
     [Stanza("message", payloads=("{urn:x}b", B), inner=b't<b xmlns="urn:x"/><b/>')]),
    (b"<c:iq xmlns:c='jabber:client' xmlns=''><b/></c:iq>", [Stanza("iq", payloads=("b",), inner=b'<b xmlns=""/>')]),
    (b"<message><stream:b xmlns:stream='urn:x'/></message>",
     [Stanza("message", payloads=("{urn:x}b",), inner=b"<stream:b xmlns:stream='urn:x'/>")]),
    ("<iq><\u00e4\u4e00 \u00f6='\U0001f600'/></iq>".encode(),
     [Stanza("iq", payloads=("{jabber:client}\u00e4\u4e00",), inner="<\u00e4\u4e00 \u00f6='\U0001f600'/>".encode())]),
    (b"<message xmlns='jabber:server'/>", [Element("{jabber:server}message")]),
    (b"<unknown/>", [Element("{jabber:client}unknown")]),
    (b"<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='3'/>",
     [Element("{urn:xmpp:sm:3}r"), Element("{urn:xmpp:sm:3}a", {"h": "3"})]),
    (b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGE=</auth>",
     [Element("{urn:ietf:params:xml:ns:xmpp-sasl}auth", {"mechanism": "PLAIN"}, ("AGE=",))]),
    (b"<stream:features><bind xmlns='urn:b'/></stream:features>",
     [Element("{http://etherx.jabber.org/streams}features", {}, (Element("{urn:b}bind"),))]),
    (b"<iq/>" * 3 + END + b"<what is this", [Stanza("iq")] * 3 + [StreamEnd()]),
    (b"<iq>" + b"<b/>" * 8 + b"</iq>", [Stanza("iq", payloads=(B,) * 8, inner=b"<b/>" * 8)]),
    (b"<iq><b><b><b><b/></b></b></b></iq>", [Stanza("iq", payloads=(B,), inner=b"<b><b><b><b/></b></b></b>")]),
    (b"<iq><b>" + b"x" * 184 + b"</b></iq>", [Stanza("iq", payloads=(B,), inner=b"<b>" + b"x" * 184 + b"</b>")]),
    (b" " * 1000 + b"<iq/>", [Stanza("iq")]),
]  # fmt: skip

REFUSED: list[tuple[bytes, StreamCondition]] = [
    (b"<iq a='" + b"x" * 200, StreamCondition.POLICY_VIOLATION),
    (b"hello", StreamCondition.BAD_FORMAT),
    (b"hello<iq/>", StreamCondition.BAD_FORMAT),
    (b" &lt;<iq/>", StreamCondition.BAD_FORMAT),
    (b"<![CDATA[x]]><iq/>", StreamCondition.BAD_FORMAT),
    (b"x</stream:stream>", StreamCondition.BAD_FORMAT),
    (b"&#32;</stream:stream>", StreamCondition.BAD_FORMAT),
    (b"<iq></message>", StreamCondition.NOT_WELL_FORMED),
    (b"</iq>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq a='1' a='2'/>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq a=1/>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq a='<'/>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq>]]></iq>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq>\0</iq>", StreamCondition.NOT_WELL_FORMED),
    (b"\0", StreamCondition.NOT_WELL_FORMED),
    (b"<iq>\x1b</iq>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq>&#0;</iq>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq>&#xFFFF;</iq>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq>\xff</iq>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq>\xc0\x80</iq>", StreamCondition.NOT_WELL_FORMED),  # overlong
    (b"<iq>\xed\xa0\x80</iq>", StreamCondition.NOT_WELL_FORMED),  # a surrogate
    (b"<iq>\xef\xbf\xbf</iq>", StreamCondition.NOT_WELL_FORMED),  # U+FFFF
    (b"<iq>\xf4\x90\x80\x80</iq>", StreamCondition.NOT_WELL_FORMED),  # beyond U+10FFFF
    (b"<iq>\xe4</iq>", StreamCondition.NOT_WELL_FORMED),  # Latin-1
    (b"<a:b:c xmlns:a='urn:x'/>", StreamCondition.NOT_WELL_FORMED),
    (b"<:iq/>", StreamCondition.NOT_WELL_FORMED),
    (b"<iq xmlns:a='u' xmlns:b='u' a:k='1' b:k='2'/>", StreamCondition.NOT_WELL_FORMED),
    (b"<?xml version='1.0'?>", StreamCondition.NOT_WELL_FORMED),
    (b"<!-- a comment -->", StreamCondition.RESTRICTED_XML),
    (b"<iq><!-- a comment --></iq>", StreamCondition.RESTRICTED_XML),
    (b"<?php ?>", StreamCondition.RESTRICTED_XML),
    (b"<iq><b><?php ?></b></iq>", StreamCondition.RESTRICTED_XML),
    (b"<iq>&lol;</iq>", StreamCondition.RESTRICTED_XML),
    (b"<iq a='&lol;'/>", StreamCondition.RESTRICTED_XML),
    (b"<!DOCTYPE x>", StreamCondition.RESTRICTED_XML),
    (b"<iq><!DOCTYPE x></iq>", StreamCondition.RESTRICTED_XML),
    (b"<!ENTITY lol 'x'>", StreamCondition.RESTRICTED_XML),
    (b"<iq><p:b/></iq>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq><b p:k='1'/></iq>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq><stream:b/></iq>", StreamCondition.BAD_NAMESPACE_PREFIX),  # borrowed from the header
    (b"<iq><b stream:k='1'/></iq>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq stream:k='1'/>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq><b><p:c xmlns:p='urn:x'/><p:c/></b></iq>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq><b xmlns:p=''/></iq>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq xmlns:xml='urn:x'/>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq xmlns:xmlns='urn:x'/>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<xmlns:iq/>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<iq xmlns='http://www.w3.org/2000/xmlns/'/>", StreamCondition.INVALID_NAMESPACE),
    (b"<iq><b xmlns='http://www.w3.org/XML/1998/namespace'/></iq>", StreamCondition.INVALID_NAMESPACE),
    (b"<iq xmlns:p='http://www.w3.org/2000/xmlns/'/>", StreamCondition.INVALID_NAMESPACE),
    (b"<iq><b>" + b"x" * 185 + b"</b></iq>", StreamCondition.POLICY_VIOLATION),
    (b"<iq>" + b"x" * 10_000, StreamCondition.POLICY_VIOLATION),
    (b"<iq><b><b><b><b><b/></b></b></b></b></iq>", StreamCondition.POLICY_VIOLATION),
    (b"<iq>" + b"<b/>" * 9 + b"</iq>", StreamCondition.POLICY_VIOLATION),
    (b"<iq><b>" + b"<b/>" * 8 + b"</b></iq>", StreamCondition.POLICY_VIOLATION),
]


def opened(limits: Limits = LIMITS) -> StreamReader:
    reader = StreamReader(ParserPool(limits))
    assert reader.receive(TAG) == [HEADER]
    return reader


def read(reader: StreamReader, pieces: Iterable[bytes]) -> list[Item]:
    return [item for piece in pieces for item in reader.receive(piece)]


def bytewise(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


def conditions(items: list[Item]) -> list[Item | StreamCondition]:
    return [item.error.condition if isinstance(item, Fault) else item for item in items]


@pytest.mark.parametrize(("data", "items"), ACCEPTED)
def test_what_is_accepted(data: bytes, items: Sequence[Item]) -> None:
    assert opened().receive(data) == items
    assert read(opened(), bytewise(data)) == items
    for cut in range(len(data)):
        assert read(opened(), (data[:cut], data[cut:])) == items


@pytest.mark.parametrize(("data", "condition"), REFUSED)
def test_what_is_refused(data: bytes, condition: StreamCondition) -> None:
    """Whatever came before is reported, nothing that comes after."""
    data = b"<presence/>" + data
    expected = [Stanza("presence"), condition]
    reader = opened()
    assert conditions(reader.receive(data)) == expected
    assert reader.receive(b"<presence/>") == []
    assert conditions(read(opened(), bytewise(data))) == expected
    for cut in range(min(len(data), 300)):
        assert conditions(read(opened(), (data[:cut], data[cut:]))) == expected


def test_a_tag_that_comes_in_pieces_is_bounded() -> None:
    """A whole one is bounded by the stanza's size alone: expat scans it once."""
    tag = b"<iq id='" + b"x" * 160 + b"'/>"
    assert opened().receive(tag) == [Stanza("iq", id="x" * 160)]
    assert conditions(read(opened(), (tag[:-1], tag[-1:]))) == [StreamCondition.POLICY_VIOLATION]


TOKENS = [
    b"<iq>", b"</iq>", b"<iq/>", b"<iq id='>'>", b"<b>", b"</b>", b"<b/>", b"<p:b xmlns:p='u'>", b"</p:b>",
    b"<c:iq xmlns:c='jabber:client' xmlns='u'>", b"</c:iq>", b"<stream:b/>", b"stream:", b"xmlns:", b"<!--", b"-->",
    b"<![CDATA[", b"]]>", b"]", b"&lt;", b"&lol;", b"&", b"#32;", b"<", b">", b"'", b'"', b"=", b" ", b"/", b"x", b"\r",
    b"\n", b"\xc3\xa4", b"\xc3", b"\0", b"<?", b"?>", b"<!D", b"!", b"<?xml version='1.0'?>", END,
]  # fmt: skip


@given(st.lists(ELEMENTS, max_size=5), st.data())
def test_any_stream_reads_the_same_however_it_is_cut(trees: list[Element], data: st.DataObject) -> None:
    stream = TAG + b" ".join(serialize(tree, "jabber:client") for tree in trees) + END
    whole = StreamReader(ParserPool()).receive(stream)
    assert not any(isinstance(item, Fault) for item in whole)
    assert [item for item in whole if isinstance(item, Element)] == [
        tree
        for tree in trees
        if tree.name not in {f"{{jabber:client}}{kind}" for kind in ("message", "presence", "iq")}
    ]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(StreamReader(ParserPool()), pieces) == whole
    assert read(StreamReader(ParserPool()), bytewise(stream)) == whole


@given(st.binary(max_size=60) | st.lists(st.sampled_from(TOKENS), max_size=14).map(b"".join))
def test_no_bytes_make_it_raise_and_faults_do_not_depend_on_cuts(data: bytes) -> None:
    limits = Limits(depth_max=3, elements_max=4)
    for stream in (data, TAG + data, TAG + b"<iq>" + data):
        whole = conditions(StreamReader(ParserPool(limits)).receive(stream))
        assert conditions(read(StreamReader(ParserPool(limits)), bytewise(stream))) == whole


def test_streams_share_parsers_between_stanzas_only() -> None:
    pool = ParserPool(LIMITS)
    readers = [StreamReader(pool) for _ in range(3)]
    for reader in readers:
        reader.receive(TAG)
        assert reader.is_between_items
    for number, reader in enumerate(readers):
        assert reader.receive(f"<iq id='{number}'><b>".encode()) == []
        assert not reader.is_between_items
    for number, reader in enumerate(readers):
        stanza = Stanza("iq", id=str(number), payloads=(B,), inner=b"<b></b>")
        assert reader.receive(b"</b></iq>\r") == [stanza]
        assert reader.is_between_items
    assert readers[0].receive(b"\n<iq/>") == [Stanza("iq")]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [((), True), ((TAG[:5],), False), ((TAG,), True), ((TAG, b"<iq"), False), ((TAG, b"<iq/>\n"), True)],
)
def test_what_is_left_over_is_known(pieces: tuple[bytes, ...], expected: bool) -> None:
    reader = StreamReader(ParserPool())
    read(reader, pieces)
    assert reader.is_between_items is expected
    reader.restart()
    assert reader.is_between_items


def test_one_streams_fault_is_nobody_elses() -> None:
    pool = ParserPool(LIMITS)
    bad, good = StreamReader(pool), StreamReader(pool)
    bad.receive(TAG)
    good.receive(TAG)
    for data, condition in REFUSED:
        assert conditions(bad.receive(data)) == [condition]
        bad.restart()
        bad.receive(TAG)
        assert good.receive(b"<iq/>") == [Stanza("iq")]


def test_a_worn_parser_is_replaced() -> None:
    pool = ParserPool(LIMITS, recycle_bytes=1000)
    reader = StreamReader(pool)
    reader.receive(TAG)
    parsers = set()
    for _ in range(100):
        parser = pool.borrow()
        parsers.add(id(parser))
        pool.give_back(parser)
        assert reader.receive(b"<iq><b/></iq>" * 5) == [Stanza("iq", payloads=(B,), inner=b"<b/>")] * 5
        assert parser.size_bytes < 1000 + 65
    assert len(parsers) > 1


def test_the_pool_keeps_only_idle_parsers_and_few() -> None:
    pool = ParserPool()
    borrowed = [pool.borrow() for _ in range(20)]
    for parser in borrowed:
        pool.give_back(parser)
    again = {id(pool.borrow()) for _ in range(20)}
    assert 0 < len(again & {id(parser) for parser in borrowed}) < 20
    parser = pool.borrow()
    parser.feed(b"<iq>")
    pool.give_back(parser)
    assert pool.borrow() is not parser


def test_restart_expects_a_header() -> None:
    reader = opened()
    assert reader.receive(b"<iq>") == []
    reader.restart()
    assert reader.receive(b"<?xml version='1.0'?>" + TAG + b"<iq/>") == [HEADER, Stanza("iq")]
    reader.restart()
    assert reader.receive(TAG[:10]) == []
    assert reader.receive(TAG[10:]) == [HEADER]
    assert reader.receive(END) == [StreamEnd()]
    reader.restart()
    assert reader.receive(TAG) == [HEADER]


def test_after_close_nothing_is_read() -> None:
    for pieces in ((), (TAG[:5],), (TAG,), (TAG, b"<iq>")):
        reader = StreamReader(ParserPool())
        for piece in pieces:
            reader.receive(piece)
        reader.close()
        assert reader.receive(TAG + b"<iq/>") == []


def read_and_close(reader: StreamReader, data: bytes) -> None:
    reader.receive(data)
    reader.close()


def test_nothing_is_left_to_the_cycle_collector() -> None:
    def living() -> list[str]:
        return [type(each).__name__ for each in gc.get_objects() if isinstance(each, ElementCutter | HeaderReader)]

    pool = ParserPool()
    gc.collect()
    gc.disable()
    try:
        before = len(living())
        for data in (
            b"<1",
            TAG[:9],
            TAG,
            b"<iq>",
            b"<iq/><!-- -->",
            b"<auth xmlns='u'/>",
            b"<iq><stream:b/></iq>",
            END,
        ):
            read_and_close(StreamReader(pool), TAG + data)
        assert len(living()) - before <= 1  # the pool's own
    finally:
        gc.enable()


FRAMES: list[tuple[bytes, Item]] = [  # RFC 7395
    (b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='corp.example' version='1.0'/>",
     Element("{urn:ietf:params:xml:ns:xmpp-framing}open", {"to": "corp.example", "version": "1.0"})),
    (b"<message xmlns='jabber:client' id='1'><b/></message>", Stanza("message", id="1", payloads=(B,), inner=b"<b/>")),
    (b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>",
     Element("{http://etherx.jabber.org/streams}features")),
    (b" <presence xmlns='jabber:client'/>\n", Stanza("presence")),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "item"), FRAMES)
def test_a_frame_is_one_element(frame: bytes, item: Item) -> None:
    reader = StreamReader(ParserPool())
    assert reader.receive_frame(frame) == item
    assert reader.receive_frame(frame) == item


@pytest.mark.parametrize(
    ("frame", "condition"),
    [
        (b"", StreamCondition.BAD_FORMAT),
        (b"  ", StreamCondition.BAD_FORMAT),
        (b"<iq/><iq/>", StreamCondition.BAD_FORMAT),
        (b"<iq/><", StreamCondition.BAD_FORMAT),
        (b"<iq>", StreamCondition.BAD_FORMAT),
        (b"</stream:stream>", StreamCondition.BAD_FORMAT),
        (b"<iq/></stream:stream>", StreamCondition.BAD_FORMAT),
        (TAG, StreamCondition.BAD_FORMAT),
        (b"<?xml version='1.0'?><iq/>", StreamCondition.NOT_WELL_FORMED),
        (b"<iq/>text", StreamCondition.BAD_FORMAT),
        (b"<iq><!-- --></iq>", StreamCondition.RESTRICTED_XML),
        (b"<iq><stream:b/></iq>", StreamCondition.BAD_NAMESPACE_PREFIX),
    ],
)
def test_a_frame_that_is_not(frame: bytes, condition: StreamCondition) -> None:
    reader = StreamReader(ParserPool())
    item = reader.receive_frame(frame)
    assert isinstance(item, Fault)
    assert item.error.condition == condition
    assert reader.receive_frame(b"<iq xmlns='jabber:client'/>") == Fault(
        StreamError(StreamCondition.BAD_FORMAT, "a message must be exactly one element")
    )
