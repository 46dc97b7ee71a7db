"""Where clients connect: here, or in listener processes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from chassis.binding import BindFailed
from chassis.lifecycle import Drain
from edge_node.backplane.metrics import ServerMetrics
from edge_node.backplane.server import BackplaneServer
from edge_node.core.core import Core
from edge_node.listening import ClientPorts, listening_elsewhere, listening_here
from edge_node.settings import EdgeSettings
from tests.support.clients import Client, Clients
from tests.support.cores import POLICY, Disk, ToyCore
from xmpp.errors import StreamCondition

SECONDS = 30.0


def settings_of(tmp_path: Path, port: int = 0, **listeners: object) -> EdgeSettings:
    tables = {
        "require_tls": False,
        "tcp": {"host": "127.0.0.1", "port": port},
        "http": {"host": "127.0.0.1", "port": 0},
        "drain_seconds": 2.0,
        "connection": {"closing_seconds": 0.5},
    }
    return EdgeSettings.model_validate(
        {
            "domain": "corp.example",
            "site": "paris",
            "listeners": tables | listeners,
            "backplane": {"path": tmp_path / "b.sock", "reconnect_seconds_max": 0.1},
        }
    )


@pytest.fixture
def core() -> Core:
    """Stands for the composed one."""
    disk = Disk()
    disk.add_account("anna", "anna")
    return cast("Core", ToyCore(disk))


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    opened = Clients()
    yield opened
    await opened.close()


async def test_here_clients_are_let_in_until_its_end_and_told_of_it(
    tmp_path: Path,
    core: Core,
    clients: Clients,
) -> None:
    async with asyncio.timeout(SECONDS):
        async with listening_here(settings_of(tmp_path), core, POLICY, CollectorRegistry()) as listening:
            assert listening.is_complete()
            assert listening.ports.direct_tls is None  # there is no certificate
            assert listening.ports.http
            anna = await clients.login(listening.ports.starttls, "anna")
        closed = await anna.closed()
    assert closed.error is not None
    assert closed.error.condition is StreamCondition.SYSTEM_SHUTDOWN
    with pytest.raises(ConnectionRefusedError):
        await clients.raw(listening.ports.starttls)


async def test_here_a_taken_port_leaves_nothing_open(tmp_path: Path, core: Core) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        http = {"host": "127.0.0.1", "port": taken.getsockname()[1]}
        settings = settings_of(tmp_path, port, http=http)
        with pytest.RaisesGroup(pytest.RaisesExc(BindFailed, match=str(http["port"])), allow_unwrapped=True):
            async with listening_here(settings, core, POLICY, CollectorRegistry()):
                raise AssertionError("it listens")
        socket.create_server(("127.0.0.1", port)).close()


async def test_elsewhere_it_is_complete_once_every_listener_process_is_there(
    tmp_path: Path,
    core: Core,
    clients: Clients,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "edge.toml"
    config.write_text(
        f"""
        [listeners]
        require_tls = false
        tcp = {{ host = "127.0.0.1", port = {port} }}
        http = {{ host = "127.0.0.1", port = 0 }}
        drain_seconds = 2.0
        connection = {{ closing_seconds = 0.5 }}
        [backplane]
        path = "{tmp_path}/b.sock"
        [logging]
        level = "error"
        """
    )
    settings = settings_of(tmp_path, port, processes=1, adoption_seconds=0.1)
    with capture_logs():
        async with asyncio.timeout(SECONDS):
            context = listening_elsewhere(settings, core, POLICY, CollectorRegistry(), config, Drain())
            async with context as listening:
                assert listening.ports == ClientPorts()
                assert not listening.is_complete()
                anna = await login(clients, port)
                assert listening.is_complete()
            closed = await anna.closed()
    assert closed.error is not None
    assert closed.error.condition is StreamCondition.SYSTEM_SHUTDOWN
    assert not (tmp_path / "b.sock").exists()


async def login(clients: Clients, port: int) -> Client:
    """As soon as somebody listens."""
    while True:
        try:
            return await clients.login(port, "anna")
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)  # the pace of the attempts


async def test_elsewhere_a_core_that_listens_there_is_an_operators_error(
    tmp_path: Path,
    core: Core,
) -> None:
    settings = settings_of(tmp_path, processes=1)
    other = BackplaneServer(settings.backplane, core, POLICY, ServerMetrics(CollectorRegistry()), lambda: None, 1)
    await other.start()
    none = tmp_path / "none.toml"
    try:
        with pytest.raises(BindFailed, match="another core listens there"):
            async with listening_elsewhere(settings, core, POLICY, CollectorRegistry(), none, Drain()):
                raise AssertionError("it listens")
    finally:
        await other.stop()
