import pytest

from chappe.client.errors import NotConnected, RequestTimedOut
from chappe.client.requests import PendingRequests, error_of
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.stanza import Stanza

OWN = JID.parse("anna@corp.example/desk")
PEER = JID.parse("bruno@corp.example/phone")
STRANGER = JID.parse("mallory@corp.example/phone")


@pytest.fixture
def pending() -> PendingRequests:
    requests = PendingRequests()
    requests.of(OWN)
    return requests


def question(to: JID | None) -> Stanza:
    return Stanza("iq", "get", "id1", to)


async def answered(pending: PendingRequests, to: JID | None, *answers: Stanza) -> Stanza:
    def send(_iq: Stanza) -> None:
        for answer in answers:
            pending.take(answer)

    return await pending.ask(question(to), send, 0.01)


@pytest.mark.parametrize("sender", [None, OWN.bare_jid])
async def test_the_own_account_may_sign_or_not(pending: PendingRequests, sender: JID | None) -> None:
    answer = Stanza("iq", "result", "id1", OWN, sender)
    assert await answered(pending, None, answer) is answer


@pytest.mark.parametrize(
    "wrong",
    [
        Stanza("iq", "result", "id1", OWN, STRANGER),
        Stanza("iq", "result", "id1", OWN, None),
        Stanza("iq", "result", "id2", OWN, PEER),
        Stanza("iq", "get", "id1", OWN, PEER),
    ],
)
async def test_what_is_no_answer(pending: PendingRequests, wrong: Stanza) -> None:
    assert not pending.take(wrong)
    with pytest.raises(RequestTimedOut):
        await answered(pending, PEER, wrong)
    right = Stanza("iq", "result", "id1", OWN, PEER)
    assert await answered(pending, PEER, wrong, right, right) is right


async def test_an_error_is_raised(pending: PendingRequests) -> None:
    error = StanzaError(StanzaCondition.ITEM_NOT_FOUND, text="nothing there")
    answer = Stanza("iq", "get", "id1", OWN, PEER).error(error)
    answer.to, answer.sender = OWN, PEER
    with pytest.raises(StanzaError) as raised:
        await answered(pending, PEER, answer)
    assert raised.value == error


async def test_the_end_of_the_session_ends_what_waits(pending: PendingRequests) -> None:
    def send(_iq: Stanza) -> None:
        pending.fail(NotConnected("over"))

    with pytest.raises(NotConnected):
        await pending.ask(question(PEER), send, 5.0)
    assert not pending.take(Stanza("iq", "result", "id1", OWN, PEER))


def test_an_error_without_an_element() -> None:
    assert error_of(Stanza("iq", "error")).condition is StanzaCondition.UNDEFINED_CONDITION
