"""SIGHUP: a process begins anew in place, for an upgrade or for new settings; what outlives it keeps its sockets."""

import asyncio
import os
from collections.abc import Callable
from importlib.metadata import version

import pytest

from tests.support.cluster import cluster
from tests.support.persons import online
from tests.support.traffic import Traffic

PAIRS = 5
"""Inside Paris, and as many between Paris and Lyon."""
MESSAGES = 20
RESTARTS = 3

Note = Callable[[str, object], None]


@pytest.mark.parametrize("processes", [0, 2])
async def test_core_restarted_in_traffic(processes: int, record_property: Note) -> None:
    """With listener processes no client notices; without them all are told, and resume."""
    listeners = {"listeners": {"processes": processes}}
    async with cluster("paris", "lyon", paris=listeners) as company:
        paris, lyon = await company.generate("paris", 3 * PAIRS), await company.generate("lyon", PAIRS)
        accounts = [company.account(name, company["paris"], "desk") for name in paris]
        accounts += [company.account(name, company["lyon"], "desk") for name in lyon]
        async with online(accounts) as people:
            traffic = Traffic(people[: 2 * PAIRS], people[2 * PAIRS :])
            loop = asyncio.get_running_loop()
            longest = 0.0
            process = company["paris"].core.pid
            for _ in range(RESTARTS):
                arrived = traffic.received
                traffic.write(MESSAGES)
                await traffic.arriving(arrived + len(traffic.pairs) * MESSAGES)
                started = loop.time()
                await company["paris"].restart_core()
                traffic.write(MESSAGES)
                await traffic.complete()
                longest = max(longest, loop.time() - started)
            record_property("messages", traffic.sent)
            record_property("longest_restart_seconds", round(longest, 3))
            assert company["paris"].core.pid == process
            in_paris = people[: 3 * PAIRS]
            if processes:
                assert not any(person.disconnections for person in in_paris)  # no socket has dropped
                assert len(company["paris"].listeners) == processes
            else:
                assert [len(person.disconnections) for person in in_paris] == [RESTARTS] * len(in_paris)


async def test_fewer_listener_processes_after_a_restart() -> None:
    """Settings are read anew; a listener process that is one too many ends, and so do all at the end."""
    async with cluster("paris", paris={"listeners": {"processes": 2}}) as company:
        (name,) = await company.generate("paris", 1)
        site = company["paris"]
        site.write_settings(listeners={"processes": 1})
        await site.restart_core()
        await site.core.logged("listener_refused", listener=1)
        await site.core.logged("listener_stopped", index=1)
        async with online([company.account(name, site)]):
            pass
        seen = len(site.core.lines)
        assert await site.core.terminate() == os.EX_OK
        await site.core.logged("listener_draining", after=seen, index=0)


async def test_listener_processes_are_not_done_without_while_they_run() -> None:
    async with cluster("paris", paris={"listeners": {"processes": 1}}) as company:
        (name,) = await company.generate("paris", 1)
        site = company["paris"]
        async with online([company.account(name, site)]) as (anna,):
            site.write_settings(listeners={"processes": 0})
            site.core.hang_up()
            refused = await site.core.logged("restart_refused")
            assert "end the edge with SIGTERM" in refused["reason"]
            assert not anna.disconnections


async def test_wrong_settings_change_nothing() -> None:
    async with cluster("paris") as company:
        (name,) = await company.generate("paris", 1)
        site = company["paris"]
        async with online([company.account(name, site)]) as (anna,):
            site.write_settings(listeners={"Processes": 1})
            site.core.hang_up()
            refused = await site.core.logged("restart_refused")
            assert "listeners.Processes" in refused["reason"]
            anna.say(anna.jid.bare_jid, "still here")
            await anna.taken()
            assert not anna.disconnections


async def test_hub_restarted_in_traffic() -> None:
    async with cluster("paris", "lyon") as company:
        paris, lyon = await company.generate("paris", PAIRS), await company.generate("lyon", PAIRS)
        accounts = [company.account(name, company["paris"]) for name in paris]
        accounts += [company.account(name, company["lyon"]) for name in lyon]
        async with online(accounts) as people:
            traffic = Traffic(people[:PAIRS], people[PAIRS:])
            traffic.write(MESSAGES)
            await traffic.arriving(traffic.sent // 2)
            installed = version("chappe")
            assert (await company.hub.restart())["version"] == installed
            await company["paris"].core.logged("link_up", hub=f"chappe-hub/{installed}")
            traffic.write(MESSAGES)
            await traffic.complete()
            assert not any(person.disconnections for person in people)
