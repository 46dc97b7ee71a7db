"""The hub's composition root: the only module that names concrete stores, servers and clocks."""

import asyncio
import os
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from cascade.custody import Custody
from cascade.transport.server import LinkServer, ServerSettings
from cascade.transport.tls import CertificateFiles, server_credentials
from central_hub.adapters.sqlite.database import Database, NewerStore
from central_hub.adapters.sqlite.directory import SQLiteDirectory
from central_hub.adapters.sqlite.migrations import MIGRATIONS
from central_hub.adapters.sqlite.spool import SQLiteSpool
from central_hub.directory.derivation import Derivation
from central_hub.directory.directory import Directory
from central_hub.directory.replicas import Replicas
from central_hub.links.dispatcher import Dispatcher
from central_hub.links.exchange import Exchange, HubName
from central_hub.links.metrics import ExchangeMetrics, SiteGauges
from central_hub.links.replication import Replication
from central_hub.operations.accounts import Accounts
from central_hub.operations.server import AdministrationServer
from central_hub.operations.service import AdministrationService
from central_hub.operations.status import Status
from central_hub.settings import HubSettings
from central_hub.spool.measured import MeasuredSpool
from chassis.binding import BindFailed, naming_setting
from chassis.clock import Clock, SystemClock
from chassis.errors import OperatorError
from chassis.expiry import CertificateExpiry
from chassis.http import OperationsServer
from chassis.lifecycle import Drain
from chassis.lifecycle import run as run_process
from chassis.lock import ProcessLock
from chassis.logging import configure_logging
from chassis.metrics import CollectorPauses, LoopLag, new_registry
from chassis.resources import raise_file_limit, settle_collector
from chassis.restart import restart_of_a_service
from chassis.settings import load

log = structlog.get_logger()

STORE_FILE = "hub.sqlite3"
LOCK_FILE = "hub.lock"
SOFTWARE = "chappe-hub"
DRAIN_NOTICE_SECONDS = 0.25
"""For the sites to be told before their links are closed."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the hub listens."""

    links: int
    administration: int
    operations: int


def run(config: Path, *, only_checks: bool = False) -> int:
    """Run the hub to its end, or only see whether its settings are right; return the exit code."""
    try:
        settings = load(HubSettings, config, os.environ)
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
        async with serving(settings, SystemClock(), drain) as ports:
            log.info(
                "hub_started",
                version=version("chappe"),
                domain=settings.domain,
                links=ports.links,
                administration=ports.administration,
                operations=ports.operations,
            )
            settle_collector()
            await drain.wait()
            log.info("hub_draining", reason=drain.reason)
        log.info("hub_restarting" if drain.is_restart else "hub_stopped")

    return run_process(main, settings.drain_seconds, restart_of_a_service())


def check(settings: HubSettings) -> None:
    """See whether the files are there that the settings name.

    Raises:
        OperatorError: one is not.
    """
    for name, table in (("links", settings.links), ("administration", settings.administration)):
        try:
            server_credentials(CertificateFiles(table.authority, table.certificate, table.key))
        except OSError as error:
            raise OperatorError(f"{name}: {error}") from error


@asynccontextmanager
async def serving(settings: HubSettings, clock: Clock, drain: Drain) -> AsyncIterator[Ports]:
    """Serve as long as the context is open; leaving it drains.

    Raises:
        OperatorError: what an operator can put right: a taken port or folder, a certificate, a newer store.
    """
    async with AsyncExitStack() as stack:
        folder = settings.store.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stack.enter_context(ProcessLock(folder / LOCK_FILE))
        database = open_database(settings)
        stack.push_async_callback(database.close)
        registry = new_registry()
        stack.enter_context(CollectorPauses(registry))
        stack.enter_context(LoopLag(registry))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        yield await compose(settings, clock, drain, database, registry, tasks, stack)


async def compose(  # noqa: PLR0917 - the composition root
    settings: HubSettings,
    clock: Clock,
    drain: Drain,
    database: Database,
    registry: CollectorRegistry,
    tasks: asyncio.TaskGroup,
    stack: AsyncExitStack,
) -> Ports:
    """Put the parts together and open the ports; `stack` takes them down in the reverse order."""
    store = SQLiteDirectory(database)
    directory = Directory(store, edits_per_commit=settings.administration.edits_per_commit)
    await directory.load(clock.now_us())
    sqlite_spool = await SQLiteSpool.open(database, clock)
    spool = MeasuredSpool(sqlite_spool, await sqlite_spool.stocks(), settings.spool, clock)
    replicas = Replicas()
    metrics = ExchangeMetrics(registry)
    links = settings.links
    custody = Custody(spool.extents(), envelopes_max=links.forward_envelopes_max, refusals_max=links.refusals_max)
    dispatcher = Dispatcher(custody, spool, metrics, retry_seconds=links.store_retry_seconds)
    replication = Replication(tasks, directory, store, replicas, links)
    stack.callback(replication.close)
    exchange = Exchange(
        HubName(settings.domain, f"{SOFTWARE}/{version('chappe')}"),
        links,
        clock,
        directory,
        dispatcher=dispatcher,
        replication=replication,
        metrics=metrics,
    )
    exchange.start()
    stack.callback(exchange.stop)
    registry.register(SiteGauges(directory, replicas, exchange, spool))
    registry.register(
        CertificateExpiry({"links": links.certificate, "administration": settings.administration.certificate})
    )

    operations = OperationsServer(
        settings.operations,
        registry,
        lambda: [("store", dispatcher.is_storing), ("not_draining", not drain.is_requested)],
    )
    operations_port = await operations.start()
    stack.push_async_callback(operations.stop)

    derivation = Derivation(settings.administration.scram_iterations)
    stack.callback(derivation.close)
    service = AdministrationService(
        settings.administration,
        clock,
        directory,
        replicas,
        Accounts(directory, derivation, settings.domain),
        Status(directory, replicas, exchange, spool),
    )
    administration = settings.administration
    address = checked_address("administration", administration.host, administration.port)
    administration_server = AdministrationServer(administration, service, address)
    administration_port = await administration_server.start()
    stack.push_async_callback(administration_server.stop)
    links_port = await serve_links(settings, exchange, stack)
    return Ports(links_port, administration_port, operations_port)


def open_database(settings: HubSettings) -> Database:
    """Open the store; raise OperatorError."""
    path = settings.store.folder / STORE_FILE
    try:
        return Database(path, MIGRATIONS, backlog_max=settings.store.backlog_max)
    except NewerStore as error:
        raise OperatorError(str(error)) from error
    except sqlite3.Error as error:
        raise OperatorError(f"store.folder: {path} can't be opened: {error}") from error


async def serve_links(settings: HubSettings, exchange: Exchange, stack: AsyncExitStack) -> int:
    """Open the port for sites; return it."""
    links = settings.links
    address = checked_address("links", links.host, links.port)
    server = LinkServer(
        exchange,
        ServerSettings(
            address=address,
            certificates=CertificateFiles(links.authority, links.certificate, links.key),
            link=links.cascade(),
        ),
    )
    try:
        port = await server.start()
    except OSError as error:
        raise BindFailed(f"links: {error}") from error

    async def leave() -> None:
        exchange.drain(links.reconnect_after_ms)
        await asyncio.sleep(DRAIN_NOTICE_SECONDS)
        await server.stop(settings.drain_seconds / 2)

    stack.push_async_callback(leave)
    return port


def checked_address(setting: str, host: str, port: int) -> str:
    """Return HOST:PORT for gRPC, after a try: gRPC itself does not say why an address can't be listened on.

    Raises:
        BindFailed: in one line that names the setting.
    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with naming_setting(setting, address):
        family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(target)
            attempt.listen(1)
    return address
