"""A whole company in one event loop: a hub, sites, people with their devices, and a network; all from one seed."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from random import Random
from typing import Any

import structlog

from chassis.clock import MICROSECONDS
from edge_node.backplane.ports import Core
from tests.simulation.cluster.device import Device
from tests.simulation.cluster.hub import Hub
from tests.simulation.cluster.listener import Listener
from tests.simulation.cluster.network import Call
from tests.simulation.cluster.records import Message, Pair, Receipts
from tests.simulation.cluster.site import Site
from tests.simulation.cluster.trace import Trace

DOMAIN = "corp.example"
FIRST_DAY_US = 1_800_000_000 * MICROSECONDS
LINK_SECONDS_MAX = 0.08
START_SECONDS = 5.0
"""For every site to be linked, and to have heard of its people."""


class WallClock:
    """The clocks of one machine: its wall clock may jump."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ahead_us = 0

    def now_us(self) -> int:
        return FIRST_DAY_US + self._ahead_us + round(self._loop.time() * MICROSECONDS)

    def monotonic(self) -> float:
        return self._loop.time()

    def jump(self, seconds: float) -> None:
        self._ahead_us += round(seconds * MICROSECONDS)


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, *, is_lasting: bool, is_rich: bool) -> None:
        """Make it.

        Args:
            seed: of all chance.
            is_lasting: some sites have listeners that outlive their cores.
            is_rich: devices use carbons and negative priorities, and people remove contacts.
        """
        self.random = Random(seed)
        self.is_rich = is_rich
        self._is_lasting = is_lasting
        self._group = asyncio.TaskGroup()
        self._loop = asyncio.get_running_loop()
        self.trace = Trace(self._loop.time)
        self._loop.set_exception_handler(self._failed)
        self.complaints: list[str] = []
        """What a device found wrong at once."""
        self.messages: dict[str, Message] = {}
        self.sessions: list[Receipts] = []
        self.pairs: dict[tuple[str, str], Pair] = {}
        self.partitioned: set[str] = set()
        self.failing_since: dict[str, float] = {}
        self.failed: dict[str, list[tuple[float, float]]] = {}
        """By site: from when to when its store could not commit."""
        self._calls: dict[str, tuple[Call, Call]] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._listeners: dict[str, tuple[Listener, asyncio.Task[None]]] = {}
        """By site: the one that lives."""
        self._clocks: dict[str, WallClock] = {}
        self._randoms = 0
        self.hub = Hub(DOMAIN, self.clock_of("hub"), self.chance("hub"))
        self.sites: dict[str, Site] = {}
        self.homes: dict[str, str] = {}
        """Account to site."""
        self.devices: list[Device] = []

    def _failed(self, _loop: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        where = traceback.extract_tb(error.__traceback__)[-1] if isinstance(error, BaseException) else "?"
        self.trace.alarms.append(f"{context['message']}: {error!r} at {where}")

    @property
    def accounts(self) -> list[str]:
        """Bare JIDs."""
        return list(self.homes)

    def chance(self, name: str) -> Random:
        """A source of chance of its own, so that one part's draws are not another's."""
        self._randoms += 1
        return Random(f"{self.random.random()} {name} {self._randoms}")

    def clock_of(self, name: str) -> WallClock:
        """The clocks of a machine."""
        return self._clocks.setdefault(name, WallClock())

    def fault(self, what: str, kind: str) -> None:
        """Note a fault."""
        self.trace.note("fault", what, kind=kind)

    # -- the company

    async def furnish(self) -> None:
        """Make sites and people, and start everything."""
        random = self.random
        names = ["paris", "lyon", "nice"][: random.choice((2, 2, 3))]
        numbers = iter(range(100))
        homes = {name: [f"p{next(numbers)}" for _ in range(random.choice((1, 2, 2, 3)))] for name in names}
        await self.hub.furnish(homes)
        self.start_hub()
        for name, locals_ in homes.items():
            self.sites[name] = Site(
                name,
                DOMAIN,
                self.clock_of(name),
                self.chance(name),
                self.trace,
                has_listeners=self._is_lasting and random.random() < 0.8,
            )
            self.failed[name] = []
            self.homes |= {f"{local}@{DOMAIN}": name for local in locals_}
            self.start_site(name)
        for account in self.accounts:
            for resource in ("phone", "desk")[: random.choice((1, 1, 2))]:
                is_managed = random.random() < 0.8
                device = Device(self, account, resource, self.chance(f"{account}/{resource}"), is_managed=is_managed)
                device.has_carbons = self.is_rich and random.random() < 0.6
                self.devices.append(device)
        await asyncio.sleep(START_SECONDS)
        assert all(self._knows_its_people(site) for site in self.sites.values())

    def _knows_its_people(self, site: Site) -> bool:
        mine = [account for account, home in self.homes.items() if home == site.name]
        return site.edge is not None and len(site.edge.directory) == len(mine)

    # -- lives and deaths

    def start_hub(self) -> None:
        self._lives["hub"] = self._group.create_task(self.hub.live())
        self.trace.note("hub", "starts")

    def start_site(self, name: str) -> None:
        site = self.sites[name]
        if site.backplane is not None and name not in self._listeners:
            listener = site.backplane.listener()
            self._listeners[name] = (listener, self._group.create_task(listener.live()))
        self._lives[name] = self._group.create_task(
            site.live(lambda: self._dial(site), lambda: self.trace.note(name, "is up"))
        )

    async def kill(self, name: str, seconds: float) -> None:
        """Kill the process of the hub or of a site, with or without its listener, and start it again after a while."""
        is_core = name in self._listeners and self.random.random() < 0.7
        if is_core:
            self.fault(f"the core of {name} dies", kind="core died")
        else:
            self.fault(f"{name} dies", kind="hub died" if name == "hub" else "site died")
        life = self._lives[name]
        if name == "hub":
            self.hub.die()
            broken = list(self._calls)
        else:
            self.sites[name].die()
            broken = [name]
            if is_core:
                self._listeners[name][0].core_died()
                for device in self.devices:
                    if self.homes[device.account] == name:
                        device.absences.append(self._loop.time())
            else:
                await self._kill_listeners(name)
        for site in broken:
            self.break_call(site)
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life
        if name != "hub":
            self.sites[name].buried()
        await asyncio.sleep(seconds)
        self.fault(f"{name} starts again", kind="")
        if name == "hub":
            self.start_hub()
        else:
            self.start_site(name)

    async def _kill_listeners(self, name: str) -> None:
        """Those who hold the sockets of a site are dead: the core itself, or its listener process."""
        for device in self.devices:
            if self.homes[device.account] != name:
                continue
            if device.leaving is not None:
                device.leaving.die()
            if device.socket is not None:
                device.socket.die()
                self._loop.call_later(self.random.uniform(0, 1), device.noticed, device.socket)
        if name in self._listeners:
            _, life = self._listeners.pop(name)
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What is started lives as long as this context."""
        async with self._group:
            try:
                yield
            finally:
                self.trace.is_over = True
                self.hub.die()
                for life in (*self._lives.values(), *(life for _, life in self._listeners.values())):
                    life.cancel()

    # -- the network

    async def _dial(self, site: Site) -> Call:
        await asyncio.sleep(self.random.uniform(0.001, LINK_SECONDS_MAX))
        if not self.hub.is_up or site.name in self.partitioned:
            raise ConnectionError("nobody answers")
        near, far = Call.pair(self.chance(f"link of {site.name}"), LINK_SECONDS_MAX)
        self._calls[site.name] = (near, far)
        self.hub.accept(site.name, far)
        return near

    def break_call(self, site: str) -> None:
        """Lose the connection of a site to the hub; each end notices soon, or only by its deadline."""
        ends = self._calls.pop(site, None)
        if ends is None:
            return
        ends[0].cut()
        for end in ends:
            if self.random.random() < 0.7:
                self._loop.call_later(self.random.uniform(0, 0.5), end.notice)

    def partition(self, site: str) -> None:
        self.fault(f"{site} is cut off", kind="partition")
        self.partitioned.add(site)
        self.break_call(site)

    def heal(self, site: str) -> None:
        self.fault(f"{site} can be reached again", kind="")
        self.partitioned.discard(site)

    def reach(self, device: Device) -> Core | None:
        home = self.homes[device.account]
        edge = self.sites[home].edge
        if home in self._listeners:
            return self._listeners[home][0]
        return None if edge is None else edge.core

    # -- stores

    def fail(self, name: str, *, is_failing: bool) -> None:
        """Let the store of the hub or of a site fail, or no longer."""
        self.fault(
            f"the store of {name} {'fails' if is_failing else 'works again'}", kind="store failed" if is_failing else ""
        )
        if name == "hub":
            self.hub.is_failing = is_failing
            return
        self.sites[name].store.custody.is_failing = is_failing
        if is_failing:
            self.failing_since.setdefault(name, self._loop.time())
        elif name in self.failing_since:
            self.failed[name].append((self.failing_since.pop(name), self._loop.time()))


@contextmanager
def logging_to(trace: Trace) -> Iterator[None]:
    """Make the product's log a part of the trace."""
    before = structlog.get_config()
    structlog.configure(processors=[trace.log], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
