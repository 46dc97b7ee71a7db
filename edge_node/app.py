"""The composition root of an edge node's core process: stores, link, listeners and clocks get their names here."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from random import SystemRandom

import structlog

from cascade.inbox import Inbox
from cascade.link import LinkSettings
from cascade.outbox import Outbox
from cascade.site_link import SiteLink
from cascade.transport.client import ClientSettings, LinkClient
from cascade.transport.tls import CertificateFiles, channel_credentials
from chassis.clock import Clock, IdSource, SystemClock
from chassis.errors import OperatorError
from chassis.expiry import CertificateExpiry
from chassis.http import OperationsServer
from chassis.lifecycle import Drain
from chassis.lifecycle import run as run_process
from chassis.lock import ProcessLock, is_held
from chassis.logging import configure_logging
from chassis.metrics import CollectorPauses, LoopLag, new_registry
from chassis.resources import raise_file_limit, settle_collector
from chassis.restart import restart_of_a_service
from chassis.settings import load
from edge_node.adapters.sqlite import begin_epoch, open_store
from edge_node.adapters.store import Store
from edge_node.backplane.policy import StreamPolicy
from edge_node.composition import EdgeCore, Surroundings
from edge_node.journal import LoggedJournal
from edge_node.listeners.process import load_tls, lock_path
from edge_node.listeners.settings import PROCESSES_MAX
from edge_node.listening import ClientPorts, Listening, listening_elsewhere, listening_here
from edge_node.metrics import EdgeGauges
from edge_node.settings import EdgeSettings, UplinkSettings
from edge_node.tasks import BoundedTasks
from edge_node.uplink.envelopes import renewed

log = structlog.get_logger()

STORE_FILE = "edge.sqlite"
LOCK_FILE = "edge.lock"
SECRET_FILE = "salts.key"  # noqa: S105 - the file's name
SECRET_BYTES = 32
SOFTWARE = "chappe-edge"
FAKE_ITERATIONS = 10_000
"""Shown for accounts that do not exist while there are none that do; the hub's default."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the edge listens."""

    operations: int
    clients: ClientPorts


def run(config: Path, *, only_checks: bool = False) -> int:
    """Run the edge's core to its end, or only see whether its settings are right; return the exit code."""
    try:
        settings = load(EdgeSettings, config, os.environ)
        check_clients_get_in(settings)
        if only_checks:
            check(settings)
            os.write(1, f"{config}: the settings are right\n".encode())
            return os.EX_OK
    except OperatorError as error:
        os.write(2, f"{error}\n".encode())
        return os.EX_CONFIG
    configure_logging(settings.logging)
    raise_file_limit()

    async def main(drain: Drain) -> None:
        async with serving(settings, SystemClock(), drain, config) as ports:
            named = {"version": version("chappe"), "site": settings.site, "domain": settings.domain}
            log.info("edge_started", **named, **vars_of(ports))
            settle_collector()
            await drain.wait()
            log.info("edge_draining", reason=drain.reason)
        log.info("edge_restarting" if drain.is_restart else "edge_stopped")

    return run_process(main, settings.drain_seconds, restart_of_a_service())


def check_clients_get_in(settings: EdgeSettings) -> None:
    """See whether somebody could ever log in.  Raises OperatorError."""
    listeners = settings.listeners
    if listeners.tls is None and listeners.require_tls and listeners.tcp.port is not None:
        raise OperatorError(
            "listeners.tls: is required: without a certificate nobody can log in at listeners.tcp.port, "
            'unless listeners.require_tls is false; allowed: a table, or listeners.tcp.port = "none"'
        )


def check(settings: EdgeSettings) -> None:
    """See whether the files are there that the settings name, and whether a core that starts now could go on.

    Raises:
        OperatorError: not so.
    """
    load_tls(settings.listeners)
    survivors = [index for index in range(PROCESSES_MAX) if is_held(lock_path(settings.backplane, index))]
    if survivors and not settings.listeners.processes:
        raise OperatorError("listeners.processes: there are some, and they hold the ports; end the edge with SIGTERM")
    if settings.uplink is not None:
        try:
            channel_credentials(certificates_of(settings.uplink))
        except OSError as error:
            raise OperatorError(f"uplink: {error}") from error


def certificates_of(uplink: UplinkSettings) -> CertificateFiles:
    """What the link to the hub is encrypted with."""
    return CertificateFiles(uplink.authority, uplink.certificate, uplink.key)


def new_epoch(config: Path, *, keeps_outbox: bool) -> str:
    """Have a store that was restored from a copy begin a new epoch; return what was done, in a sentence.

    Raises:
        OperatorError: the settings are wrong, the edge is running, or there is no store.
    """
    settings = load(EdgeSettings, config, os.environ)
    path = settings.data / STORE_FILE
    if not path.exists():
        raise OperatorError(f"{path}: there is no store; an edge that starts without one needs no new epoch")
    with ProcessLock(settings.data / LOCK_FILE):
        renew = renewed if keeps_outbox else None
        renewal = begin_epoch(path, settings.store, SystemClock().now_us(), renew)
    fate = "will be sent (again)" if keeps_outbox else "are dropped"
    return f"epoch {renewal.epoch}; {renewal.envelopes} envelopes of the outbox {fate}"


def vars_of(ports: Ports) -> dict[str, int]:
    """The ports that are open in this process, for the log."""
    clients = ports.clients
    named = {"starttls": clients.starttls, "tls": clients.direct_tls, "http": clients.http}
    return {"operations": ports.operations} | {name: port for name, port in named.items() if port is not None}


@asynccontextmanager
async def serving(settings: EdgeSettings, clock: Clock, drain: Drain, config: Path) -> AsyncIterator[Ports]:
    """Serve as long as the context is open; leaving it drains.

    Args:
        settings: of this edge.
        clock: wall and monotonic.
        drain: asked for when the process is to end.
        config: the settings file, for listener processes.

    Raises:
        OperatorError: what an operator can put right: a taken port or folder, a certificate, a newer store.
    """
    async with AsyncExitStack() as stack:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        stack.enter_context(ProcessLock(settings.data / LOCK_FILE))
        registry = new_registry()
        stack.enter_context(CollectorPauses(registry))
        stack.enter_context(LoopLag(registry))
        store = await open_store(settings.data / STORE_FILE, settings.store, clock.now_us())
        stack.push_async_callback(store.close)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        ids = IdSource(clock, await store.deliveries.last_id())
        tasks = BoundedTasks(group, settings.tasks_max)
        edge = EdgeCore(Surroundings(settings, store, clock, ids.next_id, tasks, LoggedJournal(registry)))
        await edge.start()
        if settings.uplink is not None:
            link = await connect(settings, settings.uplink, edge, store)
            stack.callback(group.create_task(link.run()).cancel)
        stack.callback(group.create_task(edge.housekeeping.run()).cancel)
        registry.register(EdgeGauges(edge, store, tasks, clock))
        registry.register(CertificateExpiry(certificates(settings)))
        readiness = EdgeReadiness(drain)
        operations = OperationsServer(settings.operations, registry, readiness)
        operations_port = await operations.start()
        stack.push_async_callback(operations.stop)
        policy = stream_policy(settings, edge)
        if settings.listeners.processes:
            context = listening_elsewhere(settings, edge.core, policy, registry, config, drain)
        else:
            context = listening_here(settings, edge.core, policy, registry)
        readiness.listening = await stack.enter_async_context(context)
        stack.callback(edge.core.drain)
        yield Ports(operations_port, readiness.listening.ports)


class EdgeReadiness:
    """Implements `chassis.http.Readiness`.  The hub is not asked for: a site is ready without it."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self.listening: Listening | None = None
        """Set once clients are let in."""

    def __call__(self) -> list[tuple[str, bool]]:
        """What it takes to serve, and whether it is there."""
        are_listening = self.listening is not None and self.listening.is_complete()
        return [("not_draining", not self._drain.is_requested), ("listeners", are_listening)]


def certificates(settings: EdgeSettings) -> dict[str, Path]:
    """The certificates that this edge shows, by what they are for."""
    found = {}
    if settings.listeners.tls is not None:
        found["clients"] = settings.listeners.tls.certificate
    if settings.uplink is not None:
        found["uplink"] = settings.uplink.certificate
    return found


async def connect(settings: EdgeSettings, uplink: UplinkSettings, edge: EdgeCore, store: Store) -> LinkClient:
    """Make the link to the hub; it is dialled when it runs."""
    outbox = Outbox(
        epoch=store.outbox.epoch,
        last_sequence=store.outbox.last_sequence,
        envelopes_max=uplink.outbox_envelopes_in_memory_max,
        bytes_max=uplink.outbox_bytes_in_memory_max,
    )
    site_link = SiteLink(
        settings.site,
        outbox,
        Inbox(await store.inbox.watermarks()),
        edge.directory.version,
        LinkSettings(heartbeat_seconds=uplink.heartbeat_seconds, dead_seconds=uplink.dead_seconds),
        f"{SOFTWARE}/{version('chappe')}",
    )
    client = LinkClient(
        site_link,
        edge.arrivals,
        Trimmed(store),
        ClientSettings(
            target=uplink.hub,
            certificates=certificates_of(uplink),
            hub_name=uplink.hub_name or None,
        ),
        SystemRandom(),
    )
    edge.connect(client)
    return client


class Trimmed:
    """The outbox as the link's client wants it: trimming joins the next commit, and is not waited for."""

    def __init__(self, store: Store) -> None:
        self._outbox = store.outbox

    async def read(self, after_sequence: int, limit: int, /) -> list[tuple[int, bytes]]:
        """As the port says."""
        return list(await self._outbox.read(after_sequence, limit))

    async def trim(self, up_to_sequence: int, /) -> None:
        """As the port says."""
        self._outbox.trim(up_to_sequence)


def stream_policy(settings: EdgeSettings, edge: EdgeCore) -> StreamPolicy:
    """What clients are told about this edge before they are anybody."""
    return StreamPolicy(
        domain=settings.domain,
        secret=kept_secret(settings.data / SECRET_FILE),
        fake_iterations=edge.directory.usual_iterations(FAKE_ITERATIONS),
        features=tuple(element for feature in edge.features for element in feature.stream_features),
    )


def kept_secret(path: Path) -> bytes:
    """The same random bytes at every start: a salt that changed would give away that its account does not exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        secret = secrets.token_bytes(SECRET_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
        return secret
