"""One SQLite file for the hub: opening, migrating, one writer thread with group commit, one reader thread.

Durability: WAL with synchronous=FULL; a job's answer is given after the commit it was part of.
Order: jobs are committed in the order of submission.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from central_hub.storage import StoreUnavailable

Result = TypeVar("Result")
Job = Callable[[sqlite3.Connection], Result]
Answer = Callable[[Result | None, Exception | None], None]
Submission = tuple[Job[object], Answer[object]]

JOBS_PER_COMMIT_MAX = 4096
BUSY_TIMEOUT_SECONDS = 5.0


class NewerStore(Exception):
    """The file was written by a later release; migrations are forward only."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        """Name the file and both versions."""
        super().__init__(
            f"{path} has schema version {found}, this release knows up to {known}: "
            "run the release that wrote it, or a later one"
        )


class Database:
    """The file.  `submit` and `read` are called on the event loop; jobs run in threads, in order of submission."""

    def __init__(self, path: Path, migrations: Sequence[str], *, backlog_max: int) -> None:
        """Open and migrate (blocking: done at start).

        Args:
            path: the file; created with its tables when absent.
            migrations: scripts; number n takes the schema from version n to n + 1.
            backlog_max: jobs that may wait for the writer; beyond it `submit` answers StoreUnavailable.

        Raises:
            NewerStore: a later release wrote the file.
            sqlite3.Error: it can't be opened.
        """
        self._path = path
        with closing(self._connect()) as connection:
            migrate(connection, path, migrations)
        self._loop = asyncio.get_running_loop()
        self._backlog_max = backlog_max
        self._backlog = 0
        self._jobs: SimpleQueue[Submission | None] = SimpleQueue()
        self._reader_connection = self._connect()
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="hub-store-reader")
        self._writer = Thread(target=self._write, name="hub-store-writer", daemon=True)
        self._writer.start()

    @property
    def backlog(self) -> int:
        """Jobs that wait for a commit."""
        return self._backlog

    def submit(self, job: Job[Result], answer: Answer[Result]) -> None:
        """Run `job` in the writer thread; call `answer` on the loop after the commit, in order of submission."""
        if self._backlog >= self._backlog_max:
            self._loop.call_soon(answer, None, StoreUnavailable(f"{self._backlog} writes wait already"))
            return
        self._backlog += 1
        self._jobs.put((job, answer))  # type: ignore[arg-type]  # they agree on Result

    async def write(self, job: Job[Result]) -> Result:
        """Run `job` in the writer thread and return its result after the commit; raise StoreUnavailable."""
        future: asyncio.Future[Result] = self._loop.create_future()

        def answer(result: Result | None, error: Exception | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

        self.submit(job, answer)
        return await future

    async def read(self, job: Job[Result]) -> Result:
        """Run `job` in the reader thread: it sees everything answered before this call; raise StoreUnavailable."""
        try:
            return await self._loop.run_in_executor(self._readers, job, self._reader_connection)
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    async def close(self) -> None:
        """Commit what was submitted, then close.  Bounded by the disk."""
        self._jobs.put(None)
        await self._loop.run_in_executor(self._readers, self._writer.join)
        self._readers.shutdown()
        self._reader_connection.close()

    def _connect(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)  # SQLite gives its other files the same mode
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_SECONDS
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _write(self) -> None:
        with closing(self._connect()) as connection:
            while (group := self._group()) is not None:
                outcomes = commit(connection, [job for job, _ in group])
                answers = [(answer, *outcome) for (_, answer), outcome in zip(group, outcomes, strict=True)]
                try:
                    self._loop.call_soon_threadsafe(self._answer, answers)
                except RuntimeError:  # the loop is closed: nobody is left to be told
                    return

    def _group(self) -> list[Submission] | None:
        """Wait for one job and take what else has gathered; None after `close`, when nothing is left."""
        first = self._jobs.get()
        if first is None:
            return None
        group = [first]
        while len(group) < JOBS_PER_COMMIT_MAX:
            try:
                more = self._jobs.get_nowait()
            except Empty:
                break
            if more is None:
                self._jobs.put(None)
                break
            group.append(more)
        return group

    def _answer(self, answers: list[tuple[Answer[object], object, Exception | None]]) -> None:
        self._backlog -= len(answers)
        for answer, result, error in answers:
            answer(result, error)


def commit(connection: sqlite3.Connection, jobs: Sequence[Job[object]]) -> list[tuple[object, Exception | None]]:
    """Run `jobs` in one transaction: all are kept, or all are answered with the reason (StoreUnavailable)."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        results: list[tuple[object, Exception | None]] = [(job(connection), None) for job in jobs]
        connection.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - a job's own fault must reach its author, not end the writer
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        reason = StoreUnavailable(str(error)) if isinstance(error, sqlite3.Error) else error
        return [(None, reason)] * len(jobs)
    return results


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    """Bring the schema to the newest version, one transaction per step."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > len(migrations):
        raise NewerStore(path, found, len(migrations))
    for number in range(found, len(migrations)):
        connection.executescript(f"BEGIN;\n{migrations[number]};\nPRAGMA user_version = {number + 1};\nCOMMIT;")
