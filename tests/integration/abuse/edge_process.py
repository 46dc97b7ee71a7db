"""An edge node as it is deployed, a process of its own over SQLite, and what the kernel says of it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import uvloop

from chassis.clock import SystemClock
from chassis.pki import Authority, Subject
from edge_node.accounts.store import Account
from edge_node.adapters.sqlite import open_store
from edge_node.adapters.sqlite.settings import StoreSettings
from edge_node.app import STORE_FILE
from tests.architecture.tree import ROOT
from xmpp.sasl import derive

DOMAIN = "corp.example"
ACCOUNTS = ("anna", "bruno", "mallory")
ITERATIONS = 10_000
END_SECONDS = 40.0
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


Tables = Mapping[str, Mapping[str, Any]]
"""Settings, by the name of their table."""


@dataclass(frozen=True)
class EdgeProcess:
    """One that serves; its ports were chosen by the kernel."""

    process: subprocess.Popen[str]
    tcp: int
    tls: int
    http: int
    operations: int
    log: list[dict[str, Any]] = field(default_factory=list)
    """What it has logged."""

    @property
    def rss_bytes(self) -> int:
        """Memory that it holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES

    @property
    def cpu_seconds(self) -> float:
        """CPU that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    async def metrics(self) -> dict[str, float]:
        """Its samples, by name with labels."""
        text = await asyncio.to_thread(self._read_metrics)
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def _read_metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.operations}/metrics", timeout=10) as response:
            text: str = response.read().decode()
            return text

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Events that no client may be able to cause."""
        return [event for event in self.log if event.get("level") in ("error", "critical") or "exception" in event]


@contextmanager
def edge_process(folder: Path, certificates: Path, tables: Tables) -> Iterator[EdgeProcess]:
    """Start one; `tables` of settings are laid over those that make it quiet and local."""
    folder.mkdir()
    data = folder / "data"
    data.mkdir()
    uvloop.run(_fill(data))
    config = folder / "edge.toml"
    config.write_text(_toml(certificates, tables))
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_node", "--config", str(config)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stderr is not None
    stderr, log = process.stderr, list[dict[str, Any]]()
    with stderr:
        try:
            ports = _read_until_started(stderr, log)
            # A full pipe would stop the edge: its log is read on.
            reader = threading.Thread(target=lambda: log.extend(map(_event, stderr)))
            reader.start()
            yield EdgeProcess(process, ports["starttls"], ports["tls"], ports["http"], ports["operations"], log)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=END_SECONDS)
        reader.join()
        assert code == 0, log[-5:]


def _read_until_started(stderr: IO[str], log: list[dict[str, Any]]) -> dict[str, Any]:
    for line in stderr:
        log.append(_event(line))
        if log[-1]["event"] == "edge_started":
            return log[-1]
    raise AssertionError(f"the edge did not start: {log}")


def _event(line: str) -> dict[str, Any]:
    """An event; what is no JSON is a failure as well."""
    return json.loads(line) if line.startswith("{") else {"level": "error", "event": line}


async def _fill(data: Path) -> None:
    store = await open_store(data / STORE_FILE, StoreSettings(), SystemClock().now_us())
    people = [
        Account(name, disabled=False, verifiers=(derive(name, f"salt {name}".encode(), ITERATIONS, "SHA-256"),),
                display_name=name)
        for name in ACCOUNTS
    ]  # fmt: skip
    await store.accounts.apply(1, people, (), full=True)
    await store.close()


def _toml(certificates: Path, changes: Tables) -> str:
    tables: dict[str, dict[str, Any]] = {
        "operations": {"port": 0},
        "listeners.tcp": {"host": "127.0.0.1", "port": 0, "tls_port": 0},
        "listeners.http": {"host": "127.0.0.1", "port": 0},
        "listeners.tls": {"certificate": str(certificates / "certificate.pem"), "key": str(certificates / "key.pem")},
    }
    for name, table in changes.items():
        tables[name] = {**tables.get(name, {}), **table}
    lines = [f'domain = "{DOMAIN}"', 'site = "paris"']
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def issue_certificates(folder: Path) -> str:
    """Write the edge's certificate into a folder; return the authority's, in PEM."""
    authority = Authority.create("Test authority", SystemClock())
    credential = authority.issue(Subject(common_name=DOMAIN, hosts=(DOMAIN,)))
    credential.write(folder / "certificate.pem", folder / "key.pem")
    return authority.credential.certificate_pem.decode()
