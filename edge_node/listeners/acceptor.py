"""A listening port: takes connections within the bounds, and begins nothing before a client has sent its first byte.

Rule: in all protocols spoken here the client speaks first, so a silent connection costs a socket and a place in the
wheel: no transport, no TLS, no parser, no task.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import aiofastnet
import structlog

from chassis.binding import naming_setting
from edge_node.listeners.admission import PROXIES, network_of
from edge_node.listeners.listener import Listener
from edge_node.listeners.settings import ConnectionSettings

_TAKEN_AT_ONCE_MAX: Final = 256
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PASSING: Final = frozenset(
    {
        errno.EPROTO, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EPERM, errno.ETIMEDOUT,
        errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENONET,
    }
)  # fmt: skip
"""What befell one client before it was accepted (accept(2)); the next one may be well."""
_RETRY_SECONDS: Final = 1.0
_KEEPALIVE_PROBES: Final = 3

TLS_BUFFER_BYTES: Final = 16_384
"""In each direction of a connection; the least that the library allows, and no slower."""
TLS_SHUTDOWN_SECONDS: Final = 2.0

log = structlog.get_logger()


class Admitted:
    """A client's socket that counts in the bounds until `release`; waits for the first byte."""

    __slots__ = ("_acceptor", "address", "due_tick", "network", "sock")

    def __init__(self, acceptor: "Acceptor", sock: socket.socket, address: str, network: str) -> None:
        self._acceptor = acceptor
        self.sock = sock
        self.address = address
        self.network = network
        self.due_tick = 0

    def wait(self) -> None:
        """Wait for the first byte."""
        listener = self._acceptor.listener
        with suppress(OSError):  # gone again: that is what will be read
            _watch_over(self.sock, listener.settings.connection)
        self._acceptor.silent.add(self)
        listener.wheel.wait(self, listener.wheel.tick_after(listener.settings.negotiation.seconds))
        listener.loop.add_reader(self.sock, self._readable)

    def _readable(self) -> None:
        self._waited()
        self._acceptor.listener.tasks.create_task(self._acceptor.begin(self))

    def expired(self) -> None:
        """It has been silent for too long."""
        self._acceptor.listener.metrics.refused["silent"] += 1
        self.leave()

    def leave(self) -> None:
        """Wait no more for its first byte."""
        self._waited()
        self.drop()

    def _waited(self) -> None:
        listener = self._acceptor.listener
        listener.loop.remove_reader(self.sock)
        listener.wheel.forget(self)
        self._acceptor.silent.discard(self)

    def drop(self) -> None:
        """Close the socket, if nothing has taken it, and count no more."""
        self.sock.close()
        self.release()

    def release(self) -> None:
        """Count no more; for one that never became a connection."""
        self._acceptor.listener.admission.settled(self.network)
        self._acceptor.listener.admission.gone()


Begin = Callable[[Admitted], Coroutine[Any, Any, None]]
"""Makes a connection of a socket whose client has begun to speak; never raises, and releases what it does not take."""


class Acceptor:
    """One listening port.

    Arguments: `begin`, see above; `refusal`, what a client is told for which there is no room (nothing: it is cut off);
    `is_proxy`, of an address from which many clients come, who are told apart later.
    """

    def __init__(
        self,
        listener: Listener,
        begin: Begin,
        refusal: Callable[[], bytes],
        is_proxy: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.listener = listener
        self.begin = begin
        self._refusal = refusal
        self._is_proxy = is_proxy
        self._sockets: list[socket.socket] = []
        self.silent: set[Admitted] = set()
        """Those who have not sent their first byte."""

    async def start(self, setting: str, host: str, port: int, *, reuse_port: bool) -> int:
        """Listen, with `reuse_port` beside other processes; gives the port.

        Raises:
            chassis.binding.BindFailed: the address cannot be listened on; it names `setting`.
        """
        if host == "::" and not socket.has_dualstack_ipv6():
            host = "0.0.0.0"  # noqa: S104 - every address is what the setting says
        with naming_setting(setting, f"{host}:{port}"):
            found = await self.listener.loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            try:
                for family, _, _, _, address in found:
                    # With port 0 all addresses get the port that the first was given.
                    chosen = self._sockets[0].getsockname()[1] if self._sockets else port
                    self._listen(family, (address[0], chosen, *address[2:]), reuse_port=reuse_port)
            except OSError:
                self.stop()
                raise
        bound: int = self._sockets[0].getsockname()[1]
        return bound

    def _listen(self, family: int, address: tuple[Any, ...], *, reuse_port: bool) -> None:
        sock = socket.socket(family, socket.SOCK_STREAM)
        self._sockets.append(sock)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        sock.bind(address)
        sock.listen(self.listener.settings.backlog)
        self.listener.loop.add_reader(sock, self._accept, sock)

    def stop(self) -> None:
        """Take no new connections, and none of those that are silent yet."""
        for admitted in list(self.silent):
            admitted.leave()
        for sock in self._sockets:
            self.listener.loop.remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _accept(self, sock: socket.socket) -> None:
        for _ in range(_TAKEN_AT_ONCE_MAX):
            try:
                taken, address = sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _PASSING:
                    continue
                self._wait_a_while(sock, error)
                return
            try:
                self._admit(taken, str(address[0]))
            except OSError as error:  # gone again
                log.debug("accept_failed", reason=str(error))
                taken.close()

    def _wait_a_while(self, sock: socket.socket, error: OSError) -> None:
        """What is not accepted stays with the kernel; to ask again at once would only burn CPU."""
        log.error("accept_failed", reason=str(error))
        self.listener.metrics.refused["exhausted" if error.errno in _EXHAUSTED else "failed"] += 1
        self.listener.loop.remove_reader(sock)
        self.listener.loop.call_later(_RETRY_SECONDS, self._go_on, sock)

    def _go_on(self, sock: socket.socket) -> None:
        if sock in self._sockets:
            self.listener.loop.add_reader(sock, self._accept, sock)

    def _admit(self, sock: socket.socket, address: str) -> None:
        listener = self.listener
        network = PROXIES if self._is_proxy(address) else network_of(address)
        sock.setblocking(False)
        if listener.is_draining or not listener.admission.admit(network):
            listener.metrics.refused["draining" if listener.is_draining else "full"] += 1
            refusal = self._refusal()
            if refusal:
                sock.send(refusal)
            sock.close()
            return
        Admitted(self, sock, address, network).wait()


def _watch_over(sock: socket.socket, settings: ConnectionSettings) -> None:
    """Have the kernel find out when a client has gone without a word: no timer of ours waits for a silent client."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, settings.keepalive_idle_seconds)
    interval = max(1, settings.keepalive_seconds_max // _KEEPALIVE_PROBES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES)
    # Not only silence counts: what was sent must be acknowledged, too (RFC 5482).
    timeout_ms = 1000 * (settings.keepalive_idle_seconds + settings.keepalive_seconds_max)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)


async def connect(
    listener: Listener, admitted: Admitted, protocol: asyncio.BaseProtocol, *, tls: bool
) -> asyncio.Transport | None:
    """Give a socket to a protocol, through a TLS handshake if wanted; None (and released): the client left it at that.

    Plain TCP is fastest and smallest with the loop's own transports, TLS with aiofastnet's: `docs/adr/0004-*`.
    """
    context = listener.tls.context if listener.tls is not None else None
    try:
        if not tls:
            transport, _ = await listener.loop.connect_accepted_socket(lambda: protocol, admitted.sock)
            return transport
        transport, _ = await aiofastnet.connect_accepted_socket(
            listener.loop,
            lambda: protocol,
            admitted.sock,
            ssl=context,
            ssl_handshake_timeout=listener.settings.negotiation.tls_seconds,
            ssl_shutdown_timeout=TLS_SHUTDOWN_SECONDS,
            ssl_incoming_bio_size=TLS_BUFFER_BYTES,
            ssl_outgoing_bio_size=TLS_BUFFER_BYTES,
        )
    except Exception as error:  # noqa: BLE001 - whatever a client can do to a handshake ends this connection only
        listener.metrics.refused["handshake"] += 1
        log.debug("handshake_failed", reason=str(error))
        admitted.drop()
        return None
    else:
        return transport
