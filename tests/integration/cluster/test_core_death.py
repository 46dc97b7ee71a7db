"""An edge's core is killed in traffic: with and without listener processes, what it had acknowledged comes once."""

import asyncio
from collections.abc import Callable

import pytest

from tests.support.cluster import cluster
from tests.support.persons import online
from tests.support.traffic import Traffic

PAIRS = 5
"""Inside Paris, and as many between Paris and Lyon."""
MESSAGES = 20
"""Of each of a pair, before each death and after it."""
DEATHS = 3

Note = Callable[[str, object], None]


@pytest.mark.parametrize("processes", [0, 2])
async def test_core_killed_in_traffic(processes: int, record_property: Note) -> None:
    listeners = {"listeners": {"processes": processes, "adoption_seconds": 0.3}}
    async with cluster("paris", "lyon", paris=listeners) as company:
        paris, lyon = await company.generate("paris", 3 * PAIRS), await company.generate("lyon", PAIRS)
        accounts = [company.account(name, company["paris"], "desk") for name in paris]
        accounts += [company.account(name, company["lyon"], "desk") for name in lyon]
        async with online(accounts) as people:
            traffic = Traffic(people[: 2 * PAIRS], people[2 * PAIRS :])
            loop = asyncio.get_running_loop()
            longest = 0.0
            for _ in range(DEATHS):
                arrived = traffic.received
                traffic.write(MESSAGES)
                await traffic.arriving(arrived + len(traffic.pairs) * MESSAGES)
                await company["paris"].kill_core()
                traffic.write(MESSAGES)
                await company["paris"].start()
                started = loop.time()
                await traffic.complete()
                longest = max(longest, loop.time() - started)
            record_property("messages", traffic.sent)
            record_property("longest_recovery_seconds", round(longest, 3))
            in_paris = people[: 3 * PAIRS]
            if processes:
                assert not any(person.disconnections for person in in_paris)  # no socket has dropped
            else:
                assert [len(person.disconnections) for person in in_paris] == [DEATHS] * len(in_paris)
                assert all(connection.is_resumed for person in in_paris for connection in person.connections[1:])
