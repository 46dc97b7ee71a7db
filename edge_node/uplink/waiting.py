"""Waiting for one commit."""

import asyncio


class Commit:
    """Settled once by the store; awaited by who needs the outcome."""

    def __init__(self) -> None:
        self._future: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def settle(self, error: Exception | None) -> None:
        """Give the outcome; nobody may be waiting any more."""
        if not self._future.done():
            self._future.set_result(error)

    async def wait(self) -> Exception | None:
        """The outcome: None after the commit."""
        return await self._future
