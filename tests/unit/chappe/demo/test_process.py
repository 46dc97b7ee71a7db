import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from chappe.demo.process import Service, leftovers
from chassis.errors import OperatorError

PATIENCE_SECONDS = 20.0


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.endings: list[int] = []
        self._news = asyncio.Event()

    def line(self, _name: str, line: str) -> None:
        self.lines.append(line)
        self._news.set()

    def ended(self, _name: str, code: int) -> None:
        self.endings.append(code)
        self._news.set()

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():
                self._news.clear()
                await self._news.wait()


def service(folder: Path, told: Told, port: int, module: str = "central_hub") -> Service:
    log = folder / "hub.log"
    return Service("hub", module, folder / "hub.toml", operations=port, serving=port, log=log, told=told.line)


async def test_a_process_that_does_not_start_says_why_and_is_tried_again(tmp_path: Path, unused_tcp_port: int) -> None:
    told = Told()
    hub = service(tmp_path, told, unused_tcp_port)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hub.run(told.ended))
        with pytest.raises(OperatorError, match=r"hub does not start:\n.*hub\.toml"):
            await hub.ready()
        await told.until(lambda: len(told.endings) == 2)
        hub.end()
    assert told.endings == [78, 78]
    assert "cannot be read" in (tmp_path / "hub.log").read_text()


async def test_a_process_that_is_ended_stays_ended(tmp_path: Path, unused_tcp_port: int) -> None:
    told = Told()
    waits = service(tmp_path, told, unused_tcp_port, "tests.unit.chappe.demo.waiter")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(waits.run(told.ended))
        await told.until(lambda: told.lines)
        assert waits.pid in leftovers(tmp_path)
        waits.end()
        await waits.ended(PATIENCE_SECONDS)
    assert told.endings == []
    assert leftovers(tmp_path) == []


async def test_a_process_that_does_not_end_is_killed(tmp_path: Path, unused_tcp_port: int) -> None:
    told = Told()
    stubborn = service(tmp_path, told, unused_tcp_port, "tests.unit.chappe.demo.waiter")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(stubborn.run(told.ended))
        await told.until(lambda: told.lines)
        await stubborn.ended(0.01)
        stubborn.end()
        await running
    assert leftovers(tmp_path) == []
