"""An event loop whose clock jumps to the next timer: hours of waiting take milliseconds, and every run is the same.

There is no I/O on it: nothing but callbacks, timers and futures.  Its clock begins at 0.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingWillHappen(Exception):
    """Somebody waits, no timer is set and nothing is ready: on a loop without I/O this lasts for ever."""


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """Takes the place of the selector, of which `BaseEventLoop` wants `select` only."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self
        self.unix_sockets: dict[str, Callable[[asyncio.Protocol], None]] = {}
        """By path: what connects a protocol."""

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> tuple[()]:
        """Let the time pass that the loop would wait."""
        if timeout is None:
            raise NothingWillHappen
        self._now += timeout
        return ()

    async def create_unix_connection(  # type: ignore[override]  # what the product uses of it
        self, factory: Callable[[], asyncio.Protocol], path: str
    ) -> None:
        """Connect to what a test has put in place of a Unix socket."""
        self.unix_sockets[path](factory())

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """A signal has come: the loop sees it in its next turn, which is never far."""


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
