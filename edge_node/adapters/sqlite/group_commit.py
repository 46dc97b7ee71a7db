"""The loop's side of the writer: what is submitted during one commit goes into the next.

Rule: answers are given on the loop, in the order of submission, with one wake-up of the loop per commit.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import structlog

from edge_node.adapters.sqlite.batch import Batch, Operation, Standing
from edge_node.adapters.sqlite.commit import Committer
from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.settings import StoreSettings
from edge_node.adapters.store import StoreCounters
from edge_node.custody.port import Acceptance, Done, StoreUnavailable

T = TypeVar("T")

log = structlog.get_logger()


class GroupCommit:
    """Implements `Custody`, and takes every other write."""

    def __init__(self, committer: Committer, settings: StoreSettings, counters: StoreCounters) -> None:
        """Start the writer's thread; on the event loop that will submit."""
        self._loop = asyncio.get_running_loop()
        self._committer = committer
        self._settings = settings
        self._counters = counters
        self._batch_max = settings.batch_acceptances_max
        self._backlog_max = settings.backlog_acceptances_max
        self._backlog = 0
        self._operations = 0
        self._gathering = Batch()
        self._full: deque[Batch] = deque()
        self._in_flight = Standing()
        """Of the batch that the writer has, or had last."""
        self._is_resting = True
        """No batch is with the writer or about to be."""
        self._started = -settings.gather_seconds
        """When the last batch went to the writer."""
        self._is_failing = False
        self._unanswered: deque[Batch] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] | None = None
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    @property
    def backlog(self) -> int:
        return self._backlog

    def uncommitted(self) -> Iterator[Standing]:
        """Fire-and-forget writes that readers do not see yet, oldest first; some may be committed already."""
        yield self._in_flight
        for batch in self._full:
            yield batch.standing
        yield self._gathering.standing

    def accept(self, acceptance: Acceptance, done: Done) -> None:
        batch = self._gathering
        if self._backlog >= self._backlog_max or self._closed is not None:
            self._refuse(batch, done)
            return
        self._backlog += 1
        batch.acceptances.append(acceptance)
        batch.dones.append(done)
        if len(batch.acceptances) >= self._batch_max:
            self._full.append(batch)
            self._gathering = Batch()
        if self._is_resting:
            self._begin()

    def barrier(self, done: Done) -> None:
        """As the port says, also after fire-and-forget writes; with nothing pending, `done` is called at once.

        It tells the order, not durability: `done` gets None also when what came before could not be committed.
        """
        batch = self._gathering
        if self._is_resting and not batch.is_due and not self._unanswered:
            done(None)
            return
        batch.aside[len(batch.dones)] = None
        batch.dones.append(done)
        self._wake()

    def fulfilled(self, id: int) -> None:
        """As the port says.  It goes with the next commit, or by itself when none comes for a while."""
        standing = self._gathering.standing
        if id > standing.fulfilled:
            standing.fulfilled = id
            if self._flush is None and self._closed is None:
                self._flush = self._loop.call_later(self._settings.idle_seconds, self._flush_fulfilled)

    def write(self, change: Callable[[Standing], None]) -> None:
        """Submit fire-and-forget writes: `change` adds them to what goes into the next commit."""
        if self._closed is None:
            change(self._gathering.standing)
            self._wake()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` inside the next commit, on the writer's thread; its result once that is durable.

        Raises:
            StoreUnavailable: no commit, or too many wait.
        """
        if self._closed is not None or self._operations >= self._settings.backlog_operations_max:
            raise StoreUnavailable("the store is closed" if self._closed else "too many changes wait for the store")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._operations += 1
        self._gathering.operations.append(Operation(work, answer))
        self._wake()
        return await answer

    async def close(self) -> None:
        """Commit what was submitted, merge, checkpoint, end the thread.  Calling it again is harmless."""
        if self._closed is None:
            self._closed = self._loop.create_future()
            if self._flush is not None:
                self._flush.cancel()
            if self._is_resting:
                self._is_resting = False
                self._turn()
        await asyncio.shield(self._closed)
        self._writer.join()

    def _refuse(self, batch: Batch, done: Done) -> None:
        self._counters.refused += 1
        reason = StoreUnavailable("the store is closed" if self._closed else "too many messages wait for the store")
        batch.aside[len(batch.dones)] = reason
        batch.dones.append(done)
        self._wake()

    def _wake(self) -> None:
        if self._is_resting:
            self._begin()

    def _begin(self) -> None:
        """Leave the rest: at once when the last commit is some time ago, else when enough time has gone to gather."""
        self._is_resting = False
        wait = self._gathers_for()
        if wait > 0:
            self._loop.call_later(wait, self._turn)
        else:
            self._loop.call_soon(self._turn)

    def _gathers_for(self) -> float:
        """Seconds until the next commit may start: a commit costs its fsync, however little is in it."""
        if self._full or self._closed is not None:
            return 0.0
        return self._started + self._settings.gather_seconds - self._loop.time()

    def _turn(self) -> None:
        self._start()
        self._answer()

    def _start(self) -> None:
        """Give the writer what has gathered; with nothing, rest."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        while self._full or self._gathering.is_due:
            batch = self._full.popleft() if self._full else self._next()
            if batch.has_writes:
                self._in_flight = batch.standing
                self._started = self._loop.time()
                self._queue.put(batch)
                return
            self._finish(batch)
        if self._closed is not None and not self._closed.done():
            if self._gathering.standing.fulfilled:
                self._queue.put(self._next())
            else:
                self._queue.put(None)
        else:
            self._is_resting = True

    def _next(self) -> Batch:
        batch, self._gathering = self._gathering, Batch()
        return batch

    def _flush_fulfilled(self) -> None:
        self._flush = None
        if self._is_resting and self._gathering.standing.fulfilled:
            self._is_resting = False
            self._queue.put(self._next())

    def _committed(self, batch: Batch) -> None:
        """The writer is done with a batch: start the next, then tell everybody."""
        self._backlog -= len(batch.acceptances)
        self._finish(batch)
        failed = self._note(batch)
        if batch.standing or batch.standing.fulfilled:
            self._retain(batch.standing)
        if failed and not self._full and not self._gathering.dones and not self._gathering.operations:
            self._rest_after_failure()
        elif self._gathering.is_due and (wait := self._gathers_for()) > 0:
            self._loop.call_later(wait, self._turn)
        else:
            self._start()
        self._answer()

    def _note(self, batch: Batch) -> bool:
        failures = [batch.failure] if batch.failure else [each for each in batch.outcomes or () if each]
        if failures:
            self._counters.failures += 1
            self._counters.refused += len(batch.acceptances) if batch.failure else len(failures)
        if bool(batch.failure) != self._is_failing:
            self._is_failing = bool(batch.failure)
            if batch.failure:
                self._log("store_unavailable", reason=str(batch.failure))
            else:
                self._log("store_available")
        elif failures and not batch.failure:
            self._log("acceptance_refused_by_store", count=len(failures), reason=str(failures[0]))
        return bool(batch.failure)

    def _log(self, event: str, **facts: object) -> None:
        """In a turn of its own: a log on the same full disk may raise, and that must not keep anybody waiting."""
        self._loop.call_soon(partial(log.warning, event, **facts))

    def _retain(self, standing: Standing) -> None:
        """What nobody waits for, and must not be lost, goes into the next commit."""
        self._counters.retried += len(standing)
        left_out = self._gathering.standing.add_older(standing, self._settings.retained_writes_max)
        if left_out:
            self._counters.dropped += left_out
            self._log("store_writes_dropped", count=left_out)

    def _rest_after_failure(self) -> None:
        if self._closed is not None:
            if self._gathering.standing:
                self._counters.dropped += len(self._gathering.standing)
                self._log("store_writes_dropped", count=len(self._gathering.standing))
            self._gathering = Batch()
            self._queue.put(None)
            return
        self._is_resting = True
        if self._gathering.standing:
            self._retry = self._loop.call_later(self._settings.retry_seconds, self._wake)

    def _finish(self, batch: Batch) -> None:
        self._operations -= len(batch.operations)
        for operation in batch.operations:
            operation.resolve(batch.failure)
        if batch.dones:
            self._unanswered.append(batch)

    def _answer(self) -> None:
        unanswered = self._unanswered
        try:
            while unanswered:
                unanswered[0].answer()
                unanswered.popleft()
        except BaseException:
            # The loop reports what a `done` raised; the others are answered in the next turn.
            self._loop.call_soon(self._answer)
            raise

    # ------------------------------------------------------------------------------------ on the writer's thread

    def _write(self) -> None:
        committer, idle_seconds = self._committer, self._settings.idle_seconds
        while True:
            try:
                batch = self._queue.get(timeout=idle_seconds)
            except queue.Empty:
                committer.rest()
                batch = self._queue.get()
            if batch is None:
                break
            committer.commit(batch)
            self._loop.call_soon_threadsafe(self._committed, batch)
            committer.merge_if_due()
        committer.close()
        self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        if self._closed is not None:
            self._closed.set_result(None)
        self._turn()
