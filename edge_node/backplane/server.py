"""Listener processes as the core sees them: each of their connections is a `Channel` over the Unix socket.

Rule: one slow or dead listener costs nobody else anything for longer than `patience_seconds`; when its connection is
lost, all its clients' connections are detached, not clean.  It may come back and re-attach them.
"""

import asyncio
import os
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast

import structlog

from chassis.binding import BindFailed, naming_setting
from edge_node.backplane import frames
from edge_node.backplane.channel import RemoteChannel
from edge_node.backplane.codec import (
    FLUSH_SIZE_BYTES,
    FrameError,
    batch,
    close_frame,
    listener_frames,
    reattachment_of,
    stanza_of,
    welcome_frame,
)
from edge_node.backplane.metrics import ServerMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import Attachment, ConnectionFacts, LastingCore
from edge_node.backplane.settings import BackplaneSettings
from xmpp.errors import StreamCondition, StreamError

_LOST: Final = "the listener process is gone"

log = structlog.get_logger()


class BackplaneServer:
    """The Unix socket where listener processes call.

    Arguments: `policy`, what every listener is told; `changed` is called, with nothing, whenever a listener process has
    come or gone; listeners with an index from `listeners_max` on are too many, and told to end.
    """

    def __init__(
        self,
        settings: BackplaneSettings,
        core: LastingCore,
        policy: StreamPolicy,
        metrics: ServerMetrics,
        changed: Callable[[], None],
        listeners_max: int,
    ) -> None:
        self.settings = settings
        self.core = core
        self.policy = policy
        self.metrics = metrics
        self._changed = changed
        self._listeners_max = listeners_max
        self._peers: dict[int, ListenerPeer] = {}
        self._unknown: set[ListenerPeer] = set()  # connected, hello not yet said
        self._congested: set[ListenerPeer] = set()
        self._server: asyncio.Server | None = None
        self.is_draining = False
        """Whether listener processes are to end, those too that come only now."""

    @property
    def listeners(self) -> Mapping[int, int]:
        """Index -> process id of the listeners that are connected."""
        return {index: peer.process for index, peer in self._peers.items()}

    async def start(self) -> None:
        """Listen.  Raises `chassis.binding.BindFailed`, also when another core listens there."""
        path = str(self.settings.path)
        with naming_setting("backplane.path", path):
            _remove_stale(self.settings.path)
            bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            previous = os.umask(0o177)
            try:
                bound.bind(path)
            except OSError:
                bound.close()
                raise
            finally:
                os.umask(previous)
            loop = asyncio.get_running_loop()
            self._server = await loop.create_unix_server(lambda: ListenerPeer(self), sock=bound)

    async def stop(self, *, detaches: bool = True) -> None:
        """Listen no more and drop the listeners; they keep their sockets and look for the next core.

        Not `detaches`: the core is not told that their connections are gone, for the next one goes on with them.
        """
        if self._server is None:
            return
        self._server.close()
        for peer in [*self._peers.values(), *self._unknown]:
            peer.abort(detaches=detaches)
        await self._server.wait_closed()
        self._server = None
        self.settings.path.unlink(missing_ok=True)

    def drain(self) -> None:
        """Tell every listener process to end its streams and itself."""
        self.is_draining = True
        for peer in self._peers.values():
            peer.put(frames.Drain())

    # --- of the peers ----------------------------------------------------------------------------------------

    def connected(self, peer: "ListenerPeer") -> None:
        """It has said nothing yet."""
        self._unknown.add(peer)

    def welcome(self, peer: "ListenerPeer", hello: frames.Hello) -> str:
        """Take a listener; returns why not, or nothing."""
        if hello.version != frames.VERSION:
            return f"the core speaks version {frames.VERSION} of the backplane, the listener {hello.version}"
        if hello.listener >= self._listeners_max:
            return f"listener {hello.listener} is one too many: listeners.processes is {self._listeners_max}"
        present = self._peers.get(hello.listener)
        if present is not None and present.process != hello.process:
            return f"listener {hello.listener} is process {present.process} already"
        if present is not None:
            present.abort()
        self._unknown.discard(peer)
        self._peers[hello.listener] = peer
        self.metrics.listeners.set(len(self._peers))
        log.info("listener_connected", listener=hello.listener, process=hello.process)
        self._changed()
        return ""

    def lost(self, peer: "ListenerPeer") -> None:
        """Its connection is gone."""
        self._unknown.discard(peer)
        self.uncongested(peer)
        if self._peers.get(peer.index) is peer:
            del self._peers[peer.index]
            self.metrics.listeners.set(len(self._peers))
            if self.is_draining:
                log.info("listener_drained", listener=peer.index, process=peer.process)
            else:
                self.metrics.losses.inc()
                log.warning("listener_lost", listener=peer.index, process=peer.process)
            self._changed()

    def congested(self, peer: "ListenerPeer") -> None:
        """Until it has taken what is written, nothing new is read from any listener: that is where it comes from."""
        self.metrics.congestion.inc()
        self._congested.add(peer)
        for each in self._peers.values():
            each.pause_reading()

    def uncongested(self, peer: "ListenerPeer") -> None:
        """It has."""
        if peer in self._congested:
            self._congested.discard(peer)
            if not self._congested:
                for each in self._peers.values():
                    each.resume_reading()


class ListenerPeer(asyncio.Protocol):
    """One listener process."""

    def __init__(self, server: BackplaneServer) -> None:
        self.index = -1
        self.process = 0
        self._server = server
        self._reader = listener_frames()
        self._transport: asyncio.Transport | None = None
        self._attachments: dict[int, Attachment] = {}
        self._gathered: list[frames.FromCore] = []
        self._size_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    # --- protocol --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._server.settings.buffer_size_bytes)
        self._server.connected(self)
        self._arm(self._server.settings.hello_seconds)

    def data_received(self, data: bytes) -> None:
        try:
            received = self._reader.receive(data)
        except FrameError as error:
            log.warning("backplane_garbled", listener=self.index, reason=str(error))
            self.abort()
            return
        attachments = self._attachments
        for frame in received:
            try:
                if type(frame) is frames.Receive:
                    attachment = attachments.get(frame.connection)
                    if attachment is not None:
                        attachment.receive(stanza_of(frame))
                else:
                    self._take(frame)
            except Exception:  # a fault met on one connection's way must not cost all others theirs
                log.exception("backplane_frame_failed", frame=type(frame).__name__)
                self._fail(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._disarm()
        self._server.lost(self)
        attachments, self._attachments = self._attachments, {}
        for attachment in attachments.values():
            try:
                attachment.detach(False, _LOST)
            except Exception:  # the other sessions are to hear of it all the same
                log.exception("detach_failed", listener=self.index)

    def pause_writing(self) -> None:
        self._server.congested(self)
        self._arm(self._server.settings.patience_seconds)

    def resume_writing(self) -> None:
        self._disarm()
        self._server.uncongested(self)

    # --- writing ---------------------------------------------------------------------------------------------

    def put(self, frame: frames.FromCore) -> None:
        """Write a frame with all others of this turn of the loop."""
        gathered = self._gathered
        if not gathered:
            if self._transport is None:
                return
            asyncio.get_running_loop().call_soon(self._flush)
        gathered.append(frame)

    def deliver(self, connection: int, data: bytes) -> None:
        """Write a delivery; one that follows on with the same bytes joins its frame."""
        gathered = self._gathered
        if gathered:
            last = gathered[-1]
            if type(last) is frames.Deliver and last.data is data:
                last.connections.append(connection)
                return
        self.put(frames.Deliver(data, [connection]))
        self._size_bytes += len(data)
        if self._size_bytes > FLUSH_SIZE_BYTES:
            self._flush()

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._size_bytes = 0
        transport = self._transport
        if not gathered or transport is None:
            return
        transport.write(batch(gathered))
        if transport.get_write_buffer_size() > self._server.settings.buffer_size_bytes_max:
            log.error("listener_given_up", listener=self.index, reason="its buffer is full")
            transport.abort()

    # --- reading ---------------------------------------------------------------------------------------------

    def _take(self, frame: frames.FromListener) -> None:
        if isinstance(frame, frames.Hello):
            self._greet(frame)
        elif self.index < 0:
            raise FrameError("a frame before the hello")
        elif isinstance(frame, frames.Attach):
            facts = ConnectionFacts(frame.remote_address, frame.transport, frame.encrypted)
            channel = RemoteChannel(self, frame.connection)
            self._attachments[frame.connection] = self._server.core.attach(channel, facts)
        elif isinstance(frame, frames.Reattach):
            self._reattach(frame)
        elif isinstance(frame, frames.Detach):
            attachment = self._attachments.pop(frame.connection, None)
            if attachment is not None:
                attachment.detach(frame.clean, frame.reason)
        else:
            attachment = self._attachments.get(frame.connection)
            if attachment is not None:  # else its end and this frame have crossed
                _apply(attachment, frame)

    def _greet(self, hello: frames.Hello) -> None:
        self._disarm()
        reason = self._server.welcome(self, hello)
        if reason:
            log.error("listener_refused", listener=hello.listener, process=hello.process, reason=reason)
            self.put(frames.Refusal(reason))
            self._arm(self._server.settings.hello_seconds)
            return
        self.index, self.process = hello.listener, hello.process
        self.put(welcome_frame(self._server.policy))
        if self._server.is_draining:
            self.put(frames.Drain())

    def _reattach(self, frame: frames.Reattach) -> None:
        facts, state = reattachment_of(frame)
        attachment = self._server.core.reattach(RemoteChannel(self, frame.connection), facts, state)
        if attachment is None:
            error = StreamError(StreamCondition.RESET, "the session is gone")
            self.put(close_frame(frame.connection, error))
        else:
            self._attachments[frame.connection] = attachment

    def _fail(self, frame: frames.FromListener) -> None:
        if isinstance(frame, frames.Hello) or self.index < 0:
            self.abort()
        else:
            error = StreamError(StreamCondition.INTERNAL_SERVER_ERROR)
            self.put(close_frame(frame.connection, error))

    # --- bounds ----------------------------------------------------------------------------------------------

    def pause_reading(self) -> None:
        """Somewhere too much is on its way."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """No more."""
        if self._transport is not None and not self._transport.is_closing() and not self._transport.is_reading():
            self._transport.resume_reading()

    def abort(self, *, detaches: bool = True) -> None:
        """Drop the connection; not `detaches`: the core is not told of its clients' end."""
        if not detaches:
            self._attachments = {}
        if self._transport is not None:
            self._transport.abort()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        log.error("listener_given_up", listener=self.index, reason="it does not answer")
        self.abort()


_Question = (
    frames.FindCredentials
    | frames.Authenticated
    | frames.Bind
    | frames.EnableManagement
    | frames.Resume
    | frames.Receive
    | frames.Acknowledge
)


def _apply(attachment: Attachment, frame: _Question) -> None:
    match frame:
        case frames.Acknowledge():
            attachment.acknowledge(frame.h)
        case frames.FindCredentials():
            attachment.find_credentials(frame.username)
        case frames.Authenticated():
            attachment.authenticated(frame.account)
        case frames.Bind():
            attachment.bind(frame.resource)
        case frames.EnableManagement():
            attachment.enable_management(frame.resume, frame.max_seconds)
        case frames.Resume():
            attachment.resume(frame.previous_id, frame.h)
        case frames.Receive():
            attachment.receive(stanza_of(frame))


def _remove_stale(path: Path) -> None:
    """Remove the socket file of a core that is no more; one that is alive, or another kind of file, stays."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise BindFailed(f"backplane.path: cannot listen on {path}: another core listens there; end it or choose another")
