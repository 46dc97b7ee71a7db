"""What goes into one commit."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from edge_node.adapters.sqlite.connection import Connection
from edge_node.custody.port import Acceptance, Done, StoreUnavailable
from edge_node.sessions.store import SessionRecord


class Standing:
    """Fire-and-forget writes.  The newest of each kind and key counts, so waiting does not make them more."""

    __slots__ = ("departures", "fulfilled", "numbers", "positions", "sessions", "trimmed", "waits")

    def __init__(self) -> None:
        self.sessions: dict[int, SessionRecord | None] = {}
        """Key to the record to keep, or None to delete."""
        self.positions: dict[str, int] = {}
        """Account to the position up to which offline messages were delivered."""
        self.departures: dict[str, int] = {}
        """Account to when its last session ended."""
        self.waits: dict[tuple[str, int], bool] = {}
        """Account and id of a row that waits after all, or that was reopened and waits no more."""
        self.numbers: dict[tuple[str, int, int], int] = {}
        """Account and id of a row, and session, to the row's new number there."""
        self.trimmed = 0
        """The outbox sequence that the hub answers for."""
        self.fulfilled = 0
        """The id up to which messages were handed on.  It alone is not worth a commit, and is not counted."""

    def __len__(self) -> int:
        about_accounts = len(self.sessions) + len(self.positions) + len(self.departures)
        return about_accounts + len(self.waits) + len(self.numbers) + (1 if self.trimmed else 0)

    def add_older(self, older: "Standing", limit: int) -> int:
        """Take what `older` has and this one has not newer, up to `limit` writes; how many did not fit."""
        self.trimmed = max(self.trimmed, older.trimmed)
        self.fulfilled = max(self.fulfilled, older.fulfilled)
        for account, position in self.positions.items():
            self.positions[account] = max(position, older.positions.get(account, 0))
        left_out = 0
        for mine, others in self._tables(older):
            for key, value in others.items():
                if key in mine:
                    continue
                if len(self) >= limit:
                    left_out += 1
                else:
                    mine[key] = value
        return left_out

    def parts(self) -> Iterator["Standing"]:
        """Every write on its own."""
        for index, (table, _) in enumerate(self._tables(self)):
            for key, value in table.items():
                part = Standing()
                part._tables(part)[index][0][key] = value
                yield part
        part = Standing()
        part.trimmed, part.fulfilled = self.trimmed, self.fulfilled
        yield part

    def _tables(self, other: "Standing") -> list[tuple[dict[Any, Any], dict[Any, Any]]]:
        """The tables of this one, each with that of the other."""
        return [
            (self.sessions, other.sessions),
            (self.positions, other.positions),
            (self.departures, other.departures),
            (self.waits, other.waits),
            (self.numbers, other.numbers),
        ]


class Operation:
    """A change whose caller waits for the commit and for a result.

    Its result is Any because operations of every kind wait in one list; `GroupCommit.run` gives it its type back.
    """

    __slots__ = ("answer", "error", "result", "work")

    def __init__(self, work: Callable[[Connection], Any], answer: asyncio.Future[Any]) -> None:
        self.work = work
        self.answer = answer
        self.result: Any = None
        self.error: Exception | None = None

    def resolve(self, failure: Exception | None) -> None:
        """Tell the caller; on the loop.  `failure`: there was no commit."""
        if self.answer.done():
            return
        error = failure or self.error
        if error is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(error)


class Batch:
    """Everything that was submitted for one commit, and what became of it."""

    __slots__ = ("_answered", "acceptances", "aside", "dones", "failure", "operations", "outcomes", "standing")

    def __init__(self) -> None:
        self.acceptances: list[Acceptance] = []
        self.dones: list[Done] = []
        """Answers due after the commit, in the order of submission: one per acceptance, and those of `aside`."""
        self.aside: dict[int, StoreUnavailable | None] = {}
        """Index in `dones` of those that have no acceptance here (barriers, refusals): what they are told."""
        self.operations: list[Operation] = []
        self.standing = Standing()
        """After the commit: what is still to be written."""
        self.failure: Exception | None = None
        """Why there was no commit at all."""
        self.outcomes: list[Exception | None] | None = None
        """By acceptance, when it was not the same for all."""
        self._answered = 0

    @property
    def is_due(self) -> bool:
        """Whether somebody waits for an answer, or something must be written."""
        return bool(self.dones or self.operations or self.standing)

    @property
    def has_writes(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.acceptances or self.operations or self.standing or self.standing.fulfilled)

    def answer(self) -> None:
        """Tell everybody what became of it, in order; when one raises, the next call goes on behind that one."""
        dones = self.dones
        outcomes = self._outcomes() if self.aside or self.outcomes is not None else None
        while self._answered < len(dones):
            index = self._answered
            self._answered = index + 1
            dones[index](self.failure if outcomes is None else outcomes[index])

    def _outcomes(self) -> list[Exception | None]:
        """By index in `dones`."""
        outcomes = iter(self.outcomes if self.outcomes is not None else [self.failure] * len(self.acceptances))
        return [self.aside[index] if index in self.aside else next(outcomes) for index in range(len(self.dones))]
