"""Reading beside the writer: a few threads, each with a connection and so a view of its own."""

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from edge_node.adapters.sqlite.connection import Connection, open_reader, reading
from edge_node.adapters.sqlite.settings import StoreSettings
from edge_node.custody.port import StoreUnavailable

T = TypeVar("T")


class Readers:
    """A bounded pool of readers of an existing store."""

    def __init__(self, path: Path, settings: StoreSettings) -> None:
        self._waiting_max = settings.backlog_reads_max
        self._waiting = 0
        self._is_closed = False
        # As many connections as threads: a thread never waits for one.
        self._connections: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        for _ in range(settings.readers):
            self._connections.put(open_reader(path, cache_bytes=settings.cache_bytes))
        self._threads = ThreadPoolExecutor(settings.readers, thread_name_prefix="store-reader")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a reader's thread, with one view of everything committed before the call.

        Raises:
            StoreUnavailable: the store cannot be read, or too many reads wait.
        """
        if self._is_closed or self._waiting >= self._waiting_max:
            raise StoreUnavailable("the store is closed" if self._is_closed else "too many reads wait for the store")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads; a read under way is finished first."""
        self._is_closed = True
        self._threads.shutdown()
        while not self._connections.empty():
            self._connections.get().close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        connection = self._connections.get()
        try:
            with reading(connection):
                return work(connection)
        finally:
            self._connections.put(connection)
