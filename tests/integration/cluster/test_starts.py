"""What keeps a process from starting is said in one line that names it, with exit code 78 (EX_CONFIG)."""

import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.certificate_files import certificates
from tests.support.cluster import HubProcess, SiteProcess
from tests.support.processes import Process

STORES = {"hub": "hub/hub.sqlite3", "edge": "paris/edge.sqlite"}


@asynccontextmanager
async def service(kind: str, folder: Path) -> AsyncIterator[tuple[HubProcess | SiteProcess, Process, Path]]:
    """A hub or an edge with its settings file, not started."""
    hub = HubProcess(folder, certificates(), {})
    site = SiteProcess("paris", folder, hub, certificates(), {})
    site.write_settings()
    try:
        if kind == "hub":
            yield hub, hub.process, folder / "hub.toml"
        else:
            yield site, site.core, site.config
    finally:
        await site.close()
        await hub.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="chappe-") as name:
        yield Path(name)


async def refused(process: Process) -> str:
    """Run to the end; the one line it leaves."""
    await process.start()
    assert await process.exit_code() == os.EX_CONFIG, process.texts()
    lines = [line["text"] for line in process.lines if line["event"] == "text"]
    assert len(lines) == 1, lines
    return str(lines[0])


@pytest.mark.parametrize(
    ("kind", "setting"), [("hub", "links"), ("hub", "administration"), ("edge", "listeners.tcp.port")]
)
async def test_port_taken(kind: str, setting: str, folder: Path) -> None:
    async with service(kind, folder) as (owner, process, _):
        number = owner.port() if isinstance(owner, SiteProcess) else getattr(owner, setting)
        with socket.create_server(("127.0.0.1", number)):
            text = await refused(process)
        assert setting in text
        assert str(number) in text
        assert "another process listens there" in text


@pytest.mark.parametrize("kind", ["hub", "edge"])
async def test_folder_in_use(kind: str, folder: Path) -> None:
    async with service(kind, folder) as (owner, process, config):
        await owner.start()
        module = "central_hub" if kind == "hub" else "edge_node"
        second = Process("second", "-m", module, "--config", str(config))
        text = await refused(second)
        assert f"process {process.pid} is running on this folder" in text
        assert process.is_running


@pytest.mark.parametrize("kind", ["hub", "edge"])
async def test_stale_lock_is_no_obstacle(kind: str, folder: Path) -> None:
    async with service(kind, folder) as (owner, process, _):
        await owner.start()
        await process.kill()
        await owner.start()


@pytest.mark.parametrize("kind", ["hub", "edge"])
async def test_newer_store(kind: str, folder: Path) -> None:
    async with service(kind, folder) as (owner, process, _):
        await owner.start()
        await process.kill()
        with closing(sqlite3.connect(folder / STORES[kind])) as connection:
            connection.execute("PRAGMA user_version = 9999")
        await cannot_start(owner)


async def cannot_start(owner: HubProcess | SiteProcess) -> None:
    """Start again what ran before; it must not start."""
    with pytest.raises(AssertionError):
        await owner.start()
    process = owner.process if isinstance(owner, HubProcess) else owner.core
    assert await process.exit_code() == os.EX_CONFIG
    text = process.texts()
    assert "9999" in text
    assert "that wrote it, or a later one" in text
    assert len(text.splitlines()) == 1, text


@pytest.mark.parametrize("kind", ["hub", "edge"])
async def test_unknown_setting(kind: str, folder: Path) -> None:
    async with service(kind, folder) as (_, process, config):
        with config.open("a") as file:
            file.write('\n[logging]\nlevle = "info"\n')
        text = await refused(process)
        assert "logging.levle" in text
        assert "level" in text.replace("levle", "")  # what was meant


@pytest.mark.parametrize("kind", ["hub", "edge"])
async def test_certificate_missing(kind: str, folder: Path) -> None:
    async with service(kind, folder) as (_, process, config):
        text = config.read_text(encoding="utf-8")
        name = "hub.pem" if kind == "hub" else "domain.pem"
        config.write_text(text.replace(name, "nowhere.pem"), encoding="utf-8")
        assert "nowhere.pem" in await refused(process)
