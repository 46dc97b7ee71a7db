"""What has to be done from time to time: expired sessions and requests, old messages."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from edge_node.core.lifecycle import Lifecycle
from edge_node.pipeline.iqs import IQPath
from edge_node.sessions.registry import Registry

_log = structlog.get_logger()

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
    """Runs beside the traffic, in small steps."""

    def __init__(
        self,
        *,
        lifecycle: Lifecycle,
        iqs: IQPath,
        registry: Registry,
        archive: Archive,
        store: Sweepable,
        now_us: Callable[[], int],
        monotonic: Callable[[], float],
        retention_seconds: float | None,
        resend_seconds: float,
    ) -> None:
        """Compose it.

        Args:
            lifecycle: ends what is over.
            iqs: answers what has waited for too long.
            registry: who is connected.
            archive: what grows old.
            store: what keeps messages for deliveries only.
            now_us: wall clock.
            monotonic: seconds.
            retention_seconds: how long messages are archived; None: for ever.
            resend_seconds: for how long a client may send again what was taken: nothing younger is swept.
        """
        self._lifecycle = lifecycle
        self._iqs = iqs
        self._registry = registry
        self._archive = archive
        self._store = store
        self._now_us = now_us
        self._monotonic = monotonic
        self._retention_seconds = retention_seconds
        self._resend_seconds = resend_seconds

    async def run(self) -> None:
        """Do it until cancelled."""
        next_upkeep = self._monotonic() + UPKEEP_SECONDS
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._monotonic()
            self._lifecycle.sweep(now)
            self._iqs.expire(now)
            if now >= next_upkeep:
                next_upkeep = now + UPKEEP_SECONDS
                try:
                    await self._upkeep()
                except Exception as error:  # noqa: BLE001 - the store may fail; the next round comes
                    _log.warning("upkeep_failed", error=str(error))

    async def _upkeep(self) -> None:
        now_us = self._now_us()
        if self._retention_seconds is not None:
            oldest = now_us - int(self._retention_seconds * 1e6)
            while await self._archive.purge(oldest, ROWS_PER_COMMIT) == ROWS_PER_COMMIT:
                pass
        before_id = now_us - int(self._resend_seconds * 1e6)
        next_id: int | None = 0
        while next_id is not None:
            swept = await self._store.sweep(next_id, before_id, ROWS_PER_COMMIT, self._acknowledged())
            next_id = swept.next_id

    def _acknowledged(self) -> dict[int, int]:
        """By session key, the last number that its client has certainly had."""
        return {session.key: session.received_by_client for session in self._registry.sessions()}
