import pytest

from chappe.chat.contacts import ABSENT, Availability, Contacts
from tests.unit.chappe.chat.conftest import CHLOE, PHONE
from xmpp.element import Element
from xmpp.jid import JID
from xmpp.payloads.roster import Item, Roster, Subscription
from xmpp.stanza import Stanza

BRUNO = JID.parse("bruno@corp.example")


@pytest.fixture
def contacts() -> Contacts:
    known = Contacts()
    known.replace(Roster((Item(CHLOE, "Chloe", Subscription.BOTH, ("Team",)), Item(BRUNO, groups=("Team",)))))
    return known


def presence(sender: JID, kind: str | None = None, **children: str) -> Stanza:
    elements = [Element(f"{{jabber:client}}{name}", children=(text,)) for name, text in children.items()]
    return Stanza.build("presence", *elements, type=kind, sender=sender)


def test_names_and_order(contacts: Contacts) -> None:
    assert [each.name for each in contacts.sorted()] == ["bruno", "Chloe"]


def test_pushes_change_add_and_remove(contacts: Contacts) -> None:
    dora = JID.parse("dora@corp.example")
    removed = Item(BRUNO, subscription=Subscription.REMOVE)
    contacts.update(Roster((Item(CHLOE, "Chloe M.", Subscription.BOTH), removed, Item(dora))))
    assert [each.name for each in contacts.sorted()] == ["Chloe M.", "dora"]


def test_the_device_with_the_highest_priority_counts(contacts: Contacts) -> None:
    changed = contacts.take_presence(presence(PHONE, show="away", status="at lunch"))
    assert changed is not None
    assert changed.availability == Availability("away", "at lunch")
    assert contacts.take_presence(presence(CHLOE.with_resource("desk"), priority="5")) is changed
    assert changed.availability == Availability("online")
    assert contacts.take_presence(presence(CHLOE.with_resource("tablet"), priority="-1")) is None
    assert contacts.take_presence(presence(CHLOE.with_resource("desk"), "unavailable")) is changed
    assert changed.availability.word == "away"
    contacts.forget_presence()
    assert changed.availability == ABSENT


def test_the_whole_account_goes(contacts: Contacts) -> None:
    contacts.take_presence(presence(PHONE))
    changed = contacts.take_presence(presence(CHLOE, "unavailable"))
    assert changed is not None
    assert changed.availability == ABSENT


@pytest.mark.parametrize(
    "strange",
    [presence(JID.parse("stranger@corp.example/x")), presence(PHONE, "error"), Stanza("presence")],
)
def test_what_changes_nothing(contacts: Contacts, strange: Stanza) -> None:
    assert contacts.take_presence(strange) is None
    assert contacts.asking == {}


def test_a_priority_that_is_no_number(contacts: Contacts) -> None:
    assert contacts.take_presence(presence(PHONE, priority="high")) is not None


def test_who_asks_is_remembered_until_accepted(contacts: Contacts) -> None:
    contacts.take_presence(presence(BRUNO, "subscribe"))
    assert contacts.asking == {BRUNO.bare: BRUNO}
    contacts.update(Roster((Item(BRUNO, subscription=Subscription.FROM),)))
    assert contacts.asking == {}
