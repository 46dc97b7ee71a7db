"""Traffic whose loss, doubling or disorder is seen: every pair counts, and every message says who counts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.persons import Person, body_of
from xmpp.stanza import Stanza


@dataclass
class Pair:
    """Two who write to each other's accounts; a message's text is its number."""

    one: Person
    other: Person
    sent: dict[Person, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.sent = {self.one: 0, self.other: 0}

    def write(self, messages: int = 1) -> None:
        """Both write."""
        for sender, recipient in ((self.one, self.other), (self.other, self.one)):
            for number in range(self.sent[sender], self.sent[sender] + messages):
                sender.say(recipient.jid.bare_jid, str(number))
            self.sent[sender] += messages

    async def complete(self) -> None:
        """Wait until everything written has been taken, and has come."""
        await self._completed(self.one, self.other)
        await self._completed(self.other, self.one)

    async def _completed(self, sender: Person, recipient: Person) -> None:
        await sender.taken()
        await recipient.until(
            lambda: len(recipient.bodies) >= self.sent[sender],
            lambda: difference(self._expected(sender), recipient.bodies),
        )

    def _expected(self, sender: Person) -> list[str]:
        return [str(number) for number in range(self.sent[sender])]

    def check(self) -> None:
        """Exactly once, in order, and no error."""
        for sender, recipient in ((self.one, self.other), (self.other, self.one)):
            assert not sender.errors, sender.errors[0].render()
            expected, heard = self._expected(sender), recipient.bodies
            assert heard == expected, f"{sender.jid} to {recipient.jid}: {difference(expected, heard)}"


def difference(expected: Sequence[str], heard: Sequence[str]) -> str:
    """Say what is wrong with a sequence, in few words."""
    lost = [one for one in expected if one not in set(heard)]
    doubled = sorted({one for one in heard if heard.count(one) > 1}, key=int)
    text = f"{len(heard)} of {len(expected)} came; lost {runs(lost)}; doubled {runs(doubled)}"
    return f"{text}; in this order: {runs(heard)}"


def runs(numbers: Sequence[str]) -> str:
    """Numbers in few words: those that follow each other together."""
    found: list[list[int]] = []
    for number in map(int, numbers):
        if found and found[-1][-1] + 1 == number:
            found[-1][-1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{first}-{last}" for first, last in found) or "none"


class Traffic:
    """Many pairs."""

    def __init__(self, people: Sequence[Person], others: Sequence[Person]) -> None:
        self.pairs = [Pair(one, other) for one, other in zip(people, others, strict=True)]

    @property
    def people(self) -> list[Person]:
        """Everybody."""
        return [person for pair in self.pairs for person in (pair.one, pair.other)]

    @property
    def received(self) -> int:
        """How many messages have come, of all pairs."""
        return sum(len(person.messages) for person in self.people)

    @property
    def sent(self) -> int:
        """How many were written."""
        return sum(number for pair in self.pairs for number in pair.sent.values())

    def write(self, messages: int = 1) -> None:
        """Everybody writes so many."""
        for pair in self.pairs:
            pair.write(messages)

    async def spread(self, messages: int, seconds: float) -> None:
        """Everybody writes so many, evenly over a time."""
        for _ in range(messages):
            self.write()
            await asyncio.sleep(seconds / messages)  # the pace of the load; nothing waits for it

    async def arriving(self, messages: int) -> None:
        """Wait until so many have come, of all pairs."""
        enough = asyncio.Event()

        def heard(_message: Stanza) -> None:
            if self.received >= messages:
                enough.set()

        for person in self.people:
            person.on_message = heard
        if self.received < messages:
            async with asyncio.timeout(30):
                await enough.wait()

    async def complete(self) -> None:
        """Wait until everything has come, and check that it came once and in order.

        One more message of everybody follows it: what comes twice comes before that.
        """
        for pair in self.pairs:
            await pair.complete()
        self.write()
        for pair in self.pairs:
            await pair.complete()
            pair.check()


class Probe:
    """A message every 100 ms between two people, and the longest that one took."""

    INTERVAL_SECONDS = 0.1

    def __init__(self, sender: Person, recipient: Person) -> None:
        self._sender = sender
        self._recipient = recipient
        self._left: dict[str, float] = {}
        self.taken: list[float] = []
        """Seconds from socket to socket, of each message."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Probe as long as the context is open."""
        self._recipient.on_message = self._heard
        async with asyncio.TaskGroup() as tasks:
            probing = tasks.create_task(self._run())
            try:
                yield
            finally:
                probing.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            body = f"probe {len(self._left)}"
            self._left[body] = loop.time()
            self._sender.say(self._recipient.jid, body)
            await asyncio.sleep(self.INTERVAL_SECONDS)  # the pace of the probe; nothing waits for it

    def _heard(self, message: Stanza) -> None:
        self.taken.append(asyncio.get_running_loop().time() - self._left[body_of(message) or ""])

    async def longest(self) -> float:
        """Wait for the last one; the longest time that one took."""
        await self._recipient.until(lambda: len(self.taken) == len(self._left))
        assert len(self.taken) > 1
        return max(self.taken)
