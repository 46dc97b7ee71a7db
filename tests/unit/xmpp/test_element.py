"""Trees: what is written can be read, and means the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xmpp.strategies import ELEMENTS, TEXTS
from xmpp import namespaces
from xmpp.element import (
    LANG,
    NAMES_CACHED_MAX,
    ClarkNames,
    Element,
    MalformedXML,
    escape_attribute,
    escape_text,
    parse_fragment,
    serialize,
)


def test_parts() -> None:
    first, second = Element("{urn:x}a", {"n": "1"}), Element("{urn:x}a", {"n": "2"})
    tree = Element("{urn:x}root", {"k": "v"}, ("one ", first, "two", second, Element("b")))
    assert (tree.namespace, tree.local, tree.text) == ("urn:x", "root", "one two")
    assert (Element("b").namespace, Element("b").local) == ("", "b")
    assert (tree.get("k"), tree.get("other")) == ("v", None)
    assert tree.find("{urn:x}a") is first
    assert tree.find("{urn:y}a") is None
    assert tree.find_all("{urn:x}a") == (first, second)
    assert tree.elements == (first, second, Element("b"))


def test_equality() -> None:
    assert Element("a", {"x": "1", "y": "2"}) == Element("a", {"y": "2", "x": "1"})
    assert len({Element("a", {"x": "1", "y": "2"}), Element("a", {"y": "2", "x": "1"})}) == 1
    for other in (Element("b"), Element("a", {"x": "1"}), Element("a", children=("t",)), "a"):
        assert Element("a") != other
    assert repr(Element("a", {"x": "1"}, ("t",))) == "Element('a', {'x': '1'}, ('t',))"


@pytest.mark.parametrize(
    ("element", "inherited", "written"),
    [
        (Element("{jabber:client}body"), "jabber:client", b"<body/>"),
        (Element("{jabber:client}body"), "", b'<body xmlns="jabber:client"/>'),
        (Element("body"), "jabber:client", b'<body xmlns=""/>'),
        (Element("a", {"k": "v"}, ("t",)), "", b'<a k="v">t</a>'),
        (Element("{u}a", children=(Element("{u}b"), Element("{v}c"))), "u", b'<a><b/><c xmlns="v"/></a>'),
        (Element("{u}a", children=(Element("{v}c", children=(Element("{v}d"),)), Element("{u}b"))), "u",
         b'<a><c xmlns="v"><d/></c><b/></a>'),
        (Element("a", {LANG: "de"}), "", b'<a xml:lang="de"/>'),
        (Element("a", {"{u}k": "1", "{v}k": "2"}), "", b'<a xmlns:a1="u" a1:k="1" xmlns:a2="v" a2:k="2"/>'),
        (Element("{u}a", {"k": "<\"&'>\t\n\r"}), "u", b'<a k="&lt;&quot;&amp;&apos;&gt;&#9;&#10;&#13;"/>'),
        (Element("a", children=("<\"&'>\t\n\r]]>",)), "", b"<a>&lt;\"&amp;'&gt;\t\n&#13;]]&gt;</a>"),
        (Element("a", children=("\u00e4\U0001f600",)), "", "<a>\u00e4\U0001f600</a>".encode()),
    ],
)  # fmt: skip
def test_writing(element: Element, inherited: str, written: bytes) -> None:
    assert serialize(element, inherited) == written


def test_declared_prefixes_are_used() -> None:
    features = Element(f"{{{namespaces.STREAMS}}}features", {f"{{{namespaces.STREAMS}}}k": "v"}, (
        Element(f"{{{namespaces.BIND}}}bind"), Element(f"{{{namespaces.CLIENT}}}x"),
    ))  # fmt: skip
    assert serialize(features, namespaces.CLIENT, {namespaces.STREAMS: "stream"}) == (
        b'<stream:features stream:k="v"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/><x/></stream:features>'
    )


@pytest.mark.parametrize("character", ["\0", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_not_written(character: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        escape_text(f"a{character}")
    with pytest.raises(ValueError, match="cannot be written"):
        escape_attribute(f"a{character}")


@given(ELEMENTS, st.sampled_from(["", "jabber:client", "urn:a"]))
def test_what_is_written_is_read_back(tree: Element, inherited: str) -> None:
    assert parse_fragment(serialize(tree, inherited), inherited) == (tree,)


@given(ELEMENTS)
def test_what_is_written_with_prefixes_is_read_back(tree: Element) -> None:
    written = serialize(tree, "jabber:client", {namespaces.STREAMS: "stream"})
    assert parse_fragment(written, declarations=f' xmlns:stream="{namespaces.STREAMS}"'.encode()) == (tree,)


@given(TEXTS)
def test_text_is_read_back(text: str) -> None:
    assert "".join(str(part) for part in parse_fragment(escape_text(text).encode())) == text


def test_reading_in_scope() -> None:
    assert parse_fragment(b"t<p:a p:k='1'/><b/>", "urn:x", b" xmlns:p='urn:p'") == (
        "t", Element("{urn:p}a", {"{urn:p}k": "1"}), Element("{urn:x}b"),
    )  # fmt: skip
    assert parse_fragment(b"") == ()
    assert parse_fragment(b"<![CDATA[<a>]]>&lt;") == ("<a><",)


@pytest.mark.parametrize(
    "inner", [b"<a>", b"</r><r>", b"<p:a/>", b"&e;", b"<!--c-->", b"<?p i?>", b"<!DOCTYPE r>", b"\xff", b"\0"]
)
def test_what_cannot_be_read(inner: bytes) -> None:
    with pytest.raises(MalformedXML):
        parse_fragment(inner)


def test_the_cache_of_names_is_bounded() -> None:
    names = ClarkNames()
    for number in range(NAMES_CACHED_MAX):
        assert names[f"urn:x n{number}"] == f"{{urn:x}}n{number}"
    assert len(names) == NAMES_CACHED_MAX
    assert names["local"] == "local"
    assert dict(names) == {"local": "local"}
    assert names["urn:x " + "n" * 300] == "{urn:x}" + "n" * 300
    assert len(names) == 1
