"""The demo from start to end."""

import asyncio
import os
import select
import signal
import socket
import sys
from contextlib import AsyncExitStack, suppress

import aiohttp
import click

from chappe.demo import control
from chappe.demo.acquaintance import introduce_everybody
from chappe.demo.configuration import prepare
from chappe.demo.events import Traffic, say, tell
from chappe.demo.layout import HOST, Layout
from chappe.demo.process import Service, leftovers
from chappe.demo.welcome import own_command, welcome
from chappe.demo.wire import Wire
from chassis.clock import SystemClock
from chassis.errors import OperatorError
from chassis.lifecycle import Drain
from chassis.lock import LockHeld, ProcessLock

LOOK_SECONDS = 0.5
COMMAND_SECONDS = 60.0
LEFTOVER_SECONDS = 5.0
END_SECONDS = 35.0
"""For a process to drain; then it is killed."""


async def run(layout: Layout, listeners: int, drain: Drain) -> None:
    """Prepare, start, fill, tell, until the drain is requested.

    Raises:
        OperatorError: a taken port, another demo, a process that does not start.
    """
    layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(ProcessLock(layout.lock))
        except LockHeld as error:
            raise OperatorError(f"a demo runs already: {error}") from error
        prepare(layout, SystemClock(), listeners)
        end_leftovers(layout, keeps_listeners=listeners > 0)
        check_ports(layout, are_kept=bool(leftovers(layout.folder)))
        wires = {branch.name: Wire(branch.wire, layout.links) for branch in layout.branches}
        for wire in wires.values():
            await wire.open()
            stack.push_async_callback(wire.close)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        demo = Demo(layout, wires, tasks)
        stack.push_async_callback(demo.end)
        starting = tasks.create_task(demo.start())
        asked_to_end = tasks.create_task(drain.wait())
        await asyncio.wait([starting, asked_to_end], return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        await asked_to_end


class Demo:
    """What runs."""

    def __init__(self, layout: Layout, wires: dict[str, Wire], tasks: asyncio.TaskGroup) -> None:
        """Nothing runs yet."""
        self._layout = layout
        self._wires = wires
        self._tasks = tasks
        self._watching: asyncio.Task[None] | None = None
        self._control: asyncio.Server | None = None
        self._is_first_day = False
        self._hub = self._service("hub", "central_hub", layout.operations, layout.administration)
        self._edges = [
            self._service(each.name, "edge_node", each.operations, each.starttls) for each in layout.branches
        ]

    def _service(self, name: str, module: str, operations: int, serving: int) -> Service:
        layout = self._layout
        log = layout.log(name)
        return Service(
            name, module, layout.config(name), operations=operations, serving=serving, log=log, told=self._tell
        )

    def _tell(self, name: str, line: str) -> None:
        tell(name, line, is_first_day=self._is_first_day)

    async def start(self) -> None:
        """Start the processes, load the company if it is not there yet, and say who can log in."""
        layout = self._layout
        self._is_first_day = is_new = not layout.peopled.exists()
        say("demo", f"starting in {layout.folder}")
        self._run(self._hub)
        if is_new:
            await self._hub.ready()
            for branch in layout.branches:
                await chappe(layout, "site", "add", branch.name, "--clients", f"{HOST}:{branch.starttls}", "--replace")
        for edge in self._edges:
            self._run(edge)
        for service in (self._hub, *self._edges):
            await service.ready()
        if is_new:
            await chappe(layout, "account", "import", str(layout.people), "--wait", "30")
            say("demo", "the company is loaded; its people get to know each other ...")
            await introduce_everybody(layout)
            layout.peopled.touch()
        self._is_first_day = False
        self._control = await control.serve(layout.control, self._obey)
        click.echo(welcome(layout, own_command()))
        self._watching = self._tasks.create_task(self._watch())

    def _run(self, service: Service) -> None:
        self._tasks.create_task(service.run(died))

    async def _watch(self) -> None:
        first, second = self._layout.branches
        traffic = Traffic(self._layout.operations, {first.name: second.name, second.name: first.name})
        async with aiohttp.ClientSession() as session:
            await traffic.look(session, is_silent=True)
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await traffic.look(session)

    def _obey(self, verb: str, site: str) -> str:
        wire = self._wires.get(site)
        if wire is None:
            raise OperatorError(f"no site {site!r}; there are {' and '.join(self._wires)}")
        if verb == "cut":
            wire.cut()
            return f"the link between {site} and the hub is cut"
        if verb == "heal":
            wire.heal()
            return f"the link between {site} and the hub can come back"
        raise OperatorError(f"no order {verb!r}")

    async def end(self) -> None:
        """Drain: the branches first, so that the hub still takes what they have to say."""
        say("demo", "ending; everything is kept")
        if self._watching is not None:
            self._watching.cancel()
        if self._control is not None:
            self._control.close()
        for services in (self._edges, [self._hub]):
            for service in services:
                service.end()
            for service in services:
                await service.ended(END_SECONDS)


def died(name: str, code: int) -> None:
    """Tell that a process ended by itself."""
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    say(name, f"has ended ({how}), and is started again", is_bad=True)


async def chappe(layout: Layout, *arguments: str) -> None:
    """Run an administrator's command, as an administrator would.

    Raises:
        OperatorError: it failed; the text is what it wrote.
    """
    group, *rest = arguments
    command = (sys.executable, "-m", "chappe", group, "--profile", str(layout.administrator), *rest)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        output = b"no answer"
    if process.returncode:
        raise OperatorError(f"chappe {' '.join(arguments)}: {output.decode('utf-8', 'replace').strip()}")


def check_ports(layout: Layout, *, are_kept: bool) -> None:
    """See whether every port is free, before anything is started.

    Args:
        layout: the ports.
        are_kept: listeners that outlived their core hold those of the clients; they are taken back.

    Raises:
        OperatorError: some are taken; one line for each.
    """
    clients = {port for branch in layout.branches for port in (branch.starttls, branch.tls, branch.http)}
    taken = [port for port in layout.ports() if not (are_kept and port in clients) and is_taken(port)]
    if taken:
        lines = [f"port {port} ({layout.ports()[port]}) is taken" for port in taken]
        lines.append("end what listens there (ss -ltnp shows it), or shift all ports: chappe demo --offset 10000")
        raise OperatorError("\n".join(lines))


def is_taken(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def end_leftovers(layout: Layout, *, keeps_listeners: bool) -> None:
    """End what a killed demo left running; listeners may stay and be taken back by their core."""
    for pid in () if keeps_listeners else leftovers(layout.folder):
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [], LEFTOVER_SECONDS)
            os.close(descriptor)
