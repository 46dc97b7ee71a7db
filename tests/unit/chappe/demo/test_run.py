import asyncio
import os
import socket
import subprocess
import sys

import pytest

from chappe.demo.layout import Layout
from chappe.demo.process import leftovers
from chappe.demo.run import check_ports, end_leftovers, run
from chassis.errors import OperatorError
from chassis.lifecycle import Drain
from chassis.lock import ProcessLock


def listening(port: int) -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", port))
    taken.listen()
    return taken


def test_a_port_that_is_taken_is_named_with_what_to_do(layout: Layout) -> None:
    with listening(layout.paris.starttls):
        with pytest.raises(OperatorError) as raised:
            check_ports(layout, are_kept=False)
        check_ports(layout, are_kept=True)
    first, second = str(raised.value).splitlines()
    assert first == f"port {layout.paris.starttls} (Paris, STARTTLS) is taken"
    assert "--offset" in second
    check_ports(layout, are_kept=False)


def test_what_a_killed_demo_left_is_ended(layout: Layout) -> None:
    layout.folder.mkdir(parents=True)
    waiter = "tests.unit.chappe.demo.waiter"
    command = [sys.executable, "-m", waiter, "--config", str(layout.config("paris"))]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as left:
        assert left.stderr is not None
        assert left.stderr.readline() == b"running\n"
        assert leftovers(layout.folder) == [left.pid]
        end_leftovers(layout, keeps_listeners=True)
        assert left.poll() is None
        end_leftovers(layout, keeps_listeners=False)
        assert left.wait() < 0
    assert leftovers(layout.folder) == []


async def test_a_second_demo_is_refused_and_touches_nothing(layout: Layout) -> None:
    layout.folder.mkdir(parents=True)
    with ProcessLock(layout.lock), pytest.raises(OperatorError, match=f"a demo runs already: .*{os.getpid()}"):
        await run(layout, 0, Drain())
    assert [each.name for each in layout.folder.iterdir()] == [layout.lock.name]


async def test_an_end_is_possible_while_it_starts(layout: Layout) -> None:
    drain = Drain()
    drain.request("SIGINT")
    async with asyncio.timeout(30):
        await run(layout, 0, drain)
    check_ports(layout, are_kept=False)
    assert leftovers(layout.folder) == []
