"""Answers of a port that calls back."""

import asyncio
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Answers(Generic[Answer]):
    """Collects what a port answers; `next` waits for one and raises what is an exception."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Answer | Exception] = asyncio.Queue()

    def take(self, answer: Answer | Exception) -> None:
        self._queue.put_nowait(answer)

    async def next(self) -> Answer:
        async with asyncio.timeout(5):
            answer = await self._queue.get()
        if isinstance(answer, Exception):
            raise answer
        return answer
