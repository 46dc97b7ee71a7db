"""Commits that a test can hold back, let go, make fail, or lose in a crash."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from edge_node.adapters.memory.tables import Tables
from edge_node.adapters.store import StoreCounters
from edge_node.custody.port import Acceptance, Done, StoreUnavailable

T = TypeVar("T")


class Submission(NamedTuple):
    """One write, or a barrier."""

    apply: Callable[[Tables], object] | None
    done: Done | None
    """None: fire and forget, so retried until it is committed."""
    is_acceptance: bool = False


class CommitLog:
    """Implements `Custody`, and takes every other write; commits in the next turn of the loop, unless held."""

    def __init__(self, tables: Tables, counters: StoreCounters) -> None:
        self._tables = tables
        self._counters = counters
        self._waiting: deque[Submission] = deque()
        self._is_held = False
        self._is_scheduled = False
        self._is_closed = False
        self._fulfilled = 0
        self.is_failing = False
        """Set by a test: commits fail, as on a full disk."""
        self.commit_seconds: Callable[[], float] | None = None
        """Set by a test: how long the next commit takes; what is submitted meanwhile joins it."""

    @property
    def backlog(self) -> int:
        return sum(each.is_acceptance for each in self._waiting)

    def accept(self, acceptance: Acceptance, done: Done) -> None:
        self._submit(Submission(lambda tables: tables.accept(acceptance), done, is_acceptance=True))

    def fulfilled(self, id: int) -> None:
        self._fulfilled = max(self._fulfilled, id)

    @property
    def last_fulfilled(self) -> int:
        """What was given to `fulfilled`, committed or not."""
        return max(self._fulfilled, self._tables.fulfilled)

    def barrier(self, done: Done) -> None:
        if self._waiting:
            self._submit(Submission(None, done))
        else:
            done(None)

    def write(self, apply: Callable[[Tables], object]) -> None:
        """Submit a fire-and-forget write."""
        if not self._is_closed:
            self._submit(Submission(apply, None))

    async def run(self, work: Callable[[Tables], T]) -> T:
        """Run `work` in the next commit; its result once that is made."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        results: list[T] = []

        def resolve(error: Exception | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(results[0])
            else:
                answer.set_exception(error)

        self._submit(Submission(lambda tables: results.append(work(tables)), resolve))
        return await answer

    def hold(self) -> None:
        """Commit nothing until `release`."""
        self._is_held = True

    def release(self) -> None:
        """Commit now what waits, and go on as usual."""
        self._is_held = False
        self._commit()

    def crash(self, *, is_committed: bool) -> None:
        """Answer nobody, and commit what was submitted or lose it.  What follows finds the store as after a restart."""
        if is_committed and not self.is_failing:
            self._tables.fulfilled = self.last_fulfilled
            for submission in self._waiting:
                self._apply(submission, None)
        self._waiting.clear()
        self._fulfilled = 0
        self._is_held = False

    def close(self) -> None:
        """Commit what was submitted; refuse what comes later."""
        self._commit()
        self._is_closed = True

    def _submit(self, submission: Submission) -> None:
        self._waiting.append(submission)
        if not self._is_scheduled:
            self._is_scheduled = True
            loop = asyncio.get_running_loop()
            if self.commit_seconds is None:
                loop.call_soon(self._turn)
            else:
                loop.call_later(self.commit_seconds(), self._turn)

    def _turn(self) -> None:
        self._is_scheduled = False
        if not self._is_held:
            self._commit()

    def _commit(self) -> None:
        if not any(each.apply for each in self._waiting):
            self._answer([None] * len(self._waiting))
            return
        submissions = list(self._waiting)
        failing = StoreUnavailable("the store cannot commit") if self.is_failing or self._is_closed else None
        if failing is None:
            self._counters.commits += 1
            self._tables.fulfilled = self.last_fulfilled
        else:
            self._counters.failures += 1
        self._answer([self._apply(each, failing) for each in submissions])

    def _answer(self, outcomes: list[Exception | None]) -> None:
        """Tell everybody.  What is not told yet stays in the queue: a barrier set by a `done` comes after it."""
        for outcome in outcomes:
            submission = self._waiting.popleft()
            if submission.done is not None:
                submission.done(outcome)
            elif outcome is not None:
                self._counters.retried += 1
                self._waiting.append(submission)

    def _apply(self, submission: Submission, failing: StoreUnavailable | None) -> Exception | None:
        if submission.apply is None:
            return None
        outcome: Exception | None = failing
        if failing is None:
            try:
                submission.apply(self._tables)
            except ValueError as error:
                outcome = StoreUnavailable(str(error))
        if submission.is_acceptance:
            self._counters.acceptances += outcome is None
            self._counters.refused += outcome is not None
        return outcome
