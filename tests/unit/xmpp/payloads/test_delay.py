"""Delayed delivery: XEP-0203."""

import pytest

from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads.delay import NAME, Delay, read


@pytest.mark.parametrize("delay", [Delay(0), Delay(1_031_699_305_000_000, JID.parse("capulet.example"), "Offline")])
def test_what_is_written_is_read_back(delay: Delay) -> None:
    assert read(delay.element()) == delay


def test_the_example_of_the_specification() -> None:
    attributes = {"from": "capulet.com", "stamp": "2002-09-10T23:08:25Z"}
    element = Element(NAME, attributes, ("Offline Storage",))
    assert read(element) == Delay(1_031_699_305_000_000, JID.parse("capulet.com"), "Offline Storage")
    assert read(element).element() == element


@pytest.mark.parametrize(
    ("attributes", "condition"),
    [
        ({}, StanzaCondition.BAD_REQUEST),
        ({"stamp": "yesterday"}, StanzaCondition.BAD_REQUEST),
        ({"stamp": "2002-09-10T23:08:25Z", "from": "@"}, StanzaCondition.JID_MALFORMED),
    ],
)
def test_what_is_none(attributes: dict[str, str], condition: StanzaCondition) -> None:
    with pytest.raises(StanzaError) as refusal:
        read(Element(NAME, attributes))
    assert refusal.value.condition == condition
