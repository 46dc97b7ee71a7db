import pytest

from xmpp import management
from xmpp.element import Element, serialize
from xmpp.errors import StanzaCondition
from xmpp.namespaces import STREAM_MANAGEMENT


@pytest.mark.parametrize(
    ("element", "written"),
    [
        (management.enable(can_resume=False, max_seconds=60), b"<enable/>"),
        (management.enable(can_resume=True, max_seconds=None), b'<enable resume="true"/>'),
        (management.enable(can_resume=True, max_seconds=60), b'<enable resume="true" max="60"/>'),
        (management.enabled(None, 60), b"<enabled/>"),
        (management.enabled("x", 60), b'<enabled id="x" resume="true" max="60"/>'),
        (management.resume("x", 3), b'<resume previd="x" h="3"/>'),
        (management.resumed("x", 3), b'<resumed previd="x" h="3"/>'),
        (
            management.failed(StanzaCondition.ITEM_NOT_FOUND, 3),
            b'<failed h="3"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></failed>',
        ),
        (
            management.failed(StanzaCondition.UNEXPECTED_REQUEST),
            b'<failed><unexpected-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></failed>',
        ),
    ],
)
def test_elements_are_written_as_xep_0198_has_them(element: Element, written: bytes) -> None:
    assert serialize(element, STREAM_MANAGEMENT) == written


def test_what_is_written_often_is_written_already() -> None:
    assert management.answer(3) == serialize(Element(management.ANSWER, {"h": "3"}))
    assert serialize(Element(management.REQUEST)) == management.ACKNOWLEDGEMENT_REQUEST


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("TRUE", False)])
def test_booleans_are_those_of_xml_schema(text: str, value: bool) -> None:
    assert management.can_resume(Element(management.ENABLE, {"resume": text})) is value
    assert not management.can_resume(Element(management.ENABLE))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("4294967295", 2**32 - 1),
        ("4294967296", None),
        ("-1", None),
        ("", None),
        ("1.5", None),
        ("x", None),
        ("\u0663", None),
        ("9" * 5000, None),
    ],
)
def test_h_is_an_unsigned_32_bit_number(text: str, number: int | None) -> None:
    assert management.handled_count(Element(management.ANSWER, {"h": text})) == number


def test_a_missing_number_is_none() -> None:
    assert management.handled_count(Element(management.ANSWER)) is None
    assert management.max_seconds(Element(management.ENABLE)) is None


@pytest.mark.parametrize(("text", "seconds"), [("60", 60), ("0", None), ("soon", None)])
def test_max_is_a_positive_number_or_left_out(text: str, seconds: int | None) -> None:
    assert management.max_seconds(Element(management.ENABLE, {"max": text})) == seconds
