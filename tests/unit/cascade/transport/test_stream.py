"""The stream's mover, over a wire that is two queues."""

import asyncio
from collections import deque

from cascade.codec import decode_frame, encode_frame
from cascade.frame import Frame
from cascade.link import FailureReason, LinkFailure
from cascade.transport.stream import LinkStream

END = object()


class Wire:
    """A call whose peer is the test."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[object] = asyncio.Queue()
        self.written: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> object:
        item = await self.incoming.get()
        if isinstance(item, Exception):
            raise item
        return item

    async def write(self, message: bytes, /) -> None:
        if message == encode_frame(Frame(drain_ms=13)):
            raise OSError("the wire broke")
        self.written.put_nowait(message)


class Role:
    """A link that sends what it is given, and dies when it is told."""

    def __init__(self) -> None:
        self.frames: deque[Frame] = deque()
        self.send_at: float | None = None
        self.failure: LinkFailure | None = None

    def next_frame(self, now: float) -> Frame | None:
        return self.frames.popleft() if self.frames and now >= (self.send_at or 0) else None

    def deadline(self, now: float) -> float | None:
        return self.send_at if self.frames else None

    def timeout(self, now: float) -> LinkFailure | None:
        return self.failure


class Peer:
    """A stream at work, and what it received."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.role = Role()
        self.received: list[Frame] = []
        self.stream = LinkStream(self.wire, self.role, self.received.append, end_of_stream=END, keeps_encoded=False)

    async def run(self) -> LinkFailure:
        async with asyncio.timeout(5):
            return await self.stream.run()


async def test_frames_are_moved_both_ways_until_the_end() -> None:
    peer = Peer()
    peer.role.frames += (Frame(drain_ms=1), Frame(drain_ms=2))
    for item in (encode_frame(Frame(drain_ms=7)), END):
        peer.wire.incoming.put_nowait(item)
    failure = await peer.run()
    assert failure.reason is FailureReason.LOST
    assert peer.received == [Frame(drain_ms=7)]
    assert [decode_frame(peer.wire.written.get_nowait()).drain_ms for _ in range(2)] == [1, 2]


async def test_a_frame_is_sent_when_its_time_has_come_or_when_woken() -> None:
    peer = Peer()
    peer.role.frames.append(Frame(drain_ms=1))
    peer.role.send_at = asyncio.get_running_loop().time() + 0.01
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(peer.run())
        assert decode_frame(await peer.wire.written.get()).drain_ms == 1
        peer.role.frames.append(Frame(drain_ms=2))
        peer.stream.wake()
        assert decode_frame(await peer.wire.written.get()).drain_ms == 2
        first = LinkFailure(FailureReason.LOST, "first")
        peer.stream.end(first)
        peer.stream.end(LinkFailure(FailureReason.LOST, "second"))
        assert await running == first


async def test_what_comes_after_the_end_is_not_received() -> None:
    """A site that could not store what came has forgotten it: what came after it must not be taken."""
    peer = Peer()
    failure = LinkFailure(FailureReason.STORE, "what came could not be stored")

    def received(frame: Frame) -> None:
        peer.received.append(frame)
        peer.stream.end(failure)

    peer.stream = LinkStream(peer.wire, peer.role, received, end_of_stream=END, keeps_encoded=False)
    for number in (1, 2, 3):
        peer.wire.incoming.put_nowait(encode_frame(Frame(drain_ms=number)))
    assert await peer.run() == failure
    assert peer.received == [Frame(drain_ms=1)]


async def test_a_dead_peer_ends_the_stream() -> None:
    peer = Peer()
    peer.role.failure = LinkFailure(FailureReason.SILENT, "nothing heard")
    assert await peer.run() == peer.role.failure


async def test_noise_ends_the_stream() -> None:
    peer = Peer()
    peer.wire.incoming.put_nowait(b"\xff")
    assert (await peer.run()).reason is FailureReason.MALFORMED


async def test_nothing_is_received_after_the_end() -> None:
    peer = Peer()
    for number in (1, 2):
        peer.wire.incoming.put_nowait(encode_frame(Frame(drain_ms=number)))
    received: list[int | None] = []

    def receive(frame: Frame) -> None:
        received.append(frame.drain_ms)
        stream.end(LinkFailure(FailureReason.STORE, "what came could not be stored"))

    stream = LinkStream(peer.wire, peer.role, receive, end_of_stream=END, keeps_encoded=False)
    async with asyncio.timeout(5):
        assert (await stream.run()).reason is FailureReason.STORE
    assert received == [1]


async def test_a_frame_that_cannot_be_taken_ends_its_stream_and_nothing_else() -> None:
    peer = Peer()
    peer.wire.incoming.put_nowait(encode_frame(Frame(drain_ms=1)))

    def receive(_: Frame) -> None:
        raise KeyError("nobody has thought of it")

    stream = LinkStream(peer.wire, peer.role, receive, end_of_stream=END, keeps_encoded=False)
    async with asyncio.timeout(5):
        assert await stream.run() == LinkFailure(FailureReason.FAULT, "a frame could not be taken: KeyError")


async def test_a_broken_wire_ends_the_stream() -> None:
    reading, writing = Peer(), Peer()
    reading.wire.incoming.put_nowait(OSError("the wire broke"))
    writing.role.frames.append(Frame(drain_ms=13))
    broken = LinkFailure(FailureReason.LOST, "the wire broke")
    assert [await reading.run(), await writing.run()] == [broken, broken]
