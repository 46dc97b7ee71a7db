"""The hub dies, and the wires to it are cut: nobody notices inside a branch, and nothing is lost between them."""

import asyncio
import os
from collections.abc import Callable

import pytest

from tests.support.cluster import Cluster, cluster
from tests.support.persons import online
from tests.support.traffic import Probe, Traffic

OUTAGE_SECONDS = float(os.environ.get("CHAPPE_OUTAGE_SECONDS", "4"))
"""How long the hub is away; `make soak` makes it a minute."""

CLIENTS = 10
"""At each site."""
MESSAGES = 50
"""Of each client: 1,000 in all."""
RETURN_SECONDS_MAX = 5.0
"""From the hub's return to the first message that crosses it."""
PROBE_SECONDS_MAX = 2.0
"""For a message inside a branch, on a machine that is busy with all of this."""

Note = Callable[[str, object], None]


async def test_hub_killed_under_load(record_property: Note) -> None:
    async with cluster("paris", "lyon") as company:
        paris, lyon = await company.generate("paris", CLIENTS + 2), await company.generate("lyon", CLIENTS)
        accounts = [company.account(name, company["paris"]) for name in paris]
        accounts += [company.account(name, company["lyon"]) for name in lyon]
        async with online(accounts) as people:
            probe = Probe(*people[CLIENTS : CLIENTS + 2])
            traffic = Traffic(people[:CLIENTS], people[CLIENTS + 2 :])
            async with probe.running():
                first_seconds = await _outage(company, traffic)
            assert not any(person.disconnections for person in people)
            longest = await probe.longest()
            record_property("first_after_return_seconds", round(first_seconds, 3))
            record_property("longest_probe_seconds", round(longest, 3))
            assert first_seconds < RETURN_SECONDS_MAX
            assert longest < PROBE_SECONDS_MAX


async def _outage(company: Cluster, traffic: Traffic) -> float:
    """Traffic before, during and after; seconds from the hub's return to the first message over it."""
    loop = asyncio.get_running_loop()
    before, after = MESSAGES // 10, MESSAGES // 10
    traffic.write(before)
    await traffic.arriving(traffic.sent // 2)
    await company.hub.kill()
    arrived = traffic.received
    await traffic.spread(MESSAGES - before - after, OUTAGE_SECONDS)
    assert traffic.received - arrived <= 2 * before * len(traffic.pairs)  # what had crossed before, no more
    arrived = traffic.received
    await company.hub.start()
    returned = loop.time()
    await traffic.arriving(arrived + 1)
    first_seconds = loop.time() - returned
    traffic.write(after)
    await traffic.complete()
    return first_seconds


@pytest.mark.parametrize("kind", ["cut", "freeze"])
async def test_wire_of_one_site(kind: str) -> None:
    """Cut: both ends hear of it.  Frozen: both ends find out by themselves."""
    hub, uplink = {"dead_seconds": 1.0}, {"heartbeat_seconds": 0.2, "dead_seconds": 1.0}
    async with cluster("paris", "lyon", hub={"links": hub}, sites={"uplink": uplink}) as company:
        paris, lyon = await company.generate("paris", 5), await company.generate("lyon", 5)
        accounts = [company.account(name, company["paris"]) for name in paris]
        accounts += [company.account(name, company["lyon"]) for name in lyon]
        async with online(accounts) as people:
            traffic = Traffic(people[:5], people[5:])
            traffic.write(20)
            await traffic.arriving(20)
            seen = len(company["lyon"].core.lines)
            getattr(company["lyon"].wire, kind)()
            traffic.write(20)
            await company["lyon"].core.logged("link_down", after=seen)
            traffic.write(20)
            seen = len(company["lyon"].core.lines)
            company["lyon"].wire.heal()
            await company["lyon"].linked(after=seen)
            await traffic.complete()
            assert not any(person.disconnections for person in people)
