"""The contact list: RFC 6121, section 2."""

import pytest

from xmpp.element import Element, parse_fragment
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads.roster import NAME, Item, Roster, Subscription, read

ROMEO = JID.parse("romeo@example.net")


def parsed(inner: bytes) -> Element:
    (element,) = parse_fragment(b"<query xmlns='jabber:iq:roster'>" + inner + b"</query>")
    assert isinstance(element, Element)
    return element


@pytest.mark.parametrize(
    "roster",
    [
        Roster(),
        Roster(version=""),
        Roster((Item(ROMEO),), "ver7"),
        Roster((Item(ROMEO, "Romeo", Subscription.BOTH, ("Friends", "Lovers"), True, True),)),
        Roster(tuple(Item(ROMEO, subscription=each) for each in Subscription)),
    ],
)
def test_what_is_written_is_read_back(roster: Roster) -> None:
    assert read(roster.element()) == roster


def test_what_is_left_out() -> None:
    assert read(parsed(b"<item jid='romeo@example.net'/>")) == Roster((Item(ROMEO),))
    assert read(Element(NAME)) == Roster()


def test_a_subscription_that_is_not_known_is_ignored() -> None:
    """Section 2.1.5: a server ignores every value but "remove"."""
    assert read(parsed(b"<item jid='romeo@example.net' subscription='friend'/>")) == Roster((Item(ROMEO),))


@pytest.mark.parametrize(
    ("inner", "condition"),
    [
        (b"<item/>", StanzaCondition.JID_MALFORMED),
        (b"<item jid='@'/>", StanzaCondition.JID_MALFORMED),
        (b"<item jid='a@x'><group>A</group><group>A</group></item>", StanzaCondition.BAD_REQUEST),
        (b"<item jid='a@x'><group/></item>", StanzaCondition.NOT_ACCEPTABLE),
    ],
)
def test_what_is_refused(inner: bytes, condition: StanzaCondition) -> None:
    with pytest.raises(StanzaError) as refusal:
        read(parsed(inner))
    assert refusal.value.condition == condition
