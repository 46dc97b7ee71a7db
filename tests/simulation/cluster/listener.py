"""A listener process of a site: it holds the sockets of its people while cores come and go.

Both ends of the backplane are the product's own; only the Unix socket between them is simulated.
"""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

from prometheus_client import CollectorRegistry

from edge_node.backplane.attachment import RemoteAttachment
from edge_node.backplane.client import RemoteCore
from edge_node.backplane.frames import Deliver, FromCore
from edge_node.backplane.metrics import BackplaneMetrics, ServerMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import Attachment, Channel, ConnectionFacts, LastingCore
from edge_node.backplane.server import BackplaneServer, ListenerPeer
from edge_node.backplane.settings import BackplaneSettings
from tests.simulation.cluster.network import Lane
from tests.simulation.cluster.socket import Socket
from tests.support.virtual_time import VirtualTimeLoop

DELAY_SECONDS_MAX = 0.003
LISTENERS_MAX = 1 << 16
"""More than ever start in a run: each has an index of its own."""


class Pipe(asyncio.Transport):
    """One end of a Unix socket.  What was written before the other end died still arrives."""

    def __init__(self, protocol: asyncio.Protocol, random: Random) -> None:
        super().__init__()
        self._protocol = protocol
        self._is_closed = False
        self.lane: Lane[bytes | None] = Lane(random, DELAY_SECONDS_MAX, self._arrived)
        self.other: Pipe | None = None

    def _arrived(self, data: bytes | None) -> None:
        if self._is_closed:
            return
        if data is None:
            self.abort()
        else:
            self._protocol.data_received(data)

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if not self._is_closed and self.other is not None:
            self.other.lane.send(bytes(data))

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self._is_closed:
            self.die()
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def die(self) -> None:
        """The process of this end is dead: nobody there hears of it."""
        if not self._is_closed:
            self._is_closed = True
            if self.other is not None:
                self.other.lane.send(None)

    def is_closing(self) -> bool:
        return self._is_closed

    def is_reading(self) -> bool:
        return not self._is_closed

    def pause_reading(self) -> None:
        """What is on its way is little."""

    def resume_reading(self) -> None:
        """As above."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It has no buffer."""

    def get_write_buffer_size(self) -> int:
        return 0


class Backplane:
    """Where the listener process of a site meets its cores."""

    def __init__(self, site: str, random: Random) -> None:
        self.settings = BackplaneSettings(path=Path(f"/{site}/backplane.sock"))
        self._random = random
        self._server: BackplaneServer | None = None
        self._far: Pipe | None = None
        self._processes = 0

    def open(self, core: LastingCore) -> None:
        """A core listens."""
        policy = StreamPolicy("corp.example", b"", 1)
        metrics = ServerMetrics(CollectorRegistry())
        self._server = BackplaneServer(self.settings, core, policy, metrics, lambda: None, listeners_max=LISTENERS_MAX)

    def core_died(self) -> None:
        """The core is dead; what it had written still arrives."""
        self._server = None
        if self._far is not None:
            self._far.die()

    def listener(self) -> "Listener":
        """A new listener process."""
        self._processes += 1
        return Listener(self, self._processes, Random(self._random.random()))

    def connect(self, near: asyncio.Protocol) -> None:
        """A listener calls.

        Raises:
            ConnectionRefusedError: no core listens.
        """
        if self._server is None:
            raise ConnectionRefusedError
        far = ListenerPeer(self._server)
        ends = Pipe(near, self._random), Pipe(far, self._random)
        ends[0].other, ends[1].other = ends[1], ends[0]
        self._far = ends[1]
        near.connection_made(ends[0])
        far.connection_made(ends[1])


class Listener(RemoteCore):
    """One life of a listener process: the core as its connections see it."""

    def __init__(self, backplane: Backplane, process: int, random: Random) -> None:
        super().__init__(backplane.settings, 0, process, BackplaneMetrics(CollectorRegistry()), random, self)
        self._backplane = backplane
        self._sockets: dict[int, Socket] = {}

    def attach(self, channel: Channel, facts: ConnectionFacts) -> Attachment:
        attachment = super().attach(channel, facts)
        if isinstance(channel, Socket) and isinstance(attachment, RemoteAttachment):
            self._sockets[attachment.connection] = channel
        return attachment

    def take(self, link: Any, frame: FromCore) -> None:  # noqa: ANN401  the product's own type is private
        if isinstance(frame, Deliver):
            for connection in frame.connections:
                self._sockets[connection].written(frame.data)
        super().take(link, frame)

    def core_died(self) -> None:
        """What the core has not said to be handled will be sent again."""
        for socket in self._sockets.values():
            socket.core_died()

    async def live(self) -> None:
        """Stay connected to the core."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        loop.unix_sockets[str(self.settings.path)] = self._backplane.connect
        await self.run()

    def found(self, policy: StreamPolicy) -> None:
        """There is a core."""

    def drain(self, reason: str) -> None:
        raise AssertionError(reason)
