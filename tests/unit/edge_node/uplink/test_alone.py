"""A site without a hub: there is nobody elsewhere, so nothing waits for anybody elsewhere."""

import re
from collections.abc import AsyncIterator

import pytest

from cascade.envelope import Envelope
from cascade.frame import AccountPresence
from edge_node.uplink.alone import NoLink
from tests.support.edge import Client, Edge, condition_of, types
from xmpp.payloads import disco

NOBODY = "nobody@corp.example"


@pytest.fixture
async def alone() -> AsyncIterator[Edge]:
    async with Edge("anna", "bruno", uplink=None) as edge:
        yield edge
        await edge.settle()
        assert edge.reports.failures == []
        assert edge.store.outbox.envelopes == 0


async def say(client: Client, text: str) -> list[str | None]:
    """Send a stanza; the conditions of the errors that come of it."""
    client.send(text)
    await client.edge.settle()
    return [condition_of(each) for each in client.received() if each.type == "error"]


def test_no_link_takes_everything_and_does_nothing() -> None:
    link, envelope = NoLink(), Envelope(origin="paris", epoch=1, sender="a@b", recipients=("c@b",), kind="message")
    link.offer(envelope)
    link.publish(AccountPresence(NOBODY, 1))
    link.watch(NOBODY)
    link.unwatch(NOBODY)
    link.accounts_held(1)
    link.store_failed()
    assert not any((link.is_linked, link.offer_transient(envelope), link.is_asked_for(NOBODY), link.ask_home(NOBODY)))
    assert link.presence_of(NOBODY) is None


@pytest.mark.parametrize("to", [NOBODY, f"{NOBODY}/pad"])
async def test_messages_to_nobody_are_refused_and_not_kept(alone: Edge, to: str) -> None:
    anna = await alone.login("anna", "phone")
    assert await say(anna, f'<message to="{to}" type="chat"><body>?</body></message>') == ["service-unavailable"]
    assert await alone.store.archive.bounds("anna@corp.example") is None


async def test_who_asks_nobody_hears_what_who_asks_somebody_hears(alone: Edge) -> None:
    """RFC 6121 section 8.5.1."""
    anna = await alone.login("anna", "phone")
    await anna.ask('<iq type="get" id="r"><query xmlns="jabber:iq:roster"/></iq>')
    heard = []
    for contact in (NOBODY, "bruno@corp.example"):
        for type_ in ("subscribe", "subscribed"):
            anna.send(f'<presence type="{type_}" to="{contact}"/>')
            await alone.settle()
        pushed = [stanza.inner.decode().replace(contact, "") for stanza in anna.received()]
        heard.append([re.sub(r'ver="\d+"', "", inner) for inner in pushed])
    assert heard[0] == heard[1] != []


async def test_contacts_that_are_gone_can_be_given_up(alone: Edge) -> None:
    await alone.befriend(("anna", "nobody"))
    anna = await alone.login("anna", "phone")
    for type_ in ("unsubscribe", "unsubscribed"):
        assert await say(anna, f'<presence type="{type_}" to="{NOBODY}"/>') == []
    item = f'<query xmlns="jabber:iq:roster"><item jid="{NOBODY}" subscription="remove"/></query>'
    assert (await anna.ask(f'<iq type="set" id="r">{item}</iq>')).type == "result"
    assert (await alone.store.rosters.load("anna@corp.example")).items == ()


async def test_directed_presence_to_nobody_is_ignored(alone: Edge) -> None:
    """RFC 6121 section 8.5.1."""
    anna = await alone.login("anna", "phone")
    assert await say(anna, f'<presence to="{NOBODY}/pad"/>') == []
    await anna.leave()


async def test_requests_to_nobody_are_answered_at_once(alone: Edge) -> None:
    """RFC 6121 section 8.5.1 and XEP-0030 section 8."""
    anna = await alone.login("anna", "phone")
    for to in (NOBODY, f"{NOBODY}/pad"):
        answer = await anna.ask(f'<iq type="get" id="p" to="{to}"><ping xmlns="urn:xmpp:ping"/></iq>')
        assert condition_of(answer) == "service-unavailable"
    info = f'<iq type="get" id="i" to="{NOBODY}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>'
    assert condition_of(await anna.ask(info)) == "service-unavailable"
    answer = await anna.ask(info.replace("disco#info", "disco#items"))
    assert disco.read_items(answer.elements()[0]) == disco.Items()


async def test_clients_of_other_sites_are_unknown(alone: Edge) -> None:
    client = alone.connect()
    client.attachment.find_credentials("nobody")
    assert client.wire.credentials == [None]


async def test_people_of_the_site_have_everything(alone: Edge) -> None:
    await alone.befriend(("anna", "bruno"))
    anna, bruno = await alone.login("anna", "phone"), await alone.login("bruno", "desk")
    assert types(anna.received("presence")) == [None]
    assert await say(bruno, '<message to="anna@corp.example" type="chat"><body>hello</body></message>') == []
    assert anna.bodies() == ["hello"]
