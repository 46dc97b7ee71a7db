"""Well-formed stanzas of a colleague who means harm: answered by stanza errors, and nobody else is the worse for it."""

import re

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.conftest import Connect
from tests.integration.abuse.edge_process import EdgeProcess
from tests.integration.abuse.offender import Way

CONDITION = re.compile(rb'<([a-z-]+) xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"')
ROSTER = "<query xmlns='jabber:iq:roster'>{}</query>"


def condition_of(answer: bytes) -> str:
    found = CONDITION.search(answer)
    assert found is not None, answer
    return found[1].decode()


@pytest.mark.parametrize(
    "address",
    ["a" * 1024 + "@corp.example", "anna@" + "a" * 300 + ".example", "anna@corp.example/" + "r" * 1024,
     "@corp.example", "anna@", "a b@corp.example", "anna@corp.example/", "anna@corp..example", "\u2665@corp.example",
     "anna@@corp.example"],
)  # fmt: skip
async def test_an_address_that_is_none(bystanders: Bystanders, connect: Connect, address: str) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    answer = await offender.answer(f"<message id='1' to='{address}'><body>x</body></message>", b"</message>")
    assert condition_of(answer) == "jid-malformed"
    await bystanders.talk()


@pytest.mark.parametrize("resource", ["r" * 1024, "r" * 30_000, "a&#9;b"])
async def test_a_resource_that_is_none(bystanders: Bystanders, connect: Connect, resource: str) -> None:
    offender = await connect(Way.TLS)
    await offender.features()
    offender.authenticate("PLAIN", b"\0mallory\0mallory")
    await offender.read_until(b"<success")
    await offender.features()
    bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind>"
    assert condition_of(await offender.answer(f"<iq type='set' id='b'>{bind}</iq>")) in ("bad-request", "jid-malformed")
    await bystanders.talk()


async def test_too_many_sessions_of_one_account(bystanders: Bystanders, connect: Connect) -> None:
    for number in range(20):
        await (await connect(Way.TLS)).log_in(resource=f"r{number}")
    offender = await connect(Way.TLS)
    await offender.features()
    offender.authenticate("PLAIN", b"\0mallory\0mallory")
    await offender.read_until(b"<success")
    await offender.features()
    bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    assert condition_of(await offender.answer(f"<iq type='set' id='b'>{bind}</iq>")) == "resource-constraint"
    await bystanders.talk()


async def test_a_forged_sender(bystanders: Bystanders, connect: Connect) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    offender.send(b"<message from='anna@corp.example/x' to='bruno@corp.example'><body>forged</body></message>")
    assert await offender.verdict() == "invalid-from"
    await bystanders.talk()


async def test_two_contacts_at_once(bystanders: Bystanders, connect: Connect) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    two = ROSTER.format("<item jid='a@x.example'/><item jid='b@x.example'/>")
    assert condition_of(await offender.answer(f"<iq type='set' id='2'>{two}</iq>")) == "bad-request"
    await bystanders.talk()


async def test_a_name_of_a_contact_that_is_too_long(bystanders: Bystanders, connect: Connect) -> None:
    offender = await (await connect(Way.TLS)).log_in()
    contact = ROSTER.format(f"<item jid='contact@corp.example' name='{'n' * 10_000}'/>")
    assert condition_of(await offender.answer(f"<iq type='set' id='1'>{contact}</iq>")) == "not-acceptable"
    await bystanders.talk()


async def test_a_flood_is_read_slowly(bystanders: Bystanders, edge: EdgeProcess, connect: Connect) -> None:
    """Ten thousand stanzas at once: beyond the burst the client is not read, and the others talk."""
    offender = await (await connect(Way.TLS)).log_in()
    before = edge.rss_bytes
    async with bystanders.talking() as rounds:
        for number in range(10_000):
            text = (
                f"<message to='mallory@corp.example/nowhere' type='headline' id='{number}'><body>spam</body></message>"
            )
            offender.send(text.encode())
    metrics = await edge.metrics()
    assert metrics['edge_connections_paused_total{reason="rate"}'] >= 1
    assert rounds.slowest < 5
    assert edge.rss_bytes - before < 64_000_000


async def test_an_unfinished_tag_byte_by_byte_costs_little(
    bystanders: Bystanders, edge: EdgeProcess, connect: Connect
) -> None:
    """Expat reads an unfinished tag anew with each piece: 256 KiB of it would cost 15 s (CVE-2023-52425)."""
    offender = await (await connect(Way.TCP)).log_in()
    before = (await edge.metrics())["edge_bytes_received_total"]
    sent = 0
    offender.write(b"<message id='")
    while not offender.reader.at_eof() and sent < 262_144:
        offender.write(b"x")
        sent += 1
        if sent % 64 == 0:
            await offender.writer.drain()
    assert await offender.verdict() == "policy-violation"
    assert (await edge.metrics())["edge_bytes_received_total"] - before < 40_000
    await bystanders.talk()
