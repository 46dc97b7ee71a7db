"""Service discovery: XEP-0030."""

import pytest

from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import data_form, disco
from xmpp.payloads.disco import Identity, Info, Item, Items, read_info, read_items


@pytest.mark.parametrize(
    "info",
    [
        Info(),
        Info((Identity("server", "im"),), ("urn:xmpp:ping", "urn:xmpp:mam:2"), node="http://x#y"),
        Info((Identity("client", "pc", "Psi", "en"),), (), (data_form.of_type("urn:x", type="result"),)),
    ],
)
def test_info_is_read_back(info: Info) -> None:
    assert read_info(info.element()) == info


@pytest.mark.parametrize(
    "items", [Items(), Items((Item(JID.parse("muc.example")), Item(JID.parse("a@x/r"), "Rooms", "n")), "music")]
)
def test_items_are_read_back(items: Items) -> None:
    assert read_items(items.element()) == items


def test_what_is_left_out_is_empty() -> None:
    identity = Element("{http://jabber.org/protocol/disco#info}identity")
    feature = Element("{http://jabber.org/protocol/disco#info}feature")
    assert read_info(Element(disco.INFO, children=(identity, feature))) == Info((Identity("", ""),), ("",))


def test_an_item_without_an_address() -> None:
    item = Element("{http://jabber.org/protocol/disco#items}item")
    with pytest.raises(StanzaError) as refusal:
        read_items(Element(disco.ITEMS, children=(item,)))
    assert refusal.value.condition == StanzaCondition.JID_MALFORMED
