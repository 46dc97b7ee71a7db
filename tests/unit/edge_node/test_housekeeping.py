"""What is done from time to time goes on whatever fails, and however long the store takes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from edge_node import housekeeping
from edge_node.housekeeping import Housekeeping
from edge_node.sessions.registry import Registry
from tests.support.edge import Edge, Reports
from tests.support.virtual_time import run_in_virtual_time

NOW_US = 1_700_000_000_000_000


@dataclass(frozen=True)
class Step:
    next_id: int | None


@dataclass
class Store:
    """Remembers what it was asked for; `failing` and `seconds` are a test's."""

    rows: int = 0
    pages: int = 1
    seconds: float = 0.0
    failing: bool = False
    purged: list[int] = field(default_factory=list)
    swept: list[tuple[int, int]] = field(default_factory=list)

    async def purge(self, before_id: int, limit: int) -> int:
        await self._work()
        self.purged.append(before_id)
        count = min(self.rows, limit)
        self.rows -= count
        return count

    async def sweep(self, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Step:
        await self._work()
        self.swept.append((after_id, before_id))
        return Step(after_id + 1 if after_id + 1 < self.pages else None)

    async def _work(self) -> None:
        await asyncio.sleep(self.seconds)
        if self.failing:
            raise OSError("the disk is gone")


def kept(
    store: Store,
    *ticks: Callable[[float], None],
    reports: Reports | None = None,
    registry: Registry | None = None,
    retention_seconds: float | None = 3600.0,
) -> Housekeeping:
    return Housekeeping(
        ticks=ticks,
        registry=registry or Registry(),
        archive=store,
        store=store,
        now_us=lambda: NOW_US,
        monotonic=lambda: asyncio.get_running_loop().time(),
        journal=reports or Reports(),
        retention_seconds=retention_seconds,
        resend_seconds=600,
    )


def after(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Let it run for a time that takes none."""

    async def main() -> None:
        try:
            async with asyncio.timeout(seconds):
                await work()
        except TimeoutError:
            return
        raise AssertionError("it has ended")

    run_in_virtual_time(main())


def test_ticks_come_about_once_a_second() -> None:
    times: list[float] = []
    after(5.5, kept(Store(), times.append).run)
    assert [round(time) for time in times] == [1, 2, 3, 4, 5]


def test_a_tick_that_fails_keeps_nothing_else_from_being_done() -> None:
    times: list[float] = []
    reports = Reports()

    def fails(now: float) -> None:
        raise RuntimeError("a bug")

    after(3.5, kept(Store(), fails, times.append, reports=reports).run)
    assert len(times) == 3
    assert [stage for stage, _ in reports.failures] == ["housekeeping"] * 3


def test_ticks_do_not_wait_for_a_slow_store() -> None:
    times: list[float] = []
    store = Store(seconds=45)
    after(120.5, kept(store, times.append).run)
    assert len(times) == 120
    assert len(store.purged) == 1


def test_upkeep_removes_what_is_old_until_there_is_no_more() -> None:
    store = Store(rows=2 * housekeeping.ROWS_PER_COMMIT + 1, pages=3)
    after(housekeeping.UPKEEP_SECONDS + 0.5, kept(store).run)
    assert store.rows == 0
    assert store.purged == [NOW_US - 3_600_000_000] * 3
    assert store.swept == [(page, NOW_US - 600_000_000) for page in range(3)]


def test_without_retention_the_archive_is_kept() -> None:
    store = Store(rows=1)
    after(housekeeping.UPKEEP_SECONDS + 0.5, kept(store, retention_seconds=None).run)
    assert (store.purged, store.rows, len(store.swept)) == ([], 1, 1)


def test_upkeep_that_fails_is_reported_and_tried_again() -> None:
    store, reports = Store(failing=True), Reports()
    after(2 * housekeeping.UPKEEP_SECONDS + 0.5, kept(store, reports=reports).run)
    assert [stage for stage, _ in reports.failures] == ["upkeep"] * 4
    store.failing = False
    after(housekeeping.UPKEEP_SECONDS + 0.5, kept(store).run)
    assert len(store.purged) == len(store.swept) == 1


def test_tells_the_store_what_clients_have_had() -> None:
    told: list[Mapping[int, int]] = []

    class Listens(Store):
        async def sweep(self, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Step:
            told.append(dict(acknowledged))
            return Step(None)

    async def main() -> None:
        async with Edge("anna", "bruno") as edge:
            anna, bruno = await edge.login("anna", "phone", managed=True), await edge.login("bruno", "desk")
            anna.acknowledge()
            had = anna.wire.count
            bruno.send('<message to="anna@corp.example" type="chat"><body>not had yet</body></message>')
            await edge.settle()
            with suppress(TimeoutError):
                async with asyncio.timeout(housekeeping.UPKEEP_SECONDS + 0.5):
                    await kept(Listens(), registry=edge.parts.registry).run()
            assert told[0][anna.session.key] == had < anna.wire.count

    run_in_virtual_time(main())
