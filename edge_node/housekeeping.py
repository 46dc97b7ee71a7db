"""What has to be done from time to time: expired sessions and requests, old messages."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from edge_node.pipeline.messages import Journal
from edge_node.sessions.registry import Registry

TICK_SECONDS = 1.0
UPKEEP_SECONDS = 60.0
ROWS_PER_COMMIT = 500
"""Rows looked at in one commit of upkeep, so that no message waits long behind it."""


class Archive(Protocol):
    """What grows old."""

    async def purge(self, before_id: int, limit: int) -> int:
        """Remove rows older than an id, at most `limit`; how many were removed."""


class Swept(Protocol):
    """What one step of the sweep did."""

    @property
    def next_id(self) -> int | None:
        """Where to go on; None when the round is over."""


class Sweepable(Protocol):
    """What keeps messages for deliveries only."""

    async def sweep(self, after_id: int, before_id: int, limit: int, acknowledged: Mapping[int, int]) -> Swept:
        """Remove what waits for nobody."""


class Housekeeping:
    """Runs beside the traffic, in small steps.

    Rule: what fails is reported, and done again the next time; it keeps nothing else from being done.
    """

    def __init__(
        self,
        *,
        ticks: Sequence[Callable[[float], None]],
        registry: Registry,
        archive: Archive,
        store: Sweepable,
        now_us: Callable[[], int],
        monotonic: Callable[[], float],
        journal: Journal,
        retention_seconds: float | None,
        resend_seconds: float,
    ) -> None:
        """Compose it.

        Args:
            ticks: called about once a second with the time by `monotonic`: they end what is over.
            registry: who is connected.
            archive: what grows old.
            store: what keeps messages for deliveries only.
            now_us: wall clock.
            monotonic: seconds.
            journal: where failures are reported.
            retention_seconds: how long messages are archived; None: for ever.
            resend_seconds: for how long a client may send again what was taken: nothing younger is swept.
        """
        self._ticks = tuple(ticks)
        self._registry = registry
        self._archive = archive
        self._store = store
        self._now_us = now_us
        self._monotonic = monotonic
        self._journal = journal
        self._retention_seconds = retention_seconds
        self._resend_seconds = resend_seconds

    async def run(self) -> None:
        """Do it until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick_on())
            tasks.create_task(self._upkeep())  # it may take long, and who is to be answered does not wait for it

    def tick(self) -> None:
        """Do what is done about once a second."""
        now = self._monotonic()
        for tick in self._ticks:
            try:
                tick(now)
            except Exception as error:  # noqa: BLE001 - it must not take the core down
                self._journal.failed("housekeeping", error)

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()

    async def _upkeep(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_SECONDS)
            for work in (self._purge, self._sweep):
                try:
                    await work()
                except Exception as error:  # noqa: BLE001 - the store may fail; the next round comes
                    self._journal.failed("upkeep", error)

    async def _purge(self) -> None:
        """Remove what has been archived for long enough."""
        if self._retention_seconds is not None:
            oldest = self._now_us() - int(self._retention_seconds * 1e6)
            while await self._archive.purge(oldest, ROWS_PER_COMMIT) >= ROWS_PER_COMMIT:
                pass

    async def _sweep(self) -> None:
        """Remove what was kept for deliveries that have been made."""
        before_id = self._now_us() - int(self._resend_seconds * 1e6)
        next_id: int | None = 0
        while next_id is not None:
            swept = await self._store.sweep(next_id, before_id, ROWS_PER_COMMIT, self._acknowledged())
            next_id = swept.next_id

    def _acknowledged(self) -> dict[int, int]:
        """By session key, the last number that its client has certainly had."""
        return {session.key: session.received_by_client for session in self._registry.sessions()}
