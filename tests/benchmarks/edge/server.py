"""An edge node to be measured: its own process, on loopback, with accounts in its replica and no hub."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from chappe.demo.configuration import lines
from chassis.clock import SystemClock
from chassis.pki import Authority, Subject
from edge_node.accounts.store import Account
from edge_node.adapters.sqlite import StoreSettings, open_store
from edge_node.app import STORE_FILE
from tests.benchmarks.edge.accounting import Processes
from xmpp.sasl import derive

DOMAIN = "corp.example"
PASSWORD = "load"
ITERATIONS = 4096
OPERATIONS_PORT = 17411
PORT = 15222
TLS_PORT = 15223
READY_SECONDS = 30.0
END_SECONDS = 40.0


@dataclass(frozen=True)
class Scenario:
    """How the edge is set up."""

    listeners: int = 0
    has_tls: bool = False
    has_archive: bool = False

    def __str__(self) -> str:
        where = "one process" if self.listeners == 0 else f"core + {self.listeners} listener"
        return f"{where}, {'TLS' if self.has_tls else 'plaintext'}, archive {'on' if self.has_archive else 'off'}"


def name_of(number: int) -> str:
    return f"load{number:06}"


async def fill(folder: Path, accounts: int) -> None:
    """Write the replica that a hub would have sent; with one salt for all, so that clients derive one key."""
    (folder / "data").mkdir()
    verifiers = (derive(PASSWORD, b"one salt for all", ITERATIONS, "SHA-256"),)
    store = await open_store(folder / "data" / STORE_FILE, StoreSettings(), SystemClock().now_us())
    everybody = [
        Account(name_of(number), disabled=False, verifiers=verifiers, display_name="") for number in range(accounts)
    ]
    await store.accounts.apply(1, everybody, (), full=True)
    await store.close()


def configure(folder: Path, scenario: Scenario) -> Path:
    authority = Authority.create("Bench authority", SystemClock())
    authority.issue(Subject(common_name=DOMAIN, hosts=(DOMAIN,))).write(folder / "server.pem", folder / "server.key")
    (folder / "ca.pem").write_bytes(authority.credential.certificate_pem)
    config = folder / "edge.toml"
    settings = {
        "domain": DOMAIN,
        "site": "bench",
        "data": "data",
        "archive": {"enabled": scenario.has_archive},
        "listeners": {
            "processes": scenario.listeners,
            "require_tls": scenario.has_tls,
            **({"tls": {"certificate": "server.pem", "key": "server.key"}} if scenario.has_tls else {}),
            "tcp": {"host": "127.0.0.1", "port": PORT, "tls_port": TLS_PORT},
            "http": {"host": "127.0.0.1", "port": 0},
        },
        "backplane": {"path": "data/backplane.sock"},
        "operations": {"host": "127.0.0.1", "port": OPERATIONS_PORT},
    }
    config.write_text("".join(lines(settings)))  # type: ignore[arg-type]  # tables in tables
    return config


class Edge:
    """The running edge.

    Args:
        folder: empty; of this run alone.
        scenario: how it is set up.
        accounts: how many there are.
        profile: where cProfile's result goes; None: not profiled.
    """

    def __init__(self, folder: Path, scenario: Scenario, accounts: int, profile: Path | None = None) -> None:
        asyncio.run(fill(folder, accounts))
        config = configure(folder, scenario)
        self._port = TLS_PORT if scenario.has_tls else PORT
        self.ca = folder / "ca.pem"
        self.processes = Processes(str(config))
        profiler = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
        command = [sys.executable, *profiler, "-m", "edge_node", "--config", str(config)]
        self._log = (folder / "edge.log").open("wb")
        self._process = subprocess.Popen(command, stderr=self._log, stdin=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the edge does not start: {Path(self._log.name).read_text()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in self.processes.ids():
            os.kill(pid, signal.SIGKILL)
        self._log.close()

    def _is_ready(self) -> bool:
        """Whether it says so, and listens: listener processes come after their core."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{OPERATIONS_PORT}/readyz", timeout=5) as answer:
                is_ready = bool(json.load(answer)["ready"])
            socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return is_ready
