import io

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from chappe.chat.lines import Kind, Line
from chappe.chat.terminal import Plain, Words, status
from tests.unit.chappe.chat.conftest import CHLOE, PHONE, Stage
from xmpp.payloads.roster import Item, Roster
from xmpp.stanza import Stanza


async def test_lines_of_a_pipe(stage: Stage) -> None:
    plain = Plain(io.StringIO("/to chloe\n\nhello"), io.StringIO())
    assert [line async for line in plain.lines(stage.conversation)] == ["/to chloe", "", "hello"]


def test_what_is_written_to_a_pipe() -> None:
    target = io.StringIO()
    plain = Plain(io.StringIO(), target)
    for kind in (Kind.THEIRS, Kind.OWN, Kind.NOTE, Kind.PRESENCE, Kind.ERROR):
        plain.show(Line(kind, kind.value))
    assert target.getvalue() == "theirs\nown\n* note\n* presence\n! error\n"


def test_completion(stage: Stage) -> None:
    stage.conversation.contacts.replace(Roster((Item(CHLOE),)))

    def completed(text: str) -> list[str]:
        return [each.text for each in Words(stage.conversation).get_completions(Document(text), CompleteEvent())]

    assert completed("/con") == ["contacts "]
    assert completed("/to ch") == ["chloe"]
    assert completed("hello") == []
    assert completed("/away ch") == []


def test_the_line_below(stage: Stage) -> None:
    conversation = stage.conversation
    conversation.contacts.replace(Roster((Item(CHLOE, "Chloe"),)))
    conversation.contacts.take_presence(Stanza("presence", sender=PHONE))
    conversation.peer, conversation.delivery = CHLOE, "delivered"
    assert status(conversation).split("  |  ") == [
        " anna@corp.example: connected",
        "Chloe is online",
        "last message: delivered",
        "/help",
    ]
    stage.session.is_connected = False
    assert "NOT CONNECTED" in status(conversation)
