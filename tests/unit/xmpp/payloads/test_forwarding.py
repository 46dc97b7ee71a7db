"""Forwarding: XEP-0297."""

from xmpp.element import Element, parse_fragment
from xmpp.payloads import forwarding
from xmpp.payloads.delay import Delay
from xmpp.stanza import Stanza

BODY = Element("{jabber:client}body", children=("Hello",))


def test_a_stanza_is_wrapped_as_it_is() -> None:
    rendered = Stanza.build("message", BODY, id="1").render()
    assert forwarding.render(rendered, Delay(0)) == (
        b'<forwarded xmlns="urn:xmpp:forward:0"><delay xmlns="urn:xmpp:delay" stamp="1970-01-01T00:00:00Z"/>'
        b'<message xmlns="jabber:client" id="1"><body>Hello</body></message></forwarded>'
    )
    assert parse_fragment(forwarding.render(rendered)) == (
        Element(forwarding.NAME, {}, (Element("{jabber:client}message", {"id": "1"}, (BODY,)),)),
    )


def test_wrapping() -> None:
    assert forwarding.wrap(Element("{u}a", {"k": "/>"}), b"<b/>", "u") == b'<a k="/&gt;"><b/></a>'
