"""An edge node of the simulation: the composed core over the memory store, linked by the product's own link client."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from cascade.inbox import Inbox
from cascade.link import FailureReason, LinkFailure, LinkSettings
from cascade.outbox import Outbox
from cascade.site_link import SiteLink
from cascade.transport.client import ClientSettings, LinkClient
from cascade.transport.ports import LinkHandler, OutboxStore
from chassis.clock import Clock, IdSource
from edge_node.adapters.memory import MemoryStore, open_store
from edge_node.adapters.store import Outbox as StoredOutbox
from edge_node.adapters.store import Store
from edge_node.composition import EdgeCore, Surroundings
from edge_node.settings import EdgeSettings
from edge_node.tasks import BoundedTasks
from tests.simulation.cluster.hub import NO_CERTIFICATES
from tests.simulation.cluster.listener import Backplane
from tests.simulation.cluster.network import Call
from tests.simulation.cluster.trace import Trace

LINK_SETTINGS = LinkSettings(
    window_envelopes=8, frame_envelopes_max=4, interest_accounts_per_frame=2, heartbeat_seconds=2.0, dead_seconds=6.0
)
OUTBOX_IN_MEMORY = 16
RESUME_SECONDS = 15
READS = frozenset(
    {
        "waiting",
        "delivered_to",
        "unfulfilled",
        "sessions_numbers",
        "last_id",
        "load",
        "load_all",
        "page",
        "read",
        "watermarks",
    }
)

Dial = Callable[[], Awaitable[Call]]


class SlowReads:
    """A part of the store whose reads take a while: what they see may be from before or from after it."""

    def __init__(self, part: object, pause: Callable[[], Awaitable[None]]) -> None:
        self._part = part
        self._pause = pause

    def __getattr__(self, name: str) -> object:
        attribute: Any = getattr(self._part, name)
        if name not in READS:
            return attribute

        async def read(*arguments: object) -> object:
            await self._pause()
            answer: object = await attribute(*arguments)
            await self._pause()
            return answer

        return read


class SlowStore:
    """The store as a core sees it that has to wait for answers."""

    def __init__(self, store: MemoryStore, pause: Callable[[], Awaitable[None]]) -> None:
        self.custody = store.custody
        self.counters = store.counters
        self.sweep = store.sweep
        self.close = store.close
        self.archive: Any = SlowReads(store.archive, pause)
        self.deliveries: Any = SlowReads(store.deliveries, pause)
        self.sessions: Any = SlowReads(store.sessions, pause)
        self.departures: Any = SlowReads(store.departures, pause)
        self.rosters: Any = SlowReads(store.rosters, pause)
        self.accounts: Any = SlowReads(store.accounts, pause)
        self.outbox: Any = SlowReads(store.outbox, pause)
        self.inbox: Any = SlowReads(store.inbox, pause)


class SimulatedLinkClient(LinkClient):
    """The link client, dialling through the simulated network."""

    def __init__(
        self,
        dial: Dial,
        link: SiteLink,
        handler: LinkHandler,
        store: OutboxStore,
        settings: ClientSettings,
        random: Random,
    ) -> None:
        super().__init__(link, handler, store, settings, random)
        self._dial = dial

    async def _connect(self) -> LinkFailure:
        try:
            call = await self._dial()
        except ConnectionError as error:
            return LinkFailure(FailureReason.LOST, str(error))
        try:
            return await self._converse(call)
        finally:
            call.end()

    def _end_if_rotated(self) -> None:
        """There are no certificates."""


class OutboxRows:
    """The outbox as the link client wants it (`edge_node.app.Trimmed`)."""

    def __init__(self, outbox: StoredOutbox) -> None:
        self._outbox = outbox

    async def read(self, after_sequence: int, limit: int, /) -> list[tuple[int, bytes]]:
        return list(await self._outbox.read(after_sequence, limit))

    async def trim(self, up_to_sequence: int, /) -> None:
        self._outbox.trim(up_to_sequence)


class Reports:
    """What the core reports as failed (`edge_node.pipeline.messages.Journal`)."""

    def __init__(self, site: str, trace: Trace) -> None:
        self._site = site
        self._trace = trace

    def failed(self, stage: str, error: Exception) -> None:
        self._trace.note(self._site, f"failed: {stage}: {error!r}", kind=f"failed:{stage}")
        if type(error).__name__ not in ("StoreUnavailable", "StanzaError"):
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._trace.alarms.append(f"{stage}: {error!r} at {where.filename}:{where.lineno}")


class Site:
    """A site with its lives."""

    def __init__(
        self, name: str, domain: str, clock: Clock, random: Random, trace: Trace, *, has_listeners: bool
    ) -> None:
        self.name = name
        self.clock = clock
        self.trace = trace
        self._random = random
        self.store = open_store(clock.now_us())
        self.commit_seconds_max = 0.01
        self.read_seconds_max = 0.01
        self.store.custody.commit_seconds = self._commit_seconds
        self.settings = EdgeSettings.model_validate(
            {
                "domain": domain,
                "site": name,
                "listeners": {"processes": int(has_listeners)},
                "sessions": {
                    "resume_seconds": RESUME_SECONDS,
                    "request_after": 3,
                    "unacknowledged_max": 40,
                    "presence_grace_seconds": 4,
                },
                "requests": {"seconds": 5},
                "uplink": {"hub": "hub", "authority": "none", "certificate": "none", "key": "none"},
            }
        )
        self.backplane = Backplane(name, Random(random.random())) if has_listeners else None
        self.edge: EdgeCore | None = None
        self.link: LinkClient | None = None
        self.tasks: BoundedTasks | None = None
        self.site_link: SiteLink | None = None

    async def live(self, dial: Dial, is_up: Callable[[], None]) -> None:
        """One life; cancelling it is the death of the process."""
        store: Any = SlowStore(self.store, self._pause)
        async with asyncio.TaskGroup() as group:
            ids = IdSource(self.clock, await store.deliveries.last_id())
            self.tasks = BoundedTasks(group, self.settings.tasks_max)
            journal = Reports(self.name, self.trace)
            edge = EdgeCore(Surroundings(self.settings, store, self.clock, ids.next_id, self.tasks, journal))
            await edge.start()
            group.create_task(edge.housekeeping.run())
            self.link = await self._link(edge, store, dial)
            edge.connect(self.link)
            group.create_task(self.link.run())
            self.edge = edge
            if self.backplane is not None:
                self.backplane.open(edge.core)
            is_up()
            await asyncio.Event().wait()

    async def _link(self, edge: EdgeCore, store: Store, dial: Dial) -> LinkClient:
        outbox = Outbox(
            epoch=store.outbox.epoch,
            last_sequence=store.outbox.last_sequence,
            envelopes_max=OUTBOX_IN_MEMORY,
            bytes_max=1 << 20,
            read_limit=5,
        )
        inbox = Inbox(await store.inbox.watermarks())
        self.site_link = SiteLink(self.name, outbox, inbox, edge.directory.version, LINK_SETTINGS)
        settings = ClientSettings(target="", certificates=NO_CERTIFICATES, store_retry_seconds=0.2)
        return SimulatedLinkClient(
            dial, self.site_link, edge.arrivals, OutboxRows(store.outbox), settings, Random(self._random.random())
        )

    def _commit_seconds(self) -> float:
        return self._random.uniform(0, self.commit_seconds_max)

    async def _pause(self) -> None:
        await asyncio.sleep(self._random.uniform(0, self.read_seconds_max))

    def die(self) -> None:
        """Nothing of this life reaches the store from now on; its task has to be cancelled, and then `buried`."""
        self.edge = None
        if self.backplane is not None:
            self.backplane.core_died()
        self.store.crash(is_committed=self._random.random() < 0.5)
        self.store.hold()

    def buried(self) -> None:
        """The task has ended: forget what it did while dying."""
        self.store.crash()
