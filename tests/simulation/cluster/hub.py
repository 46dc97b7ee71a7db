"""The hub of the simulation: composed as `central_hub.app` does it, over stores that survive its death."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from prometheus_client import CollectorRegistry

from cascade.codec import decode_envelope, encode_envelope
from cascade.custody import Custody
from cascade.envelope import Envelope
from cascade.spool import Extent, MemorySpoolStore, Spooled
from cascade.transport.server import LinkServer, ServerSettings
from cascade.transport.tls import CertificateFiles
from central_hub.adapters.memory.directory import MemoryDirectory
from central_hub.directory.changes import AccountEdit
from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.directory.sites import Site
from central_hub.links.dispatcher import Dispatcher
from central_hub.links.exchange import Exchange, HubName
from central_hub.links.metrics import ExchangeMetrics
from central_hub.links.replication import Replication
from central_hub.links.settings import LinksSettings
from central_hub.spool.measured import MeasuredSpool
from central_hub.spool.settings import SpoolSettings
from central_hub.storage import StoreUnavailable
from chassis.clock import Clock
from tests.simulation.cluster.network import Call
from xmpp.sasl import ScramVerifier

NOWHERE = Path("/nonexistent")
NO_CERTIFICATES = CertificateFiles(NOWHERE, NOWHERE, NOWHERE)
VERIFIERS = (ScramVerifier("SHA-256", b"salt", 4096, b"stored", b"server"),)
FORWARDED_MAX = 12
SETTINGS = LinksSettings(
    certificate=NOWHERE,
    key=NOWHERE,
    authority=NOWHERE,
    window_envelopes=10,
    forward_envelopes_max=FORWARDED_MAX,
    dead_seconds=6.0,
    presence_grace_seconds=4.0,
    accounts_per_part=2,
    store_retry_seconds=0.2,
)


class SlowSpool:
    """A `SpoolStore` for one life of the hub: answers after a while, fails at times, and dies with the hub."""

    def __init__(self, store: MemorySpoolStore, random: Random, is_failing: Callable[[], bool]) -> None:
        self._store = store
        self._random = random
        self._is_failing = is_failing
        self._loop = asyncio.get_running_loop()
        self._last = 0.0
        self.is_dead = False

    def extents(self) -> Mapping[str, Extent]:
        return self._store.extents()

    def append(
        self, destination: str, envelopes: Sequence[Envelope], done: Callable[[Sequence[int] | Exception], None]
    ) -> None:
        copies = [decode_envelope(encode_envelope(envelope)) for envelope in envelopes]

        def commit() -> None:
            if self._is_failing():
                self._soon(lambda: done(StoreUnavailable("the disk is full")))
            else:
                self._store.append(destination, copies, lambda answer: self._soon(lambda: done(answer)))

        self._soon(commit)

    def read(
        self, destination: str, after_position: int, limit: int, done: Callable[[Sequence[Spooled] | Exception], None]
    ) -> None:
        def answer(found: Sequence[Spooled] | Exception) -> None:
            assert not isinstance(found, Exception)
            copies = [Spooled(each.position, decode_envelope(encode_envelope(each.envelope))) for each in found]
            self._soon(lambda: done(copies))

        self._soon(lambda: self._store.read(destination, after_position, limit, answer))

    def trim(self, destination: str, up_to_position: int) -> None:
        self._soon(lambda: self._store.trim(destination, up_to_position))

    def _soon(self, action: Callable[[], None]) -> None:
        self._last = max(self._last + 1e-6, self._loop.time() + self._random.uniform(0, 0.02))
        self._loop.call_at(self._last, lambda: None if self.is_dead else action())


class LinkPort(LinkServer):
    """Takes links without gRPC."""

    async def accept(self, site: str, call: Call) -> None:
        """Serve one call to its end."""
        failure = await self._serve(site, "simulated", call)  # type: ignore[arg-type]  # reads and writes as a context does
        call.end(f"{failure.reason.value}: {failure.text}")


class Hub:
    """The hub with its lives."""

    def __init__(self, domain: str, clock: Clock, random: Random) -> None:
        self._domain = domain
        self._clock = clock
        self._random = random
        self.directory_store = MemoryDirectory()
        self.spool_store = MemorySpoolStore()
        self.is_failing = False
        self._port: LinkPort | None = None
        self._group: asyncio.TaskGroup | None = None
        self._spool: SlowSpool | None = None
        self.exchange: Exchange | None = None
        self.custody: Custody | None = None

    @property
    def is_up(self) -> bool:
        return self._port is not None

    async def furnish(self, homes: Mapping[str, Sequence[str]]) -> None:
        """Enter sites and the people who live there."""
        for name, locals_ in homes.items():
            await self.directory_store.put_site(Site(name, f"{name}.{self._domain}", 5222, self._clock.now_us()))
            edits = [AccountEdit(local=local, site=name, verifiers=VERIFIERS) for local in locals_]
            await self.directory_store.edit_accounts(edits)

    async def live(self) -> None:
        """One life; cancelling it is the death of the process."""
        self._spool = slow = SlowSpool(self.spool_store, self._random, lambda: self.is_failing)
        directory = Directory(self.directory_store, edits_per_commit=100)
        await directory.load(self._clock.now_us())
        spool = MeasuredSpool(slow, {}, SpoolSettings(), self._clock)
        metrics = ExchangeMetrics(CollectorRegistry())
        self.custody = Custody(spool.extents(), envelopes_max=SETTINGS.forward_envelopes_max, refusals_max=100)
        dispatcher = Dispatcher(self.custody, spool, metrics, retry_seconds=SETTINGS.store_retry_seconds)
        async with asyncio.TaskGroup() as group:
            replication = Replication(group, directory, self.directory_store, Replicas(), SETTINGS)
            self.exchange = Exchange(
                HubName(self._domain, "simulated"),
                SETTINGS,
                self._clock,
                directory,
                dispatcher=dispatcher,
                replication=replication,
                metrics=metrics,
            )
            self.exchange.start()
            self._group = group
            self._port = LinkPort(
                self.exchange, ServerSettings(address="", certificates=NO_CERTIFICATES, link=SETTINGS.cascade())
            )
            await asyncio.Event().wait()

    def die(self) -> None:
        """Nothing of this life has any effect from now on; its task has to be cancelled."""
        self._port = None
        if self._spool is not None:
            self._spool.is_dead = True
        if self.exchange is not None:
            self.exchange.stop()

    def accept(self, site: str, call: Call) -> None:
        """A verified peer has called."""
        assert self._port is not None
        assert self._group is not None
        self._group.create_task(self._port.accept(site, call))
