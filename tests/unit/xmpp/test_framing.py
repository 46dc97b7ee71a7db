import pytest

from tests.support.streams import POOL
from xmpp import namespaces
from xmpp.element import LANG, Element
from xmpp.framing import Framing, TcpFraming, WebSocketFraming
from xmpp.items import Fault, StreamEnd, StreamHeader
from xmpp.parser import StreamReader
from xmpp.stanza import Stanza

ATTRIBUTES = {"from": "corp.example", "id": "a&b", "version": "1.0", LANG: "en"}
FEATURES = Element(f"{{{namespaces.STREAMS}}}features", {}, (Element(f"{{{namespaces.BIND}}}bind"),))
FRAMINGS = [TcpFraming(), WebSocketFraming()]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_header_can_be_read_back(framing: Framing) -> None:
    (header,) = framing.read(StreamReader(POOL), framing.header(ATTRIBUTES))
    assert isinstance(header, StreamHeader)
    assert (header.sender, header.id, header.version, header.lang, header.to) == (
        "corp.example",
        "a&b",
        "1.0",
        "en",
        None,
    )


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_conversation_can_be_read_back(framing: Framing) -> None:
    reader = StreamReader(POOL)
    stanza = Stanza.build("message", Element(f"{{{namespaces.CLIENT}}}body", {}, ("hi",)), id="1")
    items = []
    for said in (
        framing.header(ATTRIBUTES),
        framing.element(FEATURES),
        framing.stanza(stanza.render()),
        framing.end(),
    ):
        items += framing.read(reader, said)
    assert items[1:] == [FEATURES, stanza.copy(lang="en"), StreamEnd()]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(
    ("language", "inherited"),
    [("fr", "fr"), ("de-CH-1996", "de-CH-1996"), (None, None), ("", None), ("f r", None), ("x" + "-x" * 4000, None)],
)
def test_a_stanza_has_the_language_of_its_stream_unless_it_says_its_own(
    framing: Framing, language: str | None, inherited: str | None
) -> None:
    reader = StreamReader(POOL)
    framing.read(reader, framing.header(ATTRIBUTES))
    reader.restart()
    framing.read(reader, framing.header({"to": "corp.example"} | ({} if language is None else {LANG: language})))
    for own in (None, "it", ""):
        (stanza,) = framing.read(reader, framing.stanza(Stanza("message", lang=own).render()))
        assert isinstance(stanza, Stanza)
        assert stanza.lang == (inherited if own is None else own)


def test_a_tcp_header_is_the_start_of_a_document() -> None:
    assert TcpFraming().header({"to": "corp.example"}) == (
        b"<?xml version='1.0'?><stream:stream to=\"corp.example\""
        b' xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">'
    )
    assert TcpFraming().end() == b"</stream:stream>"
    assert TcpFraming().stanza(b"<presence/>") == b"<presence/>"


def test_websocket_messages_stand_alone() -> None:
    framing = WebSocketFraming()
    assert framing.header({"to": "corp.example"}) == (
        b'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="corp.example"/>'
    )
    assert framing.end() == b'<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>'
    assert framing.stanza(b"<presence/>") == b'<presence xmlns="jabber:client"/>'
    assert framing.element(FEATURES) == (
        b'<stream:features xmlns:stream="http://etherx.jabber.org/streams">'
        b'<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></stream:features>'
    )
    assert framing.element(Element(f"{{{namespaces.STREAM_MANAGEMENT}}}r")) == b'<r xmlns="urn:xmpp:sm:3"/>'


def test_starttls_belongs_to_tcp() -> None:
    assert TcpFraming().has_starttls
    assert not WebSocketFraming().has_starttls


@pytest.mark.parametrize("message", [b"", b"<a xmlns='b'/><c xmlns='d'/>", b"<presence xmlns='jabber:client'>", b"x"])
def test_a_websocket_message_is_one_element(message: bytes) -> None:
    (item,) = WebSocketFraming().read(StreamReader(POOL), message)
    assert isinstance(item, Fault)
