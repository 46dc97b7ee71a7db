"""What all connections of one process share: bounds, clock, parsers, policy, and the one write per turn of the loop."""

import asyncio
import secrets
from types import TracebackType
from typing import Any, Final, Protocol, Self

import structlog
from prometheus_client import CollectorRegistry

from chassis.pki import CertificateError
from chassis.tls import ServerTLS
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import ConnectionFacts, Core
from edge_node.listeners.admission import Admission, Throttle
from edge_node.listeners.metrics import ListenerMetrics
from edge_node.listeners.passwords import PasswordCheck
from edge_node.listeners.settings import ListenerSettings
from edge_node.listeners.wheel import Wheel
from xmpp.errors import StreamCondition, StreamError
from xmpp.framing import TcpFraming
from xmpp.negotiation import ServerSettings
from xmpp.parser import Limits, ParserPool
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.sasl.server import ServerPolicy

_TOKEN_BYTES: Final = 18
RECEIVE_BUFFER_BYTES: Final = 65_536
DRAINING: Final = "the server shuts down"

log = structlog.get_logger()


class Flushed(Protocol):
    """What gathers frames to be written together."""

    def flush(self) -> None:
        """Write them."""

    def close(self, error: StreamError | None) -> None:
        """End the stream."""

    def sweep(self) -> None:
        """Do what is done every `answer_seconds_max`."""


def _token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


class Listener:
    """One for each process that holds sockets; an asynchronous context manager.

    Arguments: `tls` is None when there is no certificate; then nothing that needs TLS is offered.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        core: Core,
        policy: StreamPolicy,
        tls: ServerTLS | None,
        registry: CollectorRegistry,
    ) -> None:
        self.settings = settings
        self.core = core
        self.tls = tls
        self.loop = asyncio.get_running_loop()
        self.wheel = Wheel(self.loop)
        self.admission = Admission(settings)
        self.throttle = Throttle(settings.negotiation)
        self.metrics = ListenerMetrics(registry, self.admission)
        self.passwords = PasswordCheck(settings.negotiation, self.loop)
        limits = Limits(
            stanza_size_bytes_max=settings.connection.stanza_size_bytes_max, depth_max=settings.connection.depth_max
        )
        self.pool = ParserPool(limits)
        self.connections: set[Flushed] = set()
        self.tasks = asyncio.TaskGroup()
        """For what a connection has to wait for; its tasks never raise."""
        self.is_draining = False
        self.receive_buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        """Where TLS connections read to, one at a time."""
        self._dirty: list[Flushed] = []
        self._emptied = asyncio.Event()
        self.adopt(policy)

    def adopt(self, policy: StreamPolicy) -> None:
        """Take what another core says; streams that stand keep what they were told."""
        self.policy = policy
        self.stream_settings = self._stream_settings(policy)
        self.refusal = _refusal(policy.domain)
        """What a client is told over TCP that there is no room for."""

    def _stream_settings(self, policy: StreamPolicy) -> ServerSettings:
        authentication = ServerPolicy(
            domain=policy.domain,
            secret=policy.secret,
            fake_iterations=policy.fake_iterations,
            offers_plain=self.settings.offers_plain,
        )
        return ServerSettings(
            authentication=authentication,
            token=_token,
            has_tls=self.tls is not None,
            requires_tls=self.settings.require_tls,
            features=policy.features,
            sasl_attempts_max=self.settings.negotiation.sasl_attempts_max,
        )

    def transport_facts(self, facts: ConnectionFacts) -> TransportFacts:
        """Say whether a connection is inside TLS, and what it offers to bind authentication to.

        The TLS of a proxy shows a certificate of its own, which is not known here.
        """
        is_ours = facts.transport != "websocket" or self.settings.http.has_tls
        if not facts.encrypted or not is_ours or self.tls is None or self.tls.end_point_binding is None:
            return TransportFacts(facts.encrypted)
        return TransportFacts(facts.encrypted, {"tls-server-end-point": self.tls.end_point_binding})

    # --- life ---------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.tasks.__aenter__()
        self._reporter = self.loop.get_exception_handler()
        self.loop.set_exception_handler(_report)
        self.wheel.start()
        self._sweep()
        if self.tls is not None:
            self._watch = self.tasks.create_task(self.tls.watch(self.settings.tls_reload_seconds, _reloaded))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.tls is not None:
            self._watch.cancel()
        self.wheel.stop()
        self._sweeper.cancel()
        self.passwords.close()
        await self.tasks.__aexit__(kind, error, traceback)
        self.loop.set_exception_handler(self._reporter)

    def _sweep(self) -> None:
        self._sweeper = self.loop.call_later(self.settings.connection.answer_seconds_max, self._sweep)
        for connection in list(self.connections):
            try:
                connection.sweep()
            except Exception:  # it is every other one's turn, too
                log.exception("sweep_failed")

    async def drain(self) -> None:
        """End all streams and wait until their clients have taken it, for a bounded time."""
        self.is_draining = True
        for connection in list(self.connections):
            try:
                connection.close(StreamError(StreamCondition.SYSTEM_SHUTDOWN, DRAINING))
            except Exception:  # the others are to be told all the same
                log.exception("close_failed")
        try:
            async with asyncio.timeout(self.settings.drain_seconds):
                while self.connections:
                    self._emptied.clear()
                    await self._emptied.wait()
        except TimeoutError:
            log.warning("drain_timed_out", connections=len(self.connections))

    def gone(self, connection: Flushed) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if not self.connections:
            self._emptied.set()

    # --- writing ------------------------------------------------------------

    def flush_soon(self, connection: Flushed) -> None:
        """Let it write at the end of this turn of the loop."""
        dirty = self._dirty
        if not dirty:
            self.loop.call_soon(self._flush)
        dirty.append(connection)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            try:
                connection.flush()
            except Exception:  # what others have to write must not stay behind for it
                log.exception("flush_failed")


def _report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody awaited.

    COMPAT(aiofastnet 1.2): the end of a connection within its handshake is reported with a class instead of an
    exception, at which asyncio's own handler fails.
    """
    error = context.get("exception")
    if isinstance(error, BaseException):
        log.error("loop_exception", message=context.get("message"), exc_info=error)
    else:
        log.debug("loop_exception", message=context.get("message"), exception=str(error))


def _refusal(domain: str) -> bytes:
    framing = TcpFraming()
    error = StreamError(StreamCondition.RESOURCE_CONSTRAINT, "too many connections: try again later")
    header = framing.header({"from": domain, "id": _token(), "version": "1.0"})
    return header + framing.element(error.element()) + framing.end()


def _reloaded(error: CertificateError | None) -> None:
    if error is None:
        log.info("certificate_reloaded")
    else:
        log.error("certificate_not_reloaded", reason=str(error))
