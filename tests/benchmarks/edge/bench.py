"""What an edge node costs: CPU per delivered one-to-one message and per login, memory per idle connection.

The edge, its listeners and the load generator are processes of their own on loopback.  CPU is user and system time of
all server processes and all their threads, nothing subtracted.  Every figure is min / median / max of several windows:
their distance is the machine's noise.

Run: python -m tests.benchmarks.edge.bench [--quick]
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.edge.accounting import Processes
from tests.benchmarks.edge.server import OPERATIONS_PORT, PORT, TLS_PORT, Edge, Scenario

SCENARIOS = (
    Scenario(),
    Scenario(has_tls=True),
    Scenario(has_archive=True),
    Scenario(has_tls=True, has_archive=True),
    Scenario(listeners=1),
    Scenario(listeners=1, has_tls=True),
    Scenario(listeners=1, has_archive=True),
)
PEERS = """
  Peers, for comparison (docs/benchmarks.md says how they were measured):
    Prosody 0.12.3    60-69 us a message, 72 over TLS; 490-580 us a login (1017 over TLS); 44 KiB (63)
    ejabberd 23.01    52-79 us a message, 103 over TLS; 500-570 us a login (1175 over TLS); 56 KiB (64)
    archive on        Prosody 310 us (own files), 1150 us (SQLite); ejabberd 1310 us
"""
ECHO_PORT = 15229
ECHO_CLIENTS = 200
IDLE_SECONDS = 1.5
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    users: int
    windows: int
    seconds: float
    rate: int
    manages: bool
    scenarios: Sequence[Scenario]


class Generator:
    """The load generator's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.edge.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, verb: str, **arguments: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": verb, **arguments}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the load generator has ended")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def generator() -> Iterator[Generator]:
    made = Generator()
    try:
        yield made
    finally:
        made.close()


def spread(values: Sequence[float]) -> str:
    return f"{min(values):6.1f} /{median(values):6.1f} /{max(values):6.1f}"


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def measured_messages(load: Generator, processes: Processes, plan: Plan) -> tuple[list[float], dict[str, Any]]:
    """Microseconds of CPU per delivered message, by window; and the last window's report."""
    load("send", seconds=WARM_UP_SECONDS, rate=plan.rate)
    figures, report = [], {}
    for _ in range(plan.windows):
        before = processes.cpu_seconds()
        report = load("send", seconds=plan.seconds, rate=plan.rate)
        figures.append((processes.cpu_seconds() - before) / report["delivered"] * 1e6)
        if report["delivered"] != report["sent"]:
            write(f"    LOST: {report['sent'] - report['delivered']} of {report['sent']} messages")
    return figures, report


def measured_logins(load: Generator, processes: Processes, plan: Plan) -> tuple[list[float], float]:
    """Microseconds of CPU per login, by batch; and KiB per connection that stays idle.

    The first batch warms up and is not counted: it fills memory that the start has left over.
    """
    batch = plan.users // (plan.windows + 1) & ~1
    load("login", first=0, count=plan.users - plan.windows * batch)
    time.sleep(IDLE_SECONDS)
    before_kib = processes.pss_kib()
    figures = []
    for window in range(plan.windows):
        before = processes.cpu_seconds()
        load("login", first=plan.users - (plan.windows - window) * batch, count=batch)
        figures.append((processes.cpu_seconds() - before) / batch * 1e6)
    time.sleep(IDLE_SECONDS)
    return figures, (processes.pss_kib() - before_kib) / (plan.windows * batch)


def run_scenario(scenario: Scenario, plan: Plan, profile: Path | None) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="chappe-bench-") as folder,
        generator() as load,
        Edge(Path(folder), scenario, plan.users, profile) as edge,
    ):
        processes = edge.processes
        port, ca = (TLS_PORT, str(edge.ca)) if scenario.has_tls else (PORT, "")
        load("open", port=port, ca=ca, manages=plan.manages)
        logins, idle_kib = measured_logins(load, processes, plan)
        messages, report = measured_messages(load, processes, plan)
    share = report["own_cpu_seconds"] / report["seconds"]
    write(
        f"  {scenario!s:<44} {spread(messages)}   {spread(logins)}   {idle_kib:6.1f}"
        f"   {report['delivered'] / report['seconds']:7.0f}   {share:5.0%}"
    )


def run_yardstick(plan: Plan) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.edge.echo", str(ECHO_PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server, generator() as load:
        assert server.stdout is not None
        server.stdout.readline()
        load("open", port=ECHO_PORT)
        load("echo", count=ECHO_CLIENTS)
        figures, report = measured_messages(load, Processes(f"benchmarks.edge.echo\0{ECHO_PORT}"), plan)
        server.kill()
    share = report["own_cpu_seconds"] / report["seconds"]
    write(
        f"  {'yardstick: uvloop echoes the same bytes':<44} {spread(figures)}   {'':22}   {'':6}"
        f"   {report['delivered'] / report['seconds']:7.0f}   {share:5.0%}"
    )


def check_ports() -> None:
    taken = []
    for port in (PORT, TLS_PORT, OPERATIONS_PORT, ECHO_PORT):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                taken.append(str(port))
    if taken:
        sys.exit(f"somebody listens on {', '.join(taken)}: is another benchmark running?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a minute instead of five")
    parser.add_argument("--users", type=int, help="accounts that are logged in (default 2000; 800 if quick)")
    parser.add_argument("--rate", type=int, default=6000, help="messages a second")
    parser.add_argument("--no-management", action="store_true", help="clients without XEP-0198")
    parser.add_argument("--scenario", type=int, action="append", help=f"number, from 0 to {len(SCENARIOS) - 1}")
    parser.add_argument("--profile", type=Path, help="write cProfile's result of the (last) scenario's core here")
    options = parser.parse_args()
    chosen = [SCENARIOS[number] for number in options.scenario or range(len(SCENARIOS))]
    manages = not options.no_management
    plan = Plan(options.users or 2000, 5, 4.0, options.rate, manages, chosen)
    if options.quick:
        plan = Plan(options.users or 800, 3, 1.5, options.rate, manages, chosen)
    check_ports()
    write(f"{plan.users} users, {plan.rate} messages a second, {plan.windows} windows of {plan.seconds:g} s")
    write(
        f"  {'min / median / max':<44} {'us per message':^22}   {'us per login':^22}   {'KiB idle':>6}"
        f" {'per second':>9}   {'load'}"
    )
    run_yardstick(plan)
    for scenario in plan.scenarios:
        run_scenario(scenario, plan, options.profile)
    write(PEERS)


if __name__ == "__main__":
    main()
