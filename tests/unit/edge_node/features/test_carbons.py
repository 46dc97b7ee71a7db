import pytest

from tests.support.edge import Client, Edge, condition_of
from xmpp import namespaces
from xmpp.element import Element
from xmpp.stanza import Stanza

SENT = f"{{{namespaces.CARBONS}}}sent"
RECEIVED = f"{{{namespaces.CARBONS}}}received"
FORWARDED = f"{{{namespaces.FORWARD}}}forwarded"
STANZA_ID = f"{{{namespaces.STANZA_ID}}}stanza-id"
BODY = "<body>hello</body>"


def carbons(client: Client, name: str) -> list[Element]:
    """The messages inside the carbons that a client got."""
    found: list[Element] = []
    for stanza in client.received("message"):
        if stanza.payloads == (name,):
            assert str(stanza.sender) == client.jid.bare
            assert stanza.to == client.jid
            forwarded = stanza.elements()[0].find(FORWARDED)
            assert forwarded is not None
            found.extend(forwarded.elements)
    return found


def message(to: str, inner: str = BODY, type_: str = "chat") -> str:
    return f'<message to="{to}" type="{type_}" id="1">{inner}</message>'


class TestReceived:
    async def test_goes_to_the_resources_that_did_not_get_the_message(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        desk = await edge.login("bruno", "desk", carbons=True)
        phone = await edge.login("bruno", "phone", carbons=True)
        without = await edge.login("bruno", "without")
        anna.send(message("bruno@corp.example/desk"))
        await edge.settle()
        (copied,) = carbons(phone, RECEIVED)
        assert (copied.get("to"), copied.get("from")) == ("bruno@corp.example/desk", "anna@corp.example/phone")
        assert copied.find(STANZA_ID) is not None
        assert carbons(desk, RECEIVED) == []
        assert without.received("message") == []

    async def test_is_nobodys_when_all_got_the_message(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        devices = [await edge.login("bruno", each, carbons=True) for each in ("desk", "phone")]
        anna.send(message("bruno@corp.example"))
        await edge.settle()
        assert [carbons(device, RECEIVED) for device in devices] == [[], []]

    async def test_comes_to_a_resource_of_negative_priority(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        await edge.login("bruno", "desk")
        shy = await edge.login("bruno", "shy", carbons=True, priority=-1)
        anna.send(message("bruno@corp.example"))
        await edge.settle()
        assert len(carbons(shy, RECEIVED)) == 1

    async def test_comes_for_a_message_that_waits(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        shy = await edge.login("bruno", "shy", carbons=True, priority=-1)
        anna.send(message("bruno@corp.example"))
        await edge.settle()
        assert len(carbons(shy, RECEIVED)) == 1


class TestSent:
    async def test_goes_to_the_other_resources_of_the_sender(self, edge: Edge) -> None:
        phone = await edge.login("anna", "phone", carbons=True)
        desk = await edge.login("anna", "desk", carbons=True)
        without = await edge.login("anna", "without")
        phone.send(message("bruno@corp.example"))
        await edge.settle()
        (copied,) = carbons(desk, SENT)
        assert (copied.get("to"), copied.get("from")) == ("bruno@corp.example", "anna@corp.example/phone")
        assert carbons(phone, SENT) == []
        assert without.received("message") == []

    async def test_comes_whether_or_not_the_sender_has_them(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk", carbons=True)
        phone.send(message("bruno@corp.example"))
        await edge.settle()
        assert len(carbons(desk, SENT)) == 1

    async def test_comes_for_messages_to_another_site_after_the_commit(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk", carbons=True)
        edge.store.hold()
        phone.send(message("david@corp.example"))
        await edge.settle()
        assert carbons(desk, SENT) == []
        edge.store.release()
        assert len(carbons(desk, SENT)) == 1

    async def test_has_the_id_of_the_own_archive_and_not_of_the_recipients(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk", carbons=True)
        await edge.login("bruno", "desk")
        phone.send(message("bruno@corp.example"))
        await edge.settle()
        (copied,) = carbons(desk, SENT)
        assert [element.get("by") for element in copied.find_all(STANZA_ID)] == ["anna@corp.example"]

    async def test_is_not_made_of_what_was_refused(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk", carbons=True)
        phone.send(message("anna@elsewhere.example"))
        await edge.settle()
        assert carbons(desk, SENT) == []


async def test_a_message_to_oneself_is_copied_once(edge: Edge) -> None:
    phone = await edge.login("anna", "phone", carbons=True)
    desk = await edge.login("anna", "desk", carbons=True)
    pad = await edge.login("anna", "pad", carbons=True)
    phone.received(), desk.received()
    phone.send(message("anna@corp.example/desk"))
    await edge.settle()
    assert [len(client.wire.written) for client in (phone, desk, pad)] == [0, 1, 1]
    assert len(carbons(pad, RECEIVED)) == 1


@pytest.mark.parametrize(
    ("inner", "type_", "sent", "received"),
    [
        ('<composing xmlns="http://jabber.org/protocol/chatstates"/>', "chat", 1, 1),
        ('<received xmlns="urn:xmpp:receipts" id="1"/>', "normal", 1, 1),
        ('<thing xmlns="urn:example"/>', "normal", 0, 0),
        (BODY, "headline", 0, 0),
        (f'{BODY}<private xmlns="urn:xmpp:carbons:2"/>', "chat", 0, 0),
        (f'{BODY}<no-copy xmlns="urn:xmpp:hints"/>', "chat", 0, 0),
        (f'{BODY}<x xmlns="http://jabber.org/protocol/muc#user"/>', "chat", 1, 0),
    ],
)
async def test_which_messages(edge: Edge, inner: str, type_: str, sent: int, received: int) -> None:
    phone, pad = await edge.login("anna", "phone"), await edge.login("anna", "pad", carbons=True)
    await edge.login("bruno", "desk")
    other = await edge.login("bruno", "phone", carbons=True)
    phone.send(message("bruno@corp.example/desk", inner, type_))
    await edge.settle()
    assert (len(carbons(pad, SENT)), len(carbons(other, RECEIVED))) == (sent, received)


class TestSwitch:
    async def test_may_be_turned_off_and_on(self, edge: Edge) -> None:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk")
        for name, copies in (("enable", 1), ("enable", 1), ("disable", 0), ("disable", 0), ("enable", 1)):
            answer = await desk.ask(f'<iq type="set" id="c"><{name} xmlns="urn:xmpp:carbons:2"/></iq>')
            assert answer.type == "result"
            phone.send(message("bruno@corp.example"))
            await edge.settle()
            assert len(carbons(desk, SENT)) == copies

    async def test_outlives_the_core(self, edge: Edge) -> None:
        desk = await edge.login("anna", "desk", managed=True)
        await desk.ask('<iq type="set" id="c"><enable xmlns="urn:xmpp:carbons:2"/></iq>')
        await edge.restart()
        desk, phone = await edge.resume(desk), await edge.login("anna", "phone")
        phone.send(message("bruno@corp.example"))
        await edge.settle()
        assert len(carbons(desk, SENT)) == 1

    async def test_is_for_the_own_account(self, edge: Edge) -> None:
        phone = await edge.login("anna", "phone")
        answer = await phone.ask(
            '<iq type="set" id="c" to="bruno@corp.example"><enable xmlns="urn:xmpp:carbons:2"/></iq>'
        )
        assert condition_of(answer) == "not-allowed"
        own = await phone.ask('<iq type="set" id="c" to="anna@corp.example"><enable xmlns="urn:xmpp:carbons:2"/></iq>')
        assert own.type == "result"

    async def test_is_not_for_another_sites_people(self, edge: Edge) -> None:
        stanza = Stanza.build("iq", Element(f"{{{namespaces.CARBONS}}}enable"), type="set", id="c")
        phone = await edge.login("anna", "phone")
        stanza.to, stanza.sender = phone.jid.bare_jid, phone.jid.bare_jid.with_resource("elsewhere")
        edge.core.iqs.arrive(stanza)
        await edge.settle()
        assert not phone.session.carbons
