"""Stream management and requests, used against their purpose."""

import re

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.conftest import Connect
from tests.integration.abuse.edge_process import EdgeProcess
from tests.integration.abuse.offender import Offender, Way

NAMESPACE = "urn:xmpp:sm:3"
ENABLED = re.compile(rb'<enabled[^>]* id="([^"]+)"')
ARCHIVE = "<query xmlns='urn:xmpp:mam:2'/>"


async def enable(offender: Offender) -> str:
    offender.send(f"<enable xmlns='{NAMESPACE}' resume='true'/>".encode())
    found = ENABLED.search(await offender.read_until(b"/>"))
    assert found is not None
    return found[1].decode()


async def authenticated(offender: Offender, account: str) -> Offender:
    """Log in and bind nothing, as one does who resumes."""
    await offender.features()
    offender.authenticate("PLAIN", f"\0{account}\0{account}".encode())
    await offender.read_until(b"<success")
    await offender.features()
    return offender


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        ("h='7'", "undefined-condition"),
        ("h='-1'", "invalid-xml"),
        ("h='4294967296'", "invalid-xml"),
        ("", "invalid-xml"),
    ],
)
async def test_an_acknowledgement_of_what_was_never_sent(
    bystanders: Bystanders, connect: Connect, answer: str, condition: str
) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    await enable(offender)
    offender.send(f"<a xmlns='{NAMESPACE}' {answer}/>".encode())
    assert await offender.verdict() == condition
    await bystanders.talk()


async def test_a_session_of_somebody_else_cannot_be_resumed(bystanders: Bystanders, connect: Connect) -> None:
    victim = await (await connect(Way.TLS)).log_in("bruno", "watched")
    session = await enable(victim)
    offender = await authenticated(await connect(Way.TLS), "mallory")
    offender.send(f"<resume xmlns='{NAMESPACE}' previd='{session}' h='0'/>".encode())
    assert b"item-not-found" in await offender.read_until(b"</failed>")
    pong = await victim.answer("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>", b">")
    assert b"result" in pong
    await bystanders.talk()


@pytest.mark.parametrize("session", ["", "x" * 10_000, "AAAAAAAAAAA", "../../etc/passwd"])
async def test_a_session_that_never_was(bystanders: Bystanders, connect: Connect, session: str) -> None:
    offender = await authenticated(await connect(Way.TLS), "mallory")
    offender.send(f"<resume xmlns='{NAMESPACE}' previd='{session}' h='0'/>".encode())
    assert b"item-not-found" in await offender.read_until(b"</failed>")
    await bystanders.talk()


async def test_very_many_requests_for_acknowledgement(
    bystanders: Bystanders, edge: EdgeProcess, connect: Connect
) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    await enable(offender)
    before = edge.rss_bytes
    async with bystanders.talking() as rounds:
        offender.send(f"<r xmlns='{NAMESPACE}'/>".encode() * 50_000)
        await offender.answer("<iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>", b'id="last"')
    assert rounds.slowest < 5
    assert edge.rss_bytes - before < 64_000_000


@pytest.mark.parametrize(
    "request_text",
    [
        f"<iq type='set' id='q'>{ARCHIVE}</iq>",
        "<iq type='get' id='q'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq type='get' id='q' to='anna@corp.example/nowhere'><query xmlns='urn:x'/></iq>",
        "<iq type='get' id='q' to='nobody@elsewhere.example'><query xmlns='urn:x'/></iq>",
        "<presence type='subscribe' to='anna@elsewhere.example'/>",
        "<presence to='nobody@corp.example'/>",
    ],
    ids=["archive", "roster", "a resource that is not there", "another domain", "subscriptions", "directed presence"],
)
async def test_a_flood_of_work_for_the_core(
    bystanders: Bystanders, edge: EdgeProcess, connect: Connect, request_text: str
) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    before = edge.rss_bytes
    async with bystanders.talking() as rounds:
        offender.send(request_text.encode() * 500)
        await offender.answer("<iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>", b'id="last"')
    assert rounds.slowest < 5
    assert edge.rss_bytes - before < 64_000_000
