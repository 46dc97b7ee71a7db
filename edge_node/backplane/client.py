"""The core as a listener process sees it: `Core` over the Unix socket, found again whenever it is lost."""

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Final, Protocol, cast

import structlog

from edge_node.backplane import frames
from edge_node.backplane.attachment import RemoteAttachment
from edge_node.backplane.codec import (
    FLUSH_SIZE_BYTES,
    FrameError,
    batch,
    core_frames,
    credentials_of,
    error_of,
    policy_of,
    refusal_of,
)
from edge_node.backplane.metrics import BackplaneMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import Attachment, Channel, ConnectionFacts
from edge_node.backplane.settings import BackplaneSettings
from xmpp.errors import StreamCondition, StreamError

_RESTARTS: Final = "the server restarts"

log = structlog.get_logger()


class CoreEvents(Protocol):
    """What the process hears of its core."""

    def found(self, policy: StreamPolicy) -> None:
        """There is a core, the first one or another; streams that begin from now on follow its policy."""

    def drain(self, reason: str) -> None:
        """This process is to end: the core drains, refuses it, or stays away too long."""


class RemoteCore:
    """`Core`, and the process's one connection to it.

    Arguments: `listener`, the index of this process; `chance` for the jitter of waits; `events`, what the process does
    when a core is found, and when it is to end.
    """

    def __init__(
        self,
        settings: BackplaneSettings,
        listener: int,
        process: int,
        metrics: BackplaneMetrics,
        chance: random.Random,
        events: CoreEvents,
    ) -> None:
        self.settings = settings
        self.is_away = True
        self.is_congested = False
        self._hello = frames.Hello(frames.VERSION, listener, process)
        self._metrics = metrics
        self._chance = chance
        self._events = events
        self._numbers = itertools.count(1)
        self._attachments: dict[int, RemoteAttachment] = {}
        self._held: list[frames.ForConnection] = []
        self._held_back: list[RemoteAttachment] = []
        self._link: _Link | None = None
        self._is_ending = False
        metrics.absent.set(1)

    # --- Core ------------------------------------------------------------------------------------------------

    def attach(self, channel: Channel, facts: ConnectionFacts) -> Attachment:
        attachment = RemoteAttachment(self, next(self._numbers), channel, facts)
        self._attachments[attachment.connection] = attachment
        self.put(frames.Attach(attachment.connection, facts.remote_address, facts.transport, facts.encrypted))
        return attachment

    # --- of the attachments ----------------------------------------------------------------------------------

    def put(self, frame: frames.ForConnection) -> None:
        """Write a frame at the end of this turn of the loop; while the core is away, hold it (within the bound)."""
        if self._link is not None:
            self._link.put(frame)
        elif len(self._held) < self.settings.held_frames_max:
            self._held.append(frame)
        else:
            attachment = self._attachments.get(frame.connection)
            if attachment is not None:  # it may be in the middle of a call: close it after that
                asyncio.get_running_loop().call_soon(self.abandon, attachment)

    def hold_back(self, attachment: RemoteAttachment) -> None:
        """Pause this one until the core takes what is written."""
        attachment.held_back()
        self._held_back.append(attachment)

    def abandon(self, attachment: RemoteAttachment) -> None:
        """Close a connection that no core could go on with."""
        self._attachments.pop(attachment.connection, None)
        attachment.channel.close(StreamError(StreamCondition.SYSTEM_SHUTDOWN, _RESTARTS))

    def detach(self, attachment: RemoteAttachment, frame: frames.Detach) -> None:
        """Its socket is gone; a core that is away hears of it when it is back."""
        if attachment.connection not in self._attachments:
            return
        if self.is_away and attachment.is_settled:
            attachment.detached = frame
        else:
            del self._attachments[attachment.connection]
            if not self.is_away:
                self.put(frame)

    # --- lost and found --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stay connected to the core, for ever; returns when this process is to end (`drain` has been called)."""
        loop = asyncio.get_running_loop()
        wait = self.settings.reconnect_seconds_min
        away_since = loop.time()
        while not self._is_ending:
            if await self._serve():
                wait, away_since = self.settings.reconnect_seconds_min, loop.time()
            if loop.time() - away_since > self.settings.absence_seconds_max:
                log.error("core_absent_too_long", seconds=self.settings.absence_seconds_max)
                self._events.drain("the core stays away")
                return
            await asyncio.sleep(wait * self._chance.uniform(0.5, 1.0))
            wait = min(2 * wait, self.settings.reconnect_seconds_max)

    def end(self) -> None:
        """Write what there is to write, leave the core, and look for no other; `run` returns soon."""
        self._is_ending = True
        if self._link is not None:
            self._link.finish()

    async def _serve(self) -> bool:
        """Be connected for as long as that goes; whether the core took this listener."""
        link = _Link(self)
        try:
            async with asyncio.timeout(self.settings.hello_seconds):
                await asyncio.get_running_loop().create_unix_connection(lambda: link, str(self.settings.path))
                link.put(self._hello)
                await link.answered.wait()
            await link.wait_closed()
        except (OSError, TimeoutError):
            pass  # nobody listens, or nobody answers: both are tried again
        finally:
            link.abort()
            was_here, self._link = self._link is not None, None
            if was_here and not self._is_ending:
                self._lost()
        return was_here

    def _lost(self) -> None:
        self.is_away = True
        self.is_congested = False
        self._held_back.clear()
        self._metrics.absent.set(1)
        self._metrics.losses.inc()
        log.warning("core_lost", connections=len(self._attachments))
        self._tell_all(lambda attachment: attachment.core_lost() if attachment.is_settled else self.abandon(attachment))

    def _found(self, link: "_Link") -> None:
        self._link = link
        self.is_away = False
        self._metrics.absent.set(0)
        log.info("core_found", connections=len(self._attachments))
        self._tell_all(RemoteAttachment.core_back)
        held, self._held = self._held, []
        for frame in held:
            if frame.connection in self._attachments:  # not gone in the meantime
                link.put(frame)

    def _tell_all(self, tell: Callable[[RemoteAttachment], None]) -> None:
        for attachment in list(self._attachments.values()):
            try:
                tell(attachment)
            except Exception:  # a fault met on one connection's way must not cost all others theirs
                log.exception("backplane_connection_failed", connection=attachment.connection)

    def congested(self, is_congested: bool) -> None:
        """Begin or end holding back those who send."""
        self.is_congested = is_congested
        if is_congested:
            self._metrics.held_back.inc()
            return
        held_back, self._held_back = self._held_back, []
        for attachment in held_back:
            attachment.let_go()

    # --- what the core says ----------------------------------------------------------------------------------

    def take(self, link: "_Link", frame: frames.FromCore) -> None:
        """Do what one frame says."""
        if isinstance(frame, frames.Deliver):
            attachments = self._attachments
            for connection in frame.connections:
                attachment = attachments.get(connection)
                if attachment is not None:
                    attachment.deliver(frame.data)
        elif isinstance(frame, frames.Welcome):
            self._events.found(policy_of(frame))
            self._found(link)
            link.answered.set()
        elif isinstance(frame, frames.Refusal):
            self._is_ending = True
            log.error("listener_refused", reason=frame.reason)
            self._events.drain(frame.reason)
            link.abort()
        elif isinstance(frame, frames.Drain):
            self._events.drain("the core drains")
        else:
            attachment = self._attachments.get(frame.connection)
            if attachment is not None:  # else its end and this frame have crossed
                _apply(attachment, frame)


_Answer = (
    frames.CredentialsFound
    | frames.Redirect
    | frames.Bound
    | frames.BindingRefused
    | frames.ManagementEnabled
    | frames.ManagementRefused
    | frames.Resumed
    | frames.ResumptionRefused
)
_ForConnection = _Answer | frames.Nonza | frames.Handled | frames.Close | frames.PauseReading | frames.ResumeReading


def _apply(attachment: RemoteAttachment, frame: _ForConnection) -> None:
    match frame:
        case frames.Handled():
            attachment.handled(frame.h)
        case frames.Nonza():
            attachment.channel.nonza(frame.data)
        case frames.Close():
            attachment.channel.close(error_of(frame))
        case frames.PauseReading():
            attachment.paused_by_core()
        case frames.ResumeReading():
            attachment.unpaused_by_core()
        case _:
            _answer(attachment, frame)


def _answer(attachment: RemoteAttachment, frame: _Answer) -> None:
    match frame:
        case frames.CredentialsFound():
            attachment.channel.credentials_found(credentials_of(frame))
        case frames.Redirect():
            attachment.channel.redirect(frame.host, frame.port)
        case frames.Bound():
            attachment.bound(frame)
        case frames.BindingRefused():
            attachment.channel.binding_refused(refusal_of(frame))
        case frames.ManagementEnabled():
            attachment.management_enabled(frame)
        case frames.ManagementRefused():
            attachment.management_refused()
        case frames.Resumed():
            attachment.resumed(frame)
        case frames.ResumptionRefused():
            attachment.channel.resumption_refused(frame.h)


class _Link(asyncio.Protocol):
    """One connection to one core."""

    def __init__(self, core: RemoteCore) -> None:
        self.answered = asyncio.Event()
        self._core = core
        self._closed = asyncio.Event()
        self._reader = core_frames()
        self._transport: asyncio.Transport | None = None
        self._gathered: list[frames.FromListener] = []
        self._size_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._core.settings.buffer_size_bytes)

    def data_received(self, data: bytes) -> None:
        try:
            received = self._reader.receive(data)
        except FrameError as error:
            log.warning("backplane_garbled", reason=str(error))
            self.abort()
            return
        for frame in received:
            try:
                self._core.take(self, frame)
            except Exception:  # a fault met on one connection's way must not cost all others theirs
                log.exception("backplane_frame_failed", frame=type(frame).__name__)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed.set()
        self.answered.set()

    def pause_writing(self) -> None:
        self._core.congested(is_congested=True)

    def resume_writing(self) -> None:
        self._core.congested(is_congested=False)

    def put(self, frame: frames.FromListener) -> None:
        """Write a frame with all others of this turn of the loop."""
        gathered = self._gathered
        if not gathered:
            asyncio.get_running_loop().call_soon(self._flush)
        gathered.append(frame)
        if type(frame) is frames.Receive:
            self._size_bytes += len(frame.inner)
            if self._size_bytes > FLUSH_SIZE_BYTES:
                self._flush()

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._size_bytes = 0
        if gathered and self._transport is not None:
            self._transport.write(batch(gathered))

    def finish(self) -> None:
        """Close the connection behind what was put."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Return when the connection is gone."""
        await self._closed.wait()
