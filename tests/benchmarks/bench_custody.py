"""CPU of custody: one accepted message with two archive rows, through the embedded store, all threads counted.

Run with `python tests/benchmarks/bench_custody.py`; prints a table.  Every figure is the median of several rounds, and
the rounds of the cases alternate, so that the machine's noise meets all of them.
"""

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import uvloop

from chassis.clock import SystemClock
from edge_node.adapters.sqlite import SqliteStore, StoreSettings, open_store
from edge_node.custody import Acceptance, Entry, EntryFlag

STANZA = b"<message from='a@corp.example/r' to='b@corp.example' type='chat' id='0'><body>%s</body></message>" % (
    b"x" * 160
)
ROUNDS = 5
FIRST_ID = 1_800_000_000_000_000
SESSION = 1 << 40


def cpu_seconds() -> float:
    """User and system time of the process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Traffic:
    """Messages between random pairs of accounts."""

    def __init__(self, accounts: int, *, archived: bool) -> None:
        self._names = [f"account{number:05}@corp.example" for number in range(accounts)]
        self._random = Random(7)
        self._id = FIRST_ID
        self._flags = int(EntryFlag.ARCHIVED) if archived else 0
        self._archived = archived

    def take(self, count: int) -> list[Acceptance]:
        """The next `count` acceptances."""
        return [self._message() for _ in range(count)]

    def _message(self) -> Acceptance:
        sender, recipient = self._random.sample(self._names, 2)
        self._id += self._random.randrange(1, 2_000)
        acceptance = Acceptance(self._id, session=SESSION, number=1)
        acceptance.stanza = STANZA
        delivered = Entry(recipient, sender, outgoing=False, flags=self._flags, deliveries=((SESSION, 7),))
        sent = Entry(sender, recipient, outgoing=True, flags=self._flags)
        acceptance.entries = [sent, delivered] if self._archived else [delivered]
        return acceptance


class Case:
    """One line of the table: a store of its own, filled before it is measured."""

    def __init__(self, batch: int, accounts: int, *, archived: bool = True) -> None:
        self.batch = batch
        self.accounts = accounts
        self.archived = archived
        self.figures: list[float] = []
        self._traffic = Traffic(accounts, archived=archived)

    async def open(self, folder: Path, filled: int) -> None:
        """Make the store and put `filled` messages into it."""
        path = folder / f"{self.batch}-{self.accounts}-{self.archived}.sqlite"
        self._store: SqliteStore = await open_store(path, StoreSettings(), SystemClock().now_us())
        for start in range(0, filled, 10_000):
            await submit(self._store, self._traffic.take(min(10_000, filled - start)), 1_000)

    async def measure(self, messages: int) -> None:
        """Accept `messages` in batches; keep the CPU per message in microseconds."""
        acceptances = self._traffic.take(messages)
        before = cpu_seconds()
        await submit(self._store, acceptances, self.batch)
        self.figures.append((cpu_seconds() - before) / messages * 1e6)

    async def close(self) -> None:
        """Let go of the store."""
        await self._store.close()


async def submit(store: SqliteStore, acceptances: list[Acceptance], batch: int) -> None:
    """Accept everything, `batch` messages a commit: the next batch is submitted when the last is answered."""
    finished = asyncio.get_running_loop().create_future()
    batches: Iterator[list[Acceptance]] = iter(
        [acceptances[start : start + batch] for start in range(0, len(acceptances), batch)]
    )

    def one_done(error: Exception | None) -> None:
        if error is not None and not finished.done():
            finished.set_exception(error)

    def last_done(error: Exception | None) -> None:
        one_done(error)
        following = next(batches, None)
        if following is not None:
            accept_batch(following)
        elif not finished.done():
            finished.set_result(None)

    def accept_batch(following: list[Acceptance]) -> None:
        for acceptance in following[:-1]:
            store.custody.accept(acceptance, one_done)
        store.custody.accept(following[-1], last_done)

    accept_batch(next(batches))
    await finished


async def run(messages: int, filled: int) -> None:
    """Measure every case and print the table."""
    cases = [Case(batch, 30_000) for batch in (1, 10, 50, 200, 1_000)]
    cases += [Case(50, 1_000), Case(50, 30_000, archived=False), Case(200, 30_000, archived=False)]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            await case.open(Path(folder), filled)
        for _ in range(ROUNDS):
            for case in cases:
                await case.measure(min(messages, case.batch * 400))
        for case in cases:
            await case.close()
    out = sys.stdout.write
    out(f"{messages} messages a round, {ROUNDS} rounds, {filled} in the store\n")
    out(f"{'batch':>6} {'accounts':>9} {'archive':>8} {'median us':>10} {'lowest':>7} {'highest':>8}\n")
    for case in cases:
        figures = case.figures
        out(
            f"{case.batch:>6} {case.accounts:>9} {'on' if case.archived else 'off':>8} "
            f"{statistics.median(figures):>10.1f} {min(figures):>7.1f} {max(figures):>8.1f}\n"
        )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="per round and case")
    parser.add_argument("--filled", type=int, default=100_000, help="messages in the store before")
    arguments = parser.parse_args()
    uvloop.run(run(arguments.messages, arguments.filled))


if __name__ == "__main__":
    main()
