"""One stream of frames, whichever side we are on: one reader, one writer, one timer.

Rule: the writer is never cancelled while it writes but to end the link: gRPC ends the call of a cancelled write.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import grpc.aio
import structlog

from cascade.codec import decode_frame, encode_frame
from cascade.frame import Frame
from cascade.link import FailureReason, LinkFailure
from cascade.transport.channel import failure_of
from cascade.wire import MalformedFrame

_log = structlog.get_logger()

_WATCH_SECONDS = 1.0
"""How often a link that may be dead is looked at."""


class Call(Protocol):
    """What a client's call and a server's context have in common."""

    def read(self) -> Awaitable[Any]: ...

    def write(self, message: bytes, /) -> Awaitable[None]: ...


class Role(Protocol):
    """What both roles of a link have in common."""

    def next_frame(self, now: float) -> Frame | None: ...

    def deadline(self, now: float) -> float | None: ...

    def timeout(self, now: float) -> LinkFailure | None: ...


class LinkStream:
    """Moves frames between a call and a link until one of them ends.

    Args:
        call: of gRPC, with frames as bytes.
        role: the link.
        receive: is given each frame of the peer.
        end_of_stream: what `Call.read` returns at the end.
        keeps_encoded: as for `cascade.codec.decode_frame`.

    """

    def __init__(
        self, call: Call, role: Role, receive: Callable[[Frame], None], *, end_of_stream: object, keeps_encoded: bool
    ) -> None:
        self._call = call
        self._role = role
        self._receive = receive
        self._end_of_stream = end_of_stream
        self._keeps_encoded = keeps_encoded
        self._loop = asyncio.get_running_loop()
        self._awake = asyncio.Event()
        self._ended: asyncio.Future[LinkFailure] = self._loop.create_future()

    def wake(self) -> None:
        """Look again whether there is something to send."""
        self._awake.set()

    def end(self, failure: LinkFailure) -> None:
        """End the stream; the first failure counts."""
        if not self._ended.done():
            self._ended.set_result(failure)

    async def run(self) -> LinkFailure:
        """Move frames until the end; return why it came."""
        async with asyncio.TaskGroup() as tasks:
            movers = [tasks.create_task(self._read()), tasks.create_task(self._write())]
            failure = await self._until_end()
            for mover in movers:
                mover.cancel()
        return failure

    async def _until_end(self) -> LinkFailure:
        while not self._ended.done():
            failure = self._role.timeout(self._loop.time())
            if failure is not None:
                self.end(failure)
            await asyncio.wait((self._ended,), timeout=_WATCH_SECONDS)
        return self._ended.result()

    async def _read(self) -> None:
        while not self._ended.done():  # what came after the end must not count: it would overtake what is sent again
            try:
                data = await self._call.read()
            except Exception as error:  # noqa: BLE001 - gRPC raises errors of its own and of its core: the call is over
                self._lose(error)
                return
            if self._ended.done():  # whoever ended it counts on nothing more coming
                return
            if data is self._end_of_stream:
                self.end(LinkFailure(FailureReason.LOST, "the peer has ended the stream"))
                return
            try:
                frame = decode_frame(data, keeps_encoded=self._keeps_encoded)
            except MalformedFrame as error:
                self.end(LinkFailure(FailureReason.MALFORMED, str(error)))
                return
            try:
                self._receive(frame)
            except Exception as error:  # noqa: BLE001 - no frame of a peer may end more than its link
                _log.exception("frame_not_taken", error=type(error).__name__)
                self.end(LinkFailure(FailureReason.FAULT, f"a frame could not be taken: {type(error).__name__}"))
                return
            self._awake.set()

    async def _write(self) -> None:
        role, loop, awake = self._role, self._loop, self._awake
        while True:
            awake.clear()
            now = loop.time()
            frame = role.next_frame(now)
            if frame is not None:
                try:
                    await self._call.write(encode_frame(frame))
                except Exception as error:  # noqa: BLE001 - as for reading
                    self._lose(error)
                    return
                continue
            failure = role.timeout(now)
            if failure is not None:  # its deadline has passed: waiting for it would be no waiting
                self.end(failure)
                return
            deadline = role.deadline(now)
            timer = loop.call_at(deadline, awake.set) if deadline is not None else None
            try:
                await awake.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def _lose(self, error: Exception) -> None:
        details = error.details() if isinstance(error, grpc.aio.AioRpcError) else str(error)
        self.end(failure_of(details or type(error).__name__))
