"""A listener process, a site, the hub with its spool, everything at once: killed in traffic, and nothing is lost."""

import asyncio
from collections.abc import Callable

from cascade.v1 import administration_pb2 as messages
from tests.support.cluster import Cluster, cluster
from tests.support.persons import Person, online
from tests.support.processes import PATIENCE_SECONDS
from tests.support.traffic import Traffic

LISTENERS = {"listeners": {"processes": 2, "adoption_seconds": 0.3}}

Note = Callable[[str, object], None]


async def test_listener_killed_in_traffic(record_property: Note) -> None:
    """Its clients resume at another; nobody else notices."""
    async with cluster("paris", "lyon", paris=LISTENERS) as company:
        paris, lyon = await company.generate("paris", 16), await company.generate("lyon", 4)
        accounts = [company.account(name, company["paris"], "desk") for name in paris]
        accounts += [company.account(name, company["lyon"], "desk") for name in lyon]
        async with online(accounts) as people:
            in_paris = people[:16]
            traffic = Traffic(people[:10], people[10:])
            traffic.write(30)
            await traffic.arriving(traffic.sent // 2)
            await company["paris"].kill_listener(0)
            traffic.write(30)
            await traffic.complete()
            moved = [person for person in in_paris if person.disconnections]
            record_property("clients_moved", len(moved))
            assert len(moved) < len(in_paris)  # the other listener's clients have not noticed
            assert all(connection.is_resumed for person in in_paris for connection in person.connections[1:])

            # The core has started it again, and new clients find it.
            seen = len(company["paris"].core.lines)
            await company["paris"].core.logged("listener_ready", index=0, after=seen - 5)
            await company["paris"].kill_listener(1)
            traffic.write(10)
            await traffic.complete()


async def test_hub_killed_with_a_spool() -> None:
    """Lyon is away, and what is for it waits at the hub, which dies twice."""
    async with cluster("paris", "lyon") as company:
        paris, lyon = await company.generate("paris", 4), await company.generate("lyon", 4)
        async with online([company.account(name, company["paris"]) for name in paris]) as senders:
            await company["lyon"].kill()
            for sender, to in zip(senders, lyon, strict=True):
                for number in range(50):
                    sender.say(f"{to}@corp.example", str(number))
            for sender in senders:
                await sender.taken()
            await spooled(company, "lyon", 200)
            await company.hub.kill()
            for sender, to in zip(senders, lyon, strict=True):
                for number in range(50, 100):
                    sender.say(f"{to}@corp.example", str(number))
            seen = len(company["paris"].core.lines)
            await company.hub.start()
            await company["paris"].linked(after=seen)
            # No more: what the hub had stored and not answered for comes again, and is known.
            await spooled(company, "lyon", 400, 400)
            await company.hub.kill()
            await company["lyon"].start()
            recipients = [company.account(name, company["lyon"]) for name in lyon]
            await company.hub.start()
            async with online(recipients) as readers:
                for sender, reader in zip(senders, readers, strict=True):
                    await reader.hears("99")
                    assert reader.bodies == [str(number) for number in range(100)]
                    assert not sender.errors
            await spooled(company, "lyon", 0, 0)


async def spooled(company: Cluster, site: str, least: int, most: int = 1_000_000) -> None:
    """Wait until the hub's spool holds so many for a site."""
    found = -1
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not least <= found <= most:
                answer = await company.admin.ListSites(messages.ListSitesRequest(name=site), wait_for_ready=True)
                found = answer.sites[0].spooled_envelopes
    except TimeoutError:
        raise AssertionError(f"the spool for {site} holds {found} envelopes") from None


async def test_everything_killed_at_once(record_property: Note) -> None:
    async with cluster("paris", "lyon", paris=LISTENERS) as company:
        paris, lyon = await company.generate("paris", 10), await company.generate("lyon", 10)
        accounts = [company.account(name, company["paris"], "desk") for name in paris]
        accounts += [company.account(name, company["lyon"], "desk") for name in lyon]
        async with online(accounts) as people:
            traffic = Traffic(people[:10], people[10:])
            traffic.write(50)
            await traffic.arriving(traffic.sent // 3)
            async with asyncio.TaskGroup() as deaths:
                deaths.create_task(company.hub.kill())
                for site in company.sites.values():
                    deaths.create_task(site.kill())
            loop = asyncio.get_running_loop()
            begun = loop.time()
            async with asyncio.TaskGroup() as starts:
                starts.create_task(company.hub.start())
                for site in company.sites.values():
                    starts.create_task(site.start())
            await traffic.complete()
            record_property("messages", traffic.sent)
            record_property("seconds_from_start_to_all_delivered", round(loop.time() - begun, 3))
            assert all(connection.is_resumed for person in people for connection in person.connections[1:])


async def test_site_killed_while_others_write_to_it() -> None:
    async with cluster("paris", "lyon") as company:
        await company.add_people({"paris": ["anna"], "lyon": ["chloe"]})
        async with (
            Person(company.account("anna", company["paris"], "desk")) as anna,
            Person(company.account("chloe", company["lyon"], "home")) as chloe,
        ):
            traffic = Traffic([anna], [chloe])
            for _ in range(3):
                arrived = traffic.received
                traffic.write(100)
                await traffic.arriving(arrived + 50)
                await company["lyon"].kill()
                traffic.write(100)
                await company["lyon"].start()
                await traffic.complete()
