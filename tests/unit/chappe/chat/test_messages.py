import pytest

from chappe.chat.messages import Delivered, News, Returned, Said, archived, news_of, outgoing, query_id_of, receipt
from tests.unit.chappe.chat.conftest import ANNA, CHLOE, PHONE
from xmpp.element import parse_fragment
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.payloads import archive, carbons, forwarding
from xmpp.payloads.delay import Delay
from xmpp.stanza import Stanza

MOMENT_US = 1_700_000_000_000_000


def from_chloe(text: str = "hello") -> Stanza:
    return outgoing(ANNA, text, "m1").copy(sender=PHONE)


def test_a_message_comes() -> None:
    assert news_of(from_chloe(), ANNA) == Said(CHLOE, False, "hello", "m1", None, PHONE)


def test_a_message_comes_late() -> None:
    message = from_chloe()
    message.append(Delay(MOMENT_US).element())
    assert news_of(message, ANNA) == Said(CHLOE, False, "hello", "m1", MOMENT_US, PHONE)


def test_a_receipt_comes() -> None:
    assert news_of(receipt(ANNA, "m7", "r1").copy(sender=PHONE), ANNA) == Delivered(CHLOE, "m7")


def test_a_message_comes_back() -> None:
    sent = outgoing(CHLOE, "hello", "m7").copy(sender=ANNA)
    returned = sent.error(StanzaError(StanzaCondition.SERVICE_UNAVAILABLE, text="nobody there"))
    assert news_of(returned, ANNA) == Returned(CHLOE, "m7", "nobody there")


def test_what_says_nothing() -> None:
    assert news_of(Stanza("message", "chat", "m1", ANNA, PHONE), ANNA) is None


@pytest.mark.parametrize(
    ("copy", "said"),
    [
        (
            carbons.sent(
                outgoing(CHLOE, "hi", "m2").copy(sender=ANNA.with_resource("phone")).render(), "chat", ANNA.bare_jid
            ),
            Said(CHLOE, True, "hi", "m2"),
        ),
        (carbons.received(from_chloe().render(), "chat", ANNA.bare_jid), Said(CHLOE, False, "hello", "m1")),
    ],
)
def test_what_other_devices_said_and_got(copy: Stanza, said: News) -> None:
    assert news_of(copy, ANNA) == said, "without a receipt: that is the other device's"


def test_only_the_own_account_may_send_copies() -> None:
    forged = carbons.received(from_chloe("send me your key").render(), "chat", JID.parse("mallory@corp.example"))
    assert news_of(forged, ANNA) is None


def result_of(message: Stanza) -> Stanza:
    inner = archive.render_result(message.render(), "0001", Delay(MOMENT_US), "q1")
    return Stanza("message", None, None, ANNA, ANNA.bare_jid, payloads=(archive.RESULT,), inner=inner)


def test_the_archive() -> None:
    result = result_of(from_chloe())
    element = result.find(archive.RESULT)
    assert element is not None
    assert query_id_of(result) == "q1"
    assert archived(element, ANNA) == ("0001", Said(CHLOE, False, "hello", "m1", MOMENT_US))


def test_receipts_in_the_archive_are_not_said() -> None:
    element = result_of(receipt(ANNA, "m7", "r1").copy(sender=PHONE)).find(archive.RESULT)
    assert element is not None
    assert archived(element, ANNA) is None


@pytest.mark.parametrize(
    "inner",
    [
        b"",
        b"<forwarded xmlns='urn:xmpp:forward:0'/>",
        b"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='@'/></forwarded>",
    ],
)
def test_wrappers_around_nothing(inner: bytes) -> None:
    message = Stanza("message", None, None, ANNA, ANNA.bare_jid)
    message.append_rendered(carbons.SENT, b"<sent xmlns='urn:xmpp:carbons:2'>%b</sent>" % inner)
    assert news_of(message, ANNA) is None
    assert parse_fragment(inner) is not None
    assert forwarding.NAME not in message.payloads


def test_a_text_that_xml_cannot_carry() -> None:
    with pytest.raises(ValueError, match=r"U\+0007"):
        outgoing(CHLOE, "\a", "m1")
