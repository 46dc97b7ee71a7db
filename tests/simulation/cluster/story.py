"""One run: people use their devices while things break; then everything is healed, and the laws are checked."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from tests.simulation.cluster.device import Device
from tests.simulation.cluster.records import Pair
from tests.simulation.cluster.world import DOMAIN, World, logging_to

TROUBLED_SECONDS = 40.0
HEALED_SECONDS = 70.0
"""Longer than sessions hibernate, links notice a death, and presence is remembered."""


def write(world: World, device: Device, random: Random) -> None:
    others = [account for account in world.accounts if account != device.account]
    if not others or not device.is_online:
        return
    to = random.choice(others)
    if random.random() < 0.1:
        to += "/" + random.choice(("phone", "desk"))
    for _ in range(random.choice((1, 1, 1, 2, 6))):
        device.write(to)


def show(world: World, device: Device, random: Random) -> None:
    priority = random.choice((0, 0, 5, -1)) if world.is_rich else 0
    device.show(is_available=random.random() < 0.8, priority=priority)


def connect(world: World, device: Device, random: Random) -> None:
    if not device.is_wanted:
        device.show(is_available=random.random() < 0.95)
        device.want(is_wanted=True)


def leave(world: World, device: Device, random: Random) -> None:
    device.want(is_wanted=False)


def lose(world: World, device: Device, random: Random) -> None:
    device.lose()


def ask(world: World, device: Device, random: Random) -> None:
    contact = random.choice(world.accounts)
    if contact == device.account or not device.is_online:
        return
    pair = world.pairs.setdefault((device.account, contact), Pair(device.account, contact))
    if not pair.is_asked:
        pair.is_asked = True
        device.subscription("subscribe", contact)


def end(world: World, device: Device, random: Random) -> None:
    """End a subscription, from either side."""
    asked = [
        pair for pair in world.pairs.values() if device.account in (pair.watcher, pair.contact) and not pair.is_ended
    ]
    if not asked or not device.is_online:
        return
    pair = random.choice(asked)
    pair.is_ended = True
    if pair.watcher == device.account:
        device.subscription("unsubscribe", pair.contact)
    else:
        device.subscription("unsubscribed", pair.watcher)


def remove(world: World, device: Device, random: Random) -> None:
    """Take somebody off the roster, which ends what there is between the two."""
    known = [pair for pair in world.pairs.values() if device.account in (pair.watcher, pair.contact)]
    if not known or not device.is_online:
        return
    pair = random.choice(known)
    contact = pair.contact if pair.watcher == device.account else pair.watcher
    for each in known:
        if contact in (each.watcher, each.contact):
            each.is_ended = True
    device.requests.remove(contact)


def ping(world: World, device: Device, random: Random) -> None:
    if device.is_online:
        other = random.choice(world.devices)
        device.requests.ping(random.choice((DOMAIN, other.account, other.jid)), other)


USE: dict[Callable[[World, Device, Random], None], int] = {
    write: 50,
    show: 8,
    connect: 14,
    leave: 3,
    lose: 5,
    ask: 8,
    end: 1,
    ping: 4,
}

RICH_USE = {**USE, remove: 2}


async def use(world: World, until: float) -> None:
    """People do things."""
    things = RICH_USE if world.is_rich else USE
    random = world.chance("people")
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        await asyncio.sleep(random.uniform(0, 0.25))
        (what,) = random.choices(list(things), list(things.values()))
        what(world, random.choice(world.devices), random)


async def _lapse(world: World, random: Random) -> None:
    site = random.choice(list(world.sites))
    world.partition(site)
    await asyncio.sleep(random.uniform(0.1, 12))
    world.heal(site)


async def _kill(world: World, random: Random) -> None:
    name = random.choice([*world.sites, *world.sites, "hub"])
    is_alive = world.hub.is_up if name == "hub" else world.sites[name].edge is not None
    if is_alive:
        await world.kill(name, random.uniform(0.1, 5))


async def _break_link(world: World, random: Random) -> None:
    site = random.choice(list(world.sites))
    world.fault(f"the link of {site} breaks", kind="link broken")
    world.break_call(site)


async def _fail(world: World, random: Random) -> None:
    name = random.choice([*world.sites, "hub"])
    world.fail(name, is_failing=True)
    await asyncio.sleep(random.uniform(0.05, 2))
    world.fail(name, is_failing=False)


async def _slow(world: World, random: Random) -> None:
    site = world.sites[random.choice(list(world.sites))]
    world.fault(f"the disk of {site.name} is slow", kind="slow disk")
    site.commit_seconds_max = site.read_seconds_max = random.uniform(0.1, 1)
    await asyncio.sleep(random.uniform(1, 5))
    site.commit_seconds_max = site.read_seconds_max = 0.01


async def _jump(world: World, random: Random) -> None:
    name = random.choice([*world.sites, "hub"])
    seconds = random.uniform(-30, 30)
    world.fault(f"the clock of {name} jumps by {seconds:.1f} s", kind="clock jumped")
    world.clock_of(name).jump(seconds)


Fault = Callable[[World, Random], Coroutine[Any, Any, None]]
FAULTS: dict[Fault, int] = {_lapse: 3, _kill: 5, _break_link: 5, _fail: 2, _slow: 2, _jump: 1}


async def disturb(world: World, until: float, faults: dict[Fault, int]) -> None:
    """Things break, several at a time."""
    random = world.chance("faults")
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        while loop.time() < until:
            await asyncio.sleep(random.expovariate(0.6))
            (fault,) = random.choices(list(faults), list(faults.values()))
            group.create_task(fault(world, random))


async def tell(
    seed: int,
    check: Callable[[World], Coroutine[Any, Any, None]],
    *,
    is_lasting: bool = False,
    is_rich: bool = False,
) -> World:
    """Run a seed, and check; see `World`."""
    world = World(seed, is_lasting=is_lasting, is_rich=is_rich)
    with logging_to(world.trace):
        async with world.running():
            await world.furnish()
            random = world.chance("which faults")
            faults = {fault: weight for fault, weight in FAULTS.items() if random.random() < 0.7}
            until = asyncio.get_running_loop().time() + TROUBLED_SECONDS
            async with asyncio.TaskGroup() as troubles:
                troubles.create_task(use(world, until))
                if faults:
                    troubles.create_task(disturb(world, until, faults))
            world.fault("everything is healed", kind="")
            for device in world.devices:
                device.show(is_available=True)
                device.want(is_wanted=True)
            await asyncio.sleep(HEALED_SECONDS)
            await check(world)
    return world
