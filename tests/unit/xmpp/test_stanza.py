"""Stanzas: the start tag is understood, the payload stays bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xmpp.strategies import ELEMENTS, TEXTS
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.parser import ParserPool, StreamReader
from xmpp.stanza import ERROR, Kind, Stanza, with_namespace, with_recipient

ANNA, BRUNO = JID.parse("anna@corp.example/pc"), JID.parse("bruno@corp.example")
PING = Element("{urn:xmpp:ping}ping")
BODY = Element("{jabber:client}body", children=("Hello",))


def read(rendered: bytes) -> Stanza:
    stanza = StreamReader(ParserPool()).receive_frame(rendered)
    assert isinstance(stanza, Stanza)
    return stanza


@pytest.mark.parametrize(
    ("stanza", "rendered"),
    [
        (Stanza("presence"), b"<presence/>"),
        (
            Stanza("message", "chat", "1", BRUNO, ANNA, "de", ("{jabber:client}body",), b"<body>Hello</body>"),
            (
                b'<message type="chat" id="1" to="bruno@corp.example" from="anna@corp.example/pc" xml:lang="de">'
                b"<body>Hello</body></message>"
            ),
        ),
        (Stanza("iq", "<", "a'b&"), b'<iq type="&lt;" id="a&apos;b&amp;"/>'),
        (Stanza("iq", inner=b"<p:a/>", declarations=b' xmlns:p="u"'), b'<iq xmlns:p="u"><p:a/></iq>'),
        (Stanza("iq", declarations=b' xmlns:p="u"'), b"<iq/>"),
    ],
)
def test_rendering(stanza: Stanza, rendered: bytes) -> None:
    assert stanza.render() == rendered


@given(
    st.sampled_from(("message", "presence", "iq")),
    st.lists(ELEMENTS, max_size=3),
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.none() | TEXTS,
)
def test_what_is_rendered_is_read_back(
    kind: Kind, payload: list[Element], type_: str | None, id_: str | None, lang: str | None
) -> None:
    stanza = Stanza.build(kind, *payload, type=type_, id=id_, to=BRUNO, sender=ANNA, lang=lang)
    assert read(stanza.render()) == stanza
    assert read(with_namespace(stanza.render())) == stanza
    assert stanza.elements() == tuple(payload)


def test_the_payload_is_read_when_it_is_asked_for() -> None:
    stanza = read(b"<message>text<body>Hello</body><x xmlns='urn:x'><y/></x></message>")
    assert stanza.payloads == ("{jabber:client}body", "{urn:x}x")
    assert stanza.elements() == (BODY, Element("{urn:x}x", children=(Element("{urn:x}y"),)))
    assert stanza.elements() is stanza.elements()
    assert stanza.find("{jabber:client}body") == BODY
    assert stanza.find("{urn:x}y") is None


def test_appending_and_removing() -> None:
    stanza = read(b"<message xmlns:p='urn:p'>t&amp;<p:a/><b/></message>")
    assert stanza.find("{urn:p}a") is not None
    stanza.append(PING, BODY)
    stanza.append_rendered("{urn:z}z", b'<z xmlns="urn:z"/>')
    assert stanza.payloads == (
        "{urn:p}a", "{jabber:client}b", "{urn:xmpp:ping}ping", "{jabber:client}body", "{urn:z}z",
    )  # fmt: skip
    assert tuple(element.name for element in stanza.elements()) == stanza.payloads
    stanza.remove(lambda element: element.namespace != "urn:p")
    assert stanza.render() == b'<message>t&amp;<a xmlns="urn:p"/></message>'
    assert read(stanza.render()) == stanza
    assert stanza.elements() == (Element("{urn:p}a"),)
    assert stanza.find("{jabber:client}b") is None


def test_a_copy_is_independent() -> None:
    stanza = Stanza.build("message", BODY, type="chat", id="1", to=BRUNO, sender=ANNA)
    copied = stanza.copy()
    assert copied == stanza
    copied.append(PING)
    assert stanza.payloads == ("{jabber:client}body",)
    assert stanza.elements() == (BODY,)
    assert stanza.copy(to=None, type=None).render() == (
        b'<message id="1" from="anna@corp.example/pc"><body>Hello</body></message>'
    )
    assert stanza.copy(payloads=(), inner=b"").elements() == ()


def test_answers_to_an_iq() -> None:
    request = Stanza.build("iq", PING, type="get", id="p1", to=BRUNO, sender=ANNA)
    assert request.result() == Stanza("iq", "result", "p1", ANNA, BRUNO)
    assert request.result(PING).elements() == (PING,)
    refusal = request.error(StanzaError(StanzaCondition.SERVICE_UNAVAILABLE))
    assert (refusal.type, refusal.id, refusal.to, refusal.sender) == ("error", "p1", ANNA, BRUNO)
    assert refusal.payloads == ("{urn:xmpp:ping}ping", ERROR)
    error = read(refusal.render()).find(ERROR)
    assert error is not None
    assert StanzaError.from_element(error) == StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)


def test_an_error_keeps_prefixes_and_drops_the_malformed_address() -> None:
    stanza = read(b"<message to='@' xmlns:p='urn:p'><p:a/></message>")
    assert (stanza.to, stanza.malformed) == (None, "to")
    refusal = stanza.error(StanzaError(StanzaCondition.JID_MALFORMED))
    assert refusal.malformed is None
    assert read(refusal.render()).payloads == ("{urn:p}a", ERROR)


@pytest.mark.parametrize("kind", ["message", "presence", "iq"])
def test_with_namespace(kind: Kind) -> None:
    assert with_namespace(Stanza(kind, id="1").render()) == f'<{kind} xmlns="jabber:client" id="1"/>'.encode()
    assert with_namespace(Stanza(kind).render()) == f'<{kind} xmlns="jabber:client"/>'.encode()


def test_a_stanza_is_compared_by_content_and_not_hashed() -> None:
    assert Stanza("iq", id="1") == Stanza("iq", id="1")
    assert Stanza("iq", id="1") != Stanza("iq", id="2")
    assert Stanza("iq") != "iq"
    with pytest.raises(TypeError):
        hash(Stanza("iq"))


def test_the_content_is_not_shown() -> None:
    shown = repr(Stanza.build("message", Element("{jabber:client}body", children=("secret",)), to=BRUNO))
    assert "secret" not in shown
    assert "bruno@corp.example" in shown


def test_with_recipient_addresses_what_goes_to_many() -> None:
    anna = JID.parse("anna@corp.example")
    presence = Stanza("presence", sender=JID.parse("bruno@corp.example/desk"), inner=b"<show>away</show>")
    assert with_recipient(presence.render(), anna) == presence.copy(to=anna).render()
    assert with_recipient(b"<presence/>", anna) == b'<presence to="anna@corp.example"/>'
