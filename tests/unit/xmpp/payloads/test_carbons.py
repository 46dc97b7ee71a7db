"""Carbons: XEP-0280."""

from xmpp.element import Element
from xmpp.jid import JID
from xmpp.parser import ParserPool, StreamReader
from xmpp.payloads import carbons, forwarding
from xmpp.stanza import Stanza

ROMEO, JULIET = JID.parse("romeo@montague.example"), JID.parse("juliet@capulet.example/balcony")
BODY = Element("{jabber:client}body", children=("Hello",))
MESSAGE = Stanza.build("message", BODY, type="chat", to=ROMEO, sender=JULIET)


def test_copies() -> None:
    for copy, name in (
        (carbons.sent(MESSAGE.render(), MESSAGE.type, ROMEO), carbons.SENT),
        (carbons.received(MESSAGE.render(), MESSAGE.type, ROMEO), carbons.RECEIVED),
    ):
        assert (copy.type, copy.sender, copy.to, copy.payloads) == ("chat", ROMEO, None, (name,))
        wrapper = copy.find(name)
        assert wrapper is not None
        forwarded = wrapper.find(forwarding.NAME)
        assert forwarded is not None
        attributes = {"type": "chat", "to": "romeo@montague.example", "from": "juliet@capulet.example/balcony"}
        assert forwarded.elements == (Element("{jabber:client}message", attributes, (BODY,)),)
        assert StreamReader(ParserPool()).receive_frame(copy.render()) == copy
