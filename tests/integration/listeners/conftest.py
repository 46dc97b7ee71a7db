import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from chassis.clock import SystemClock
from chassis.pki import Authority, Subject
from chassis.tls import ServerTLS
from edge_node.backplane.ports import Core
from edge_node.listeners.connection import Connection
from edge_node.listeners.http import HTTPPort
from edge_node.listeners.listener import Listener
from edge_node.listeners.settings import ListenerSettings
from edge_node.listeners.tcp import ALPN, TCPPorts
from tests.support.clients import Clients
from tests.support.cores import DOMAIN, POLICY, Disk, ToyCore


@dataclass
class Certificates:
    certificate: Path
    key: Path
    authority: Authority
    client_context: ssl.SSLContext

    def server(self) -> ServerTLS:
        return ServerTLS(self.certificate, self.key, [ALPN])


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority.create("Test authority", SystemClock())
    credential = authority.issue(Subject(common_name=DOMAIN, hosts=(DOMAIN,)))
    credential.write(folder / "certificate.pem", folder / "key.pem")
    context = ssl.create_default_context(cadata=authority.credential.certificate_pem.decode())
    return Certificates(folder / "certificate.pem", folder / "key.pem", authority, context)


@dataclass
class Edge:
    """Listeners and a toy core in one process."""

    listener: Listener
    core: ToyCore
    tcp: TCPPorts
    http: HTTPPort
    disk: Disk


Start = Callable[..., Awaitable[Edge]]


def settings_of(**changes: object) -> ListenerSettings:
    values: dict[str, Any] = {
        "tcp": {"host": "127.0.0.1", "port": 0, "tls_port": 0},
        "http": {"host": "127.0.0.1", "port": 0},
    }
    for name, value in changes.items():
        values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
    return ListenerSettings.model_validate(values)


def new_disk(*names: str) -> Disk:
    disk = Disk()
    for name in names or ("anna", "bruno", "chloe"):
        disk.add_account(name, name)
    return disk


@pytest.fixture
async def start(certificates: Certificates) -> AsyncIterator[Start]:
    """Start an edge with settings; everything ends with the test."""
    async with AsyncExitStack() as stack:

        async def start_edge(core: Core | None = None, *, has_tls: bool = True, **changes: object) -> Edge:
            disk = new_disk()
            toy = ToyCore(disk)
            tls = certificates.server() if has_tls else None
            listener = Listener(settings_of(**changes), core or toy, POLICY, tls, CollectorRegistry())
            await stack.enter_async_context(listener)
            tcp = TCPPorts(listener)
            await tcp.start()
            http = HTTPPort(listener)
            await http.start()

            async def end() -> None:
                tcp.stop()
                http.stop()
                for connection in list(listener.connections):
                    assert isinstance(connection, Connection)
                    connection.drop("test-over")
                async with asyncio.timeout(10):
                    await listener.drain()

            stack.push_async_callback(end)
            return Edge(listener, toy, tcp, http, disk)

        yield start_edge


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    opened = Clients()
    yield opened
    await opened.close()


@pytest.fixture
def context(certificates: Certificates) -> ssl.SSLContext:
    return certificates.client_context
