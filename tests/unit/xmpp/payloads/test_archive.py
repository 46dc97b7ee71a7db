"""The message archive: XEP-0313 and XEP-0441."""

import pytest

from xmpp.element import Element, parse_fragment
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import archive, data_form
from xmpp.payloads.archive import Edge, Fin, Preferences, Query
from xmpp.payloads.data_form import Field
from xmpp.payloads.delay import Delay
from xmpp.payloads.result_set import Page, PageRequest
from xmpp.stanza import Stanza

JULIET = JID.parse("juliet@capulet.lit")


def parsed(data: bytes) -> Element:
    (element,) = parse_fragment(data)
    assert isinstance(element, Element)
    return element


def query_of(*fields: Field) -> Element:
    return Element(archive.QUERY, children=(data_form.of_type("urn:xmpp:mam:2", *fields).element(),))


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(query_id="f27"),
        Query(with_=JULIET, start_us=0, end_us=1_278_508_434_000_000),
        Query(after_id="28482", before_id="09af3", flip=True),
        Query(ids=("a", "b"), groupchat=False, page=PageRequest(limit=10, before="")),
    ],
)
def test_queries_are_read_back(query: Query) -> None:
    assert archive.read_query(query.element()) == query


def test_the_example_of_the_specification() -> None:
    query = parsed(
        b"<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>"
        b"<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>"
        b"<field var='start'><value>2010-08-07T00:00:00Z</value></field></x>"
        b"<set xmlns='http://jabber.org/protocol/rsm'><max>10</max><after>09af3-cc343-b409f</after></set>"
        b"<flip-page/></query>"
    )
    assert archive.read_query(query) == Query(
        start_us=1_281_139_200_000_000, page=PageRequest(limit=10, after="09af3-cc343-b409f"), flip=True
    )


@pytest.mark.parametrize(
    ("element", "condition"),
    [
        (query_of(Field("colour", ("red",))), StanzaCondition.FEATURE_NOT_IMPLEMENTED),
        (query_of(Field("with", ("@",))), StanzaCondition.JID_MALFORMED),
        (query_of(Field("with", ())), StanzaCondition.BAD_REQUEST),
        (query_of(Field("start", ("now",))), StanzaCondition.BAD_REQUEST),
        (query_of(Field("after-id", ("a", "b"))), StanzaCondition.BAD_REQUEST),
        (Element(archive.QUERY, children=(data_form.of_type("urn:other").element(),)), StanzaCondition.BAD_REQUEST),
        (Element(archive.QUERY, children=(Element(data_form.NAME),)), StanzaCondition.BAD_REQUEST),
    ],
)
def test_queries_that_are_refused(element: Element, condition: StanzaCondition) -> None:
    with pytest.raises(StanzaError) as refusal:
        archive.read_query(element)
    assert refusal.value.condition == condition


def test_the_form_names_the_fields_that_a_query_may_have() -> None:
    form = data_form.read(archive.query_form().elements[0])
    assert form.form_type == "urn:xmpp:mam:2"
    assert [field.var for field in form.fields[1:]] == [
        "with",
        "start",
        "end",
        "before-id",
        "after-id",
        "ids",
        "include-groupchat",
    ]
    values = {"with": "a@x", "start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:00:00Z"}
    archive.read_query(query_of(*(Field(field.var, (values.get(field.var, "1"),)) for field in form.fields[1:])))


@pytest.mark.parametrize("query_id", [None, "f27"])
def test_a_result_holds_the_message_as_it_is(query_id: str | None) -> None:
    rendered = Stanza("message", "chat", payloads=("{jabber:client}body",), inner=b"<body>Hello</body>").render()
    result = parsed(archive.render_result(rendered, "00000000000000ff", Delay(0), query_id))
    attributes = {"id": "00000000000000ff"} | ({} if query_id is None else {"queryid": query_id})
    body = Element("{jabber:client}body", children=("Hello",))
    message = Element("{jabber:client}message", {"type": "chat"}, (body,))
    forwarded = Element("{urn:xmpp:forward:0}forwarded", {}, (Delay(0).element(), message))
    assert result == Element(archive.RESULT, attributes, (forwarded,))


@pytest.mark.parametrize(
    "fin", [Fin(Page()), Fin(Page(first="a", last="b", count=2), complete=True), Fin(Page(), stable=False)]
)
def test_the_end_of_the_results_is_read_back(fin: Fin) -> None:
    assert archive.read_fin(fin.element()) == fin


def test_an_end_without_a_page() -> None:
    assert archive.read_fin(Element(archive.FIN, {"complete": "1", "stable": "0"})) == Fin(Page(), True, False)


def test_metadata() -> None:
    assert archive.metadata(Edge("a", 0), Edge("b", 1_000_000)) == parsed(
        b"<metadata xmlns='urn:xmpp:mam:2'><start id='a' timestamp='1970-01-01T00:00:00Z'/>"
        b"<end id='b' timestamp='1970-01-01T00:00:01Z'/></metadata>"
    )
    assert archive.metadata(None, None) == Element(archive.METADATA)


@pytest.mark.parametrize(
    "preferences", [Preferences(), Preferences("roster", (JULIET,), (JID.parse("a@x"), JID.parse("b@x/r")))]
)
def test_preferences_are_read_back(preferences: Preferences) -> None:
    assert archive.read_preferences(preferences.element()) == preferences


def test_preferences_that_are_refused() -> None:
    assert archive.read_preferences(Element(archive.PREFERENCES, {"default": "never"})) == Preferences("never")
    with pytest.raises(StanzaError) as refusal:
        archive.read_preferences(Element(archive.PREFERENCES, {"default": "sometimes"}))
    assert refusal.value.condition == StanzaCondition.BAD_REQUEST
    always = parsed(b"<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>@</jid></always></prefs>")
    with pytest.raises(StanzaError) as refusal:
        archive.read_preferences(always)
    assert refusal.value.condition == StanzaCondition.JID_MALFORMED
