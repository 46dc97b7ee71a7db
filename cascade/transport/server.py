"""The hub's listening side: each verified peer becomes a `LinkConnection`."""

import asyncio
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import grpc.aio
import structlog

from cascade.envelope import Envelope
from cascade.frame import Frame
from cascade.hub_link import HubLink, HubStep
from cascade.link import FailureReason, LinkFailure, LinkSettings
from cascade.transport.channel import METHOD, SERVER_OPTIONS, SERVICE, status_of
from cascade.transport.stream import LinkStream
from cascade.transport.tls import CertificateFiles, server_credentials, site_in

_log = structlog.get_logger()

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where links come in."""

    address: str
    """``host:port``; port 0 lets the kernel choose."""
    certificates: CertificateFiles
    links_max: int = 2048
    """Open at the same time; more are refused by gRPC."""
    link: LinkSettings


class LinkConnection:
    """One open connection of a site, for the hub to work with."""

    def __init__(self, link: HubLink, stream: LinkStream, peer: str) -> None:
        self.link = link
        """After any call into it: `wake`."""
        self.site = link.site
        self.peer = peer
        """Address, for the log."""
        self._stream = stream

    def wake(self) -> None:
        """Look whether there is something to send."""
        self._stream.wake()

    def end(self, failure: LinkFailure) -> None:
        """End the connection and tell the site why; `HubHandler.on_closed` follows."""
        self._stream.end(failure)


class HubHandler(Protocol):
    """What the hub does with its connections.  Plain calls on the loop; they must not raise."""

    def on_step(self, connection: LinkConnection, step: HubStep) -> None:
        """Do what a step says.

        The first one has a hello: close an older link of the same site (`LinkConnection.end`, `HubLink.close`), then
        `HubLink.welcome` this one; or end it.  A step's failure ends the connection afterwards by itself.
        """
        ...

    def on_closed(self, connection: LinkConnection, failure: LinkFailure, unsent: list[Envelope]) -> None:
        """Take note that a connection that had said hello is over; its link is closed.

        Args:
            connection: which.
            failure: why.
            unsent: transient envelopes that never left.

        """
        ...


class LinkServer:
    """Listens for sites."""

    def __init__(self, handler: HubHandler, settings: ServerSettings) -> None:
        self._handler = handler
        self._settings = settings
        self._server: grpc.aio.Server | None = None
        self._streams: set[LinkStream] = set()

    async def start(self) -> int:
        """Listen; return the port.

        Raises:
            OSError: a certificate cannot be read, or the address is taken.

        """
        server = grpc.aio.server(options=SERVER_OPTIONS, maximum_concurrent_rpcs=self._settings.links_max)
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    SERVICE, {METHOD: grpc.stream_stream_rpc_method_handler(self._connect)}
                ),
            )
        )
        try:
            port = server.add_secure_port(self._settings.address, server_credentials(self._settings.certificates))
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self._settings.address}: {error}") from error
        await server.start()
        self._server = server
        return port

    async def stop(self, grace_seconds: float) -> None:
        """Take no new links, end those that are left after a grace time, and return."""
        if self._server is not None:
            for stream in self._streams:
                stream.end(LinkFailure(FailureReason.DRAINING, "the hub leaves"))
            await self._server.stop(grace_seconds)

    async def _connect(self, _requests: object, context: _Context) -> None:
        peer = context.peer()
        site = site_in(context.auth_context())
        if site is None:
            _log.warning("link_refused", peer=peer, reason="identity", text="the certificate names no site")
            failure = LinkFailure(FailureReason.IDENTITY, "the certificate names no site")
        else:
            failure = await self._serve(site, peer, context)
        await context.abort(*status_of(failure))

    async def _serve(self, site: str, peer: str, context: _Context) -> LinkFailure:
        loop = asyncio.get_running_loop()
        link = HubLink(site, self._settings.link, loop.time())
        is_greeted = False

        def receive(frame: Frame) -> None:
            nonlocal is_greeted
            step = link.receive(frame, loop.time())
            is_greeted = is_greeted or step.hello is not None
            self._handler.on_step(connection, step)
            if step.failure is not None:
                stream.end(step.failure)

        stream = LinkStream(context, link, receive, end_of_stream=grpc.aio.EOF, keeps_encoded=True)
        connection = LinkConnection(link, stream, peer)
        self._streams.add(stream)
        failure = LinkFailure(FailureReason.LOST, "the connection was lost")
        try:
            failure = await stream.run()
        finally:
            self._streams.discard(stream)
            unsent = link.close()
            is_fault = failure.reason.is_permanent or failure.reason is FailureReason.MALFORMED
            level = _log.warning if is_fault else _log.info
            level("link_closed", site=site, peer=peer, reason=failure.reason.value, text=failure.text)
            if is_greeted:
                self._handler.on_closed(connection, failure, unsent)
        return failure
