"""People of two sites, with slixmpp and with our own client: everything of daily life, across the hub."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from chappe.client.endpoint import Transport
from chappe.client.errors import LoginRefused
from tests.support.cluster import Cluster
from tests.support.foreign import Foreigner
from tests.support.persons import Person, online
from tests.support.traffic import difference
from xmpp.element import Element
from xmpp.errors import StanzaError
from xmpp.namespaces import PING
from xmpp.stanza import Stanza

pytestmark = pytest.mark.asyncio(loop_scope="module")

TCP = [Transport.STARTTLS, Transport.TLS]


@pytest.mark.parametrize("transport", TCP)
async def test_slixmpp_meets_across_the_hub(company: Cluster, transport: Transport) -> None:
    anna, chloe = f"anna-{transport}", f"chloe-{transport}"
    await company.add_people({"paris": [anna], "lyon": [chloe]})
    async with (
        Foreigner(company.account(anna, company["paris"], "desk", transport=transport)) as at_desk,
        Foreigner(company.account(anna, company["paris"], "phone", transport=transport)) as at_phone,
        Foreigner(company.account(chloe, company["lyon"], "home", transport=transport)) as at_home,
    ):
        await at_phone.xmpp.plugin["xep_0280"].enable()

        # They subscribe to each other (slixmpp approves and asks back by itself), and see each other.
        at_desk.xmpp.send_presence_subscription(pto=f"{chloe}@corp.example")
        for person, contact in ((at_desk, chloe), (at_phone, chloe), (at_home, anna)):
            await person.event("presence_available", of(contact))
        await at_home.event("presence_available", of(anna, "phone"))

        # A message, its receipt, and the carbons of both on the second device.
        question = at_desk.say(f"{chloe}@corp.example", "lunch?", request_receipt=True)
        heard = await at_home.hears("lunch?")
        assert heard["from"].full == f"{anna}@corp.example/desk"
        receipt = await at_desk.event("receipt_received")
        assert receipt["receipt"] == question["id"]
        sent = await at_phone.event("carbon_sent")
        assert sent["carbon_sent"]["body"] == "lunch?"
        at_home.say(f"{anna}@corp.example/desk", "at noon")
        await at_desk.hears("at noon")
        await at_phone.event("carbon_received", lambda m: m["carbon_received"]["body"] == "at noon")

        # Both archives have both.
        for person in (at_phone, at_home):
            page = await person.xmpp.plugin["xep_0313"].retrieve(rsm={"max": 10})
            bodies = [result["mam_result"]["forwarded"]["stanza"]["body"] for result in page["mam"]["results"]]
            assert [body for body in bodies if body] == ["lunch?", "at noon"]

        # One leaves, and is seen to.
        at_phone.xmpp.send_presence(ptype="unavailable")
        await at_home.event("presence_unavailable", of(anna, "phone"))


def of(account: str, resource: str = "") -> Callable[[Any], bool]:
    """Whether a stanza comes from an account, or from one resource of it."""
    return lambda stanza: stanza["from"].user == account and resource in ("", stanza["from"].resource)


async def test_roster_versioning(company: Cluster) -> None:
    await company.add_people({"paris": ["rosa"], "lyon": ["rolf"]})
    account = company.account("rosa", company["paris"], "desk")
    async with Foreigner(account) as rosa:
        await rosa.xmpp.update_roster("rolf@corp.example", name="Rolf", groups=["friends"])
        await rosa.event("roster_update", lambda iq: iq["roster"]["ver"])
        version = rosa.xmpp.client_roster.version
    assert version
    async with Foreigner(account) as again:
        again.xmpp.client_roster.version = version
        answer = await again.xmpp.get_roster()
        assert not answer["roster"]["items"]  # nothing has changed: an empty result
        again.xmpp.client_roster.version = "of another server"
        answer = await again.xmpp.get_roster()
        assert list(answer["roster"]["items"]) == ["rolf@corp.example"]


@pytest.mark.parametrize("transport", [Transport.STARTTLS, Transport.TLS, Transport.WSS])
async def test_our_client_over_every_transport(company: Cluster, transport: Transport) -> None:
    emma, fred = f"emma-{transport}", f"fred-{transport}"
    await company.add_people({"paris": [emma], "lyon": [fred]})
    accounts = [
        company.account(emma, company["paris"], transport=transport),
        company.account(fred, company["lyon"], transport=transport),
    ]
    async with online(accounts) as (paris, lyon):
        paris.say(f"{fred}@corp.example", "salut")
        await lyon.hears("salut")
        lyon.say(f"{emma}@corp.example", "bonjour")
        await paris.hears("bonjour")
        await paris.taken()
        assert not paris.disconnections


@pytest.mark.parametrize("transport", TCP)
async def test_wrong_site_sends_home(company: Cluster, transport: Transport) -> None:
    name = f"gina-{transport}"
    await company.add_people({"lyon": [name]})
    # Our client follows (to the place for STARTTLS, which is what the hub knows of a site) ...
    if transport is Transport.STARTTLS:
        async with Person(company.account(name, company["paris"], transport=transport)) as gina:
            assert gina.connections
    # ... and slixmpp is told the same.
    stranger = Foreigner(company.account(name, company["paris"], transport=transport))
    stranger.xmpp.connect("127.0.0.1", company["paris"].port(transport))
    error = await stranger.event("stream_error")
    assert error["condition"] == "see-other-host"
    assert error["see_other_host"] == f"127.0.0.1:{company['lyon'].port()}"
    stranger.xmpp.abort()


@pytest.mark.parametrize("home", ["paris", "lyon"])
async def test_coming_and_going_in_traffic(company: Cluster, home: str) -> None:
    """What is sent while its recipient arrives or leaves comes once, and in order."""
    sender, name = f"pia-{home}", f"quentin-{home}"
    await company.add_people({"paris": [sender]})
    await company.add_people({home: [name]})
    heard: list[str] = []
    sent = 0

    async def write() -> None:
        nonlocal sent
        for _ in range(20):
            for number in range(sent, sent + 5):
                pia.say(f"{name}@corp.example", str(number))
            sent += 5
            await pia.taken()

    async with Person(company.account(sender, company["paris"])) as pia:
        for _ in range(3):
            quentin = Person(company.account(name, company[home]))
            async with asyncio.TaskGroup() as both:
                both.create_task(write())
                both.create_task(quentin.__aenter__())
            async with asyncio.TaskGroup() as both:
                both.create_task(write())
                both.create_task(quentin.__aexit__())
            heard += quentin.bodies
        async with Person(company.account(name, company[home])) as quentin:
            await quentin.until(lambda: len(heard) + len(quentin.bodies) >= sent)
            heard += quentin.bodies
    expected = [str(number) for number in range(sent)]
    assert heard == expected, difference(expected, heard)


async def test_wrong_password_and_unknown_account_look_the_same(company: Cluster) -> None:
    await company.add_people({"paris": ["hugo"]})
    said = []
    for name in ("hugo", "nobody"):
        with pytest.raises(LoginRefused) as refused:
            async with Person(company.account(name, company["paris"], password="wrong")):
                pass
        said.append(str(refused.value).replace(name, "NAME"))
    assert said[0] == said[1]


async def test_message_to_nobody_is_answered(company: Cluster) -> None:
    await company.add_people({"paris": ["ines"]})
    async with Person(company.account("ines", company["paris"])) as ines:
        ines.say("nobody-at-all@corp.example", "hello?")
        await ines.until(lambda: ines.errors)
        assert b"service-unavailable" in ines.errors[0].inner


async def test_iq_crosses_to_a_resource_and_back(company: Cluster) -> None:
    await company.add_people({"paris": ["jana"], "lyon": ["karl"]})
    accounts = [company.account("jana", company["paris"]), company.account("karl", company["lyon"], "desk")]
    async with online(accounts) as (jana, karl):
        with pytest.raises(StanzaError, match="service-unavailable"):  # she may not see that he is there
            await jana.client.request(Element(f"{{{PING}}}ping"), to=karl.jid)
        karl.client.send(Stanza.build("presence", to=jana.jid))
        await jana.until(lambda: any(presence.sender == karl.jid for presence in jana.presences))
        answer = await jana.client.request(Element(f"{{{PING}}}ping"), to=karl.jid)
        assert answer.type == "result"
        with pytest.raises(StanzaError, match="service-unavailable"):
            await jana.client.request(Element("{urn:example}unknown"), to=karl.jid)


async def test_certificate_is_the_domains(company: Cluster) -> None:
    trust = ssl.create_default_context(cafile=company.pki.ca)
    for site in company.sites.values():
        _, writer = await asyncio.open_connection(
            "127.0.0.1", site.port(Transport.TLS), ssl=trust, server_hostname="corp.example"
        )
        writer.transport.abort()
