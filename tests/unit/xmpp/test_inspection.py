import pytest

from xmpp.inspection import Inspector
from xmpp.jid import JID
from xmpp.parser import ParserPool, StreamReader
from xmpp.stanza import Stanza

ANNA, DAVID, BOSS = (JID.parse(f"{name}@corp.example/desk") for name in ("anna", "david", "boss"))
BODY = "{jabber:client}body"
STANZAS = [
    "<message to='a@b' type='chat' id='1&quot;' xml:lang='fr'><body>ça &amp; là</body><x xmlns='urn:x'/>text</message>",
    "<message to='a@b/c'/>",
    "<message to='a@b' id=''><body/></message>",
    "<presence to='a@b' type='subscribe'><status>hello</status></presence>",
    "<message xmlns:p='urn:p&quot;' to='a@b'><p:thing p:at='1'/><body><![CDATA[<&]]></body></message>",
    "<iq to='a@b' type='odd'><q xmlns='urn:q'>" + "<e>" * 200 + "</e>" * 200 + "</q></iq>",
]


def parsed(text: str) -> Stanza:
    (stanza,) = StreamReader(ParserPool(Inspector(10_000)._parsers.limits)).receive(  # noqa: SLF001  the same limits
        b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>" + text.encode()
    )[1:]
    assert isinstance(stanza, Stanza)
    return stanza


@pytest.mark.parametrize("text", STANZAS)
def test_what_a_client_has_written_is_sound(text: str) -> None:
    stanza = parsed(text)
    stanza.sender = ANNA
    inspector = Inspector(10_000)
    assert inspector.is_sound(stanza)
    assert inspector.is_sound(stanza.copy(type="error")), "also the second time"


@pytest.mark.parametrize(
    "stanza",
    [
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<body/></message><message from='boss@corp.example'>"),
        Stanza("message", to=DAVID, inner=b"</message><iq/><message>"),
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<body/>", declarations=b" from='boss@corp.example'"),
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<body/>", declarations=b"><body/></message><message"),
        Stanza("message", to=DAVID, inner=b"</message></stream:stream>"),
        Stanza("message", to=DAVID, inner=b"<body/>"),
        Stanza("message", to=DAVID, payloads=("{urn:xmpp:carbons:2}private",), inner=b"<body/>"),
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<body>"),
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<body><!-- --></body>"),
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<body>\xff</body>"),
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<p:body/>"),
        Stanza("message", to=DAVID, id="\0"),
        Stanza("message", to=DAVID, payloads=(BODY,), inner=b"<body>" + b"x" * 10_000 + b"</body>"),
    ],
)
def test_what_is_more_or_less_than_it_says_is_not(stanza: Stanza) -> None:
    stanza.sender = ANNA
    inspector = Inspector(10_000)
    assert not inspector.is_sound(stanza)
    assert inspector.is_sound(Stanza("message", to=DAVID, sender=ANNA)), "the next one is not concerned"


@pytest.mark.parametrize(
    ("presence", "expected"),
    [
        (Stanza("presence", sender=ANNA), True),
        (Stanza("presence", sender=ANNA, payloads=("{jabber:client}show",), inner=b"<show>away</show>"), True),
        (Stanza("presence", sender=BOSS), False),
        (Stanza("presence", sender=ANNA, to=DAVID), False),
        (Stanza("presence", "unavailable", sender=ANNA), False),
        (Stanza("presence"), False),
        (Stanza("message", sender=ANNA), False),
        (Stanza("presence", sender=ANNA, inner=b"</presence><presence>"), False),
    ],
)
def test_a_presence_is_of_who_broadcasts_it(presence: Stanza, expected: bool) -> None:
    assert Inspector(10_000).is_presence_of(ANNA, presence.render()) is expected


def test_noise_is_no_presence() -> None:
    for noise in (b"", b"\xff", b"<presence", b"presence"):
        assert not Inspector(10_000).is_presence_of(ANNA, noise)
