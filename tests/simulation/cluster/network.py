"""What lies between processes: lanes that delay, connections that break, and nobody who says so."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

import grpc.aio

T = TypeVar("T")

STEP_SECONDS = 1e-6
"""Between two arrivals on one lane, so that timers cannot change their order."""


class Lane(Generic[T]):
    """One direction: everything arrives in order, each thing after a delay of its own, until the lane is cut."""

    def __init__(self, random: Random, seconds_max: float, receive: Callable[[T], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._random = random
        self._seconds_max = seconds_max
        self._receive = receive
        self._last = 0.0
        self.is_cut = False

    def send(self, thing: T) -> None:
        delay = self._random.uniform(0.0002, self._seconds_max)
        self._last = max(self._last + STEP_SECONDS, self._loop.time() + delay)
        self._loop.call_at(self._last, self._arrive, thing)

    def _arrive(self, thing: T) -> None:
        if not self.is_cut:
            self._receive(thing)


class Call:
    """One end of a call between a site and the hub, as `cascade.transport.stream.Call` has it."""

    def __init__(self, random: Random, seconds_max: float) -> None:
        self._arrived: asyncio.Queue[object] = asyncio.Queue()
        self.lane: Lane[object] = Lane(random, seconds_max, self._arrived.put_nowait)
        self._error: ConnectionError | None = None
        self._other: Call | None = None

    @classmethod
    def pair(cls, random: Random, seconds_max: float) -> "tuple[Call, Call]":
        """Both ends of a new call."""
        one, other = cls(random, seconds_max), cls(random, seconds_max)
        one._other, other._other = other, one
        return one, other

    async def read(self) -> object:
        if self._error is not None:
            raise self._error
        arrived = await self._arrived.get()
        if isinstance(arrived, ConnectionError):
            self._error = arrived
            raise arrived
        return arrived

    async def write(self, message: bytes, /) -> None:
        if self._error is not None:
            raise self._error
        assert self._other is not None
        self._other.lane.send(bytes(message))
        await asyncio.sleep(0)

    def end(self, reason: str = "") -> None:
        """Close this end; the other one reads why, after what was written before."""
        assert self._other is not None
        self._error = ConnectionError("closed here")
        self._other.lane.send(ConnectionError(reason) if reason else grpc.aio.EOF)

    def cut(self) -> None:
        """Nothing crosses any more, in either direction, and no end is told."""
        assert self._other is not None
        self.lane.is_cut = self._other.lane.is_cut = True

    def notice(self) -> None:
        """This end finds out."""
        self._arrived.put_nowait(ConnectionError("the connection was reset"))
