import pytest

from chappe.chat.commands import COMMANDS, Quit, address, execute
from chappe.client import ClientError
from tests.unit.chappe.chat.conftest import CHLOE, PHONE, Stage
from xmpp.jid import JID
from xmpp.payloads.roster import Item, Roster, Subscription
from xmpp.stanza import Stanza

MARTIN = Item(CHLOE, "Chloe Martin", Subscription.BOTH, ("Team",))


@pytest.mark.parametrize(
    ("text", "jid"),
    [
        ("chloe martin", CHLOE),
        ("bruno", JID.parse("bruno@corp.example")),
        ("x@elsewhere.example/home", JID.parse("x@elsewhere.example")),
    ],
)
def test_addresses(stage: Stage, text: str, jid: JID) -> None:
    stage.conversation.contacts.replace(Roster((MARTIN,)))
    assert address(stage.conversation, text) == jid


@pytest.mark.parametrize("text", ["", "a b", "@"])
def test_what_is_no_address(stage: Stage, text: str) -> None:
    with pytest.raises(ClientError):
        address(stage.conversation, text)


async def test_text_is_said(stage: Stage) -> None:
    await execute(stage.conversation, "/to chloe")
    for line in ("hello", "//slash", "   "):
        await execute(stage.conversation, line)
    assert [each.elements()[0].text for each in stage.session.sent] == ["hello", "/slash"]


@pytest.mark.parametrize("line", ["/nonsense", "/history many", "/to", "/add"])
async def test_what_cannot_be_done_is_said(stage: Stage, line: str) -> None:
    with pytest.raises(ClientError):
        await execute(stage.conversation, line)


async def test_contacts_are_listed(stage: Stage) -> None:
    contacts = stage.conversation.contacts
    asked = Item(JID.parse("dora@corp.example"), is_asking=True, groups=("Team",))
    contacts.replace(Roster((MARTIN, asked, Item(JID.parse("eve@corp.example")))))
    contacts.take_presence(Stanza("presence", sender=PHONE))
    contacts.take_presence(Stanza("presence", "subscribe", sender=JID.parse("frank@corp.example")))
    await execute(stage.conversation, "/contacts")
    lines = [" ".join(text.split()) for text in stage.screen.texts]
    assert lines == [
        "(no group)",
        "eve@corp.example eve offline",
        "Team",
        "* chloe@corp.example Chloe Martin online",
        "dora@corp.example dora asked, no answer yet",
        "frank asks to be accepted",
    ]


@pytest.mark.parametrize(("line", "show"), [("/away lunch", "away"), ("/busy", "dnd"), ("/back", "")])
async def test_presence(stage: Stage, line: str, show: str) -> None:
    await execute(stage.conversation, line)
    assert "".join(each.text for each in stage.session.sent[0].elements() if each.local == "show") == show


async def test_others_have_their_effect(stage: Stage) -> None:
    for line in ("/add dora", "/accept dora", "/decline dora", "/remove dora"):
        await execute(stage.conversation, line)
    kinds = [each.type for each in stage.session.sent]
    assert kinds == ["subscribe", "subscribed", "subscribe", "unsubscribed"]


async def test_help_names_everything(stage: Stage) -> None:
    await execute(stage.conversation, "/help")
    text = "\n".join(stage.screen.texts)
    assert [name for name in COMMANDS if f"/{name}" not in text] == []


async def test_quit(stage: Stage) -> None:
    with pytest.raises(Quit):
        await execute(stage.conversation, "/quit")
