import pytest

from chappe.chat.lines import Kind
from chappe.chat.messages import outgoing, receipt
from chappe.client import ClientError, Connected, Disconnected, Ended, RequestTimedOut
from tests.unit.chappe.chat.conftest import ANNA, CHLOE, PHONE, Stage
from xmpp.acknowledgement import QueueFull
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.events import Acknowledged
from xmpp.jid import JID
from xmpp.payloads import carbons, roster
from xmpp.payloads.roster import Item, Roster, Subscription
from xmpp.stanza import Stanza

LIST = Roster((Item(CHLOE, "Chloe", Subscription.BOTH),)).element()


async def introduced(stage: Stage) -> Stage:
    stage.session.results[roster.NAME] = lambda _query: (LIST,)
    stage.session.results["{urn:xmpp:ping}ping"] = lambda _ping: arrive(stage)
    stage.session.on_event(Connected(ANNA, is_resumed=False))
    await stage.run_spawned()
    stage.session.results[roster.NAME] = lambda _query: ()
    stage.session.sent.clear()
    return stage


def arrive(stage: Stage) -> tuple[Element, ...]:
    stage.session.on_event(Stanza("presence", sender=PHONE))
    return ()


async def test_a_new_session_asks_and_appears(stage: Stage) -> None:
    stage.session.results[roster.NAME] = lambda _query: (LIST,)
    stage.session.results["{urn:xmpp:ping}ping"] = lambda _ping: arrive(stage)
    stage.session.on_event(Connected(ANNA, is_resumed=False))
    await stage.run_spawned()
    assert [each.name for each in stage.session.requests] == [roster.NAME, carbons.ENABLE, "{urn:xmpp:ping}ping"]
    assert [each.kind for each in stage.session.sent] == ["presence"]
    assert stage.screen.texts == [f"connected as {ANNA.full}", "1 contact, online: Chloe"]
    assert stage.conversation.introduced.is_set()


async def test_a_server_that_answers_nothing_does_not_lock_the_person_out(stage: Stage) -> None:
    def fail(_query: Element) -> tuple[Element, ...]:
        raise RequestTimedOut("no answer")

    stage.session.results[roster.NAME] = fail
    stage.session.on_event(Connected(ANNA, is_resumed=False))
    with pytest.raises(RequestTimedOut):
        await stage.run_spawned()
    assert stage.conversation.introduced.is_set()


async def test_a_resumed_session_does_not(stage: Stage) -> None:
    stage.session.on_event(Disconnected("lost"))
    stage.session.on_event(Connected(ANNA, is_resumed=True))
    assert stage.spawned == []
    assert stage.session.sent == []


async def test_what_is_said_here_is_shown_and_followed(stage: Stage) -> None:
    await introduced(stage)
    await stage.conversation.open(CHLOE)
    stage.conversation.say("hello")
    assert stage.conversation.delivery == "sending"
    sent = stage.session.sent[-1]
    assert sent.to == CHLOE
    stage.session.unacknowledged = 0
    stage.session.on_event(Acknowledged(1))
    assert stage.conversation.delivery == "sent"
    stage.session.on_event(receipt(ANNA, sent.id or "", "r1").copy(sender=PHONE))
    assert stage.conversation.delivery == "delivered"
    assert stage.screen.texts[-2:] == [stage.screen.texts[-2], "delivered to chloe: hello"]
    assert stage.screen.texts[-2].endswith(" anna: hello")


async def test_what_comes_is_shown_and_confirmed(stage: Stage) -> None:
    await introduced(stage)
    stage.session.on_event(outgoing(ANNA, "hi", "m1").copy(sender=PHONE))
    assert stage.screen.lines[-1].kind is Kind.THEIRS
    assert stage.screen.texts[-1].endswith(" chloe: hi")
    answer = stage.session.sent[-1]
    assert (answer.to, answer.payloads) == (PHONE, ("{urn:xmpp:receipts}received",))


async def test_what_comes_twice_is_shown_once(stage: Stage) -> None:
    await introduced(stage)
    for text, id_ in (("hi", "m1"), ("hi", "m1"), ("hi", "m2"), ("hi", ""), ("hi", "")):
        stage.session.on_event(outgoing(ANNA, text, id_).copy(sender=PHONE))
    assert len([line for line in stage.screen.lines if line.kind is Kind.THEIRS]) == 4


async def test_what_comes_back_is_an_error(stage: Stage) -> None:
    await introduced(stage)
    await stage.conversation.open(CHLOE)
    stage.conversation.say("hello")
    sent = stage.session.sent[-1].copy(sender=ANNA)
    stage.session.on_event(sent.error(StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)))
    assert stage.screen.lines[-1].kind is Kind.ERROR
    assert "hello" in stage.screen.texts[-1]


async def test_presence_is_shown_once_the_list_is(stage: Stage) -> None:
    await introduced(stage)
    stage.session.on_event(Stanza("presence", "unavailable", sender=PHONE))
    assert stage.screen.texts[-1] == "Chloe is offline"


async def test_who_asks_is_shown_and_can_be_accepted(stage: Stage) -> None:
    await introduced(stage)
    bruno = JID.parse("bruno@corp.example")
    stage.session.on_event(Stanza("presence", "subscribe", sender=bruno))
    assert "/accept bruno" in stage.screen.texts[-1]
    await stage.conversation.accept(bruno)
    assert [(each.type, each.to) for each in stage.session.sent] == [("subscribed", bruno), ("subscribe", bruno)]
    stage.conversation.decline(bruno)
    assert stage.session.sent[-1].type == "unsubscribed"
    await stage.conversation.remove(CHLOE)
    assert roster.read(stage.session.requests[-1]).items[0].subscription is Subscription.REMOVE


async def test_pushes_of_others_are_refused(stage: Stage) -> None:
    await introduced(stage)
    push = Stanza.build("iq", Roster((Item(JID.parse("new@corp.example")),)).element(), type="set", id="p1")
    assert stage.session.answers[roster.NAME](push) == ()
    assert len(stage.conversation.contacts.sorted()) == 2
    with pytest.raises(StanzaError):
        stage.session.answers[roster.NAME](push.copy(sender=PHONE))


async def test_nobody_to_talk_to(stage: Stage) -> None:
    with pytest.raises(ClientError, match="/to"):
        stage.conversation.say("hello")
    with pytest.raises(ClientError, match="/to"):
        await stage.conversation.show_earlier(10)


async def test_a_server_that_takes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stanza: Stanza) -> None:
        raise QueueFull

    monkeypatch.setattr(stage.session, "send", refuse)
    with pytest.raises(ClientError, match="too much"):
        stage.conversation.set_presence("away", "at lunch")


async def test_presence_is_told(stage: Stage) -> None:
    stage.conversation.set_presence("away", "at lunch")
    assert [(each.local, each.text) for each in stage.session.sent[0].elements()] == [
        ("show", "away"),
        ("status", "at lunch"),
    ]


async def test_the_end_is_shown(stage: Stage) -> None:
    stage.session.on_event(Ended("conflict: replaced"))
    assert stage.screen.lines[-1].kind is Kind.ERROR


async def test_settled_when_everything_is_taken(stage: Stage) -> None:
    stage.conversation.set_presence("", "")
    waiting = stage.conversation.settled().__await__()
    next(waiting)
    stage.session.unacknowledged = 0
    stage.session.on_event(Acknowledged(1))
    with pytest.raises(StopIteration):
        next(waiting)
