"""Data forms: XEP-0004."""

import pytest

from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.payloads.data_form import FORM_TYPE, NAME, Field, Form, of_type, read

EXTRA = Element("{http://jabber.org/protocol/xdata-validate}validate")


@pytest.mark.parametrize(
    "form",
    [
        Form("cancel"),
        of_type("urn:x", Field("a", ("1",)), Field("b", ("1", "", "3"), "text-multi"), Field("c")),
        of_type("urn:x", Field("ids", (), "list-multi", (EXTRA,)), type="form"),
        Form("form", (Field("", ("Please fill in",), "fixed"),)),
    ],
)
def test_what_is_written_is_read_back(form: Form) -> None:
    assert read(form.element()) == form


@pytest.mark.parametrize(
    ("form", "form_type"),
    [
        (of_type("urn:x"), "urn:x"),
        (of_type("urn:x", type="result"), "urn:x"),
        (Form("submit", (Field(FORM_TYPE, ("urn:x",)),)), "urn:x"),
        (Form("result", (Field(FORM_TYPE, ("urn:x",)),)), None),
        (Form("submit", (Field(FORM_TYPE, ("urn:x",), "text-single"),)), None),
        (Form("submit", (Field(FORM_TYPE, ("urn:x", "urn:y"), "hidden"),)), None),
        (Form("submit"), None),
    ],
)
def test_what_a_form_is_for(form: Form, form_type: str | None) -> None:
    assert form.form_type == form_type


def test_fields() -> None:
    form = of_type("urn:x", Field("a", ("1",)), Field("a", ("2",)))
    first = form.field("a")
    assert first is not None
    assert (first.value, form.field("b")) == ("1", None)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_truth(text: str, value: bool) -> None:
    assert Field("a", (text,)).boolean is value


@pytest.mark.parametrize("values", [(), ("1", "2"), ("yes",)])
def test_what_is_no_truth(values: tuple[str, ...]) -> None:
    with pytest.raises(StanzaError) as refusal:
        _ = Field("a", values).boolean
    assert refusal.value.condition == StanzaCondition.BAD_REQUEST


@pytest.mark.parametrize("values", [(), ("1", "2")])
def test_what_is_not_one_value(values: tuple[str, ...]) -> None:
    with pytest.raises(StanzaError) as refusal:
        _ = Field("a", values).value
    assert refusal.value.condition == StanzaCondition.BAD_REQUEST


@pytest.mark.parametrize("attributes", [{}, {"type": "other"}])
def test_a_form_of_no_type(attributes: dict[str, str]) -> None:
    with pytest.raises(StanzaError) as refusal:
        read(Element(NAME, attributes))
    assert refusal.value.condition == StanzaCondition.BAD_REQUEST
