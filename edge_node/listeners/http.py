"""The HTTP port: the way to WebSocket (`/ws`, RFC 7395), and what tells browsers of it (XEP-0156).

Rule: whatever a proxy says of its client is believed only of the proxies in the settings.
"""

import ipaddress
import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog
from picows import (
    WSAutoPingStrategy,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)

# Its servers bring their own accept loop, which knows none of our bounds.
from picows.picows import WSProtocol  # type: ignore[attr-defined] # not in its types

from edge_node.backplane.ports import ConnectionFacts
from edge_node.listeners.acceptor import Acceptor, Admitted, connect
from edge_node.listeners.admission import network_of
from edge_node.listeners.listener import Listener
from edge_node.listeners.settings import HTTPSettings
from edge_node.listeners.websocket import SUBPROTOCOL, WebSocketConnection, WebSocketInlet
from xmpp.element import Element, serialize

PATH: Final = "/ws"
HOST_META: Final = "/.well-known/host-meta"

_XRD: Final = "http://docs.oasis-open.org/ns/xri/xrd-1.0"
_RELATION: Final = "urn:xmpp:alt-connections:websocket"
_FOR_ALL_PAGES: Final = {"Access-Control-Allow-Origin": "*"}
_READ_BUFFER_BYTES: Final = 2_048
_FRAME_OVERHEAD_BYTES: Final = 256

_LOG: Final = "edge_node.websocket"

log = structlog.get_logger()


class TrustedProxies:
    """The networks whose word is believed."""

    def __init__(self, networks: Sequence[str]) -> None:
        """Raises ValueError for what is no network."""
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def has(self, address: str) -> bool:
        """Whether that is one of them."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._networks)

    def client_of(self, address: str, forwarded_for: str) -> str:
        """Return whose request it is: the last one on the way whom no proxy of ours has vouched for."""
        hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
        for hop in reversed(hops):
            if not self.has(hop):
                return hop
        return address


class HTTPPort:
    """The listening socket of HTTP."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._settings: HTTPSettings = listener.settings.http
        self._proxies = TrustedProxies(self._settings.trusted_proxies)
        self._has_tls = self._settings.has_tls and listener.tls is not None
        self._acceptor = Acceptor(listener, self._begin, bytes, self._proxies.has)
        self._log = logging.Logger(_LOG, logging.ERROR)  # noqa: LOG001 - of this port alone, with its own handler
        self._log.addHandler(_Journal())
        self.port: int | None = None
        """Where it listens, once started."""

    async def start(self, *, reuse_port: bool = False) -> None:
        """Listen; with `reuse_port` beside other processes.  Raises `chassis.binding.BindFailed`."""
        settings = self._settings
        if settings.port is not None:
            self.port = await self._acceptor.start(
                "listeners.http.port", settings.host, settings.port, reuse_port=reuse_port
            )

    def stop(self) -> None:
        """Take no new connections."""
        self._acceptor.stop()

    async def _begin(self, admitted: Admitted) -> None:
        await connect(self._listener, admitted, _HTTPConnection(self, admitted), tls=self._has_tls)

    # --- requests -------------------------------------------------------------

    def protocol_arguments(self) -> tuple[Any, ...]:
        """What picows' protocol wants, in its order."""
        size_bytes_max = self._listener.settings.connection.stanza_size_bytes_max + _FRAME_OVERHEAD_BYTES
        waits = (False, 10, 10, WSAutoPingStrategy.PING_WHEN_IDLE, False)  # pings and pongs are the connection's own
        timeout = self._settings.request_seconds
        return (self._log, True, timeout, *waits, size_bytes_max, None, _READ_BUFFER_BYTES)

    def answer(self, request: WSUpgradeRequest, admitted: Admitted) -> tuple[WSUpgradeResponseWithListener, str | None]:
        """Return the response, and the network of the client if it is a WebSocket from now on."""
        path = request.path.decode("latin-1").partition("?")[0]
        if path == PATH:
            return self._upgrade(request, admitted)
        if path == HOST_META:
            return _document("application/xrd+xml", _xrd(self._url(request, admitted))), None
        if path == f"{HOST_META}.json":
            return _document("application/json", _jrd(self._url(request, admitted))), None
        return _error(404, b"not found: there are /ws and /.well-known/host-meta\n"), None

    def _upgrade(
        self, request: WSUpgradeRequest, admitted: Admitted
    ) -> tuple[WSUpgradeResponseWithListener, str | None]:
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        origin = request.headers.get("Origin")
        if SUBPROTOCOL not in offered:
            return _error(400, b"the subprotocol must be xmpp (RFC 7395)\n"), None
        if origin is not None and "*" not in self._settings.origins and origin not in self._settings.origins:
            return _error(403, b"this page may not connect\n"), None
        address = admitted.address
        if self._proxies.has(address):
            address = self._proxies.client_of(address, request.headers.get("X-Forwarded-For", ""))
        network = network_of(address)
        if not self._listener.admission.move(admitted.network, network):
            return _error(503, b"too many connections: try again later\n"), None
        facts = ConnectionFacts(address, "websocket", encrypted=self._is_encrypted(request, admitted))
        inlet = WebSocketInlet(WebSocketConnection(self._listener, facts, network))
        response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": SUBPROTOCOL})
        return WSUpgradeResponseWithListener(response, inlet), network

    def _is_encrypted(self, request: WSUpgradeRequest, admitted: Admitted) -> bool:
        """Whether the way from the client is, as far as anybody we trust says."""
        is_proxied = self._proxies.has(admitted.address)
        return self._has_tls or (is_proxied and request.headers.get("X-Forwarded-Proto") == "https")

    def _url(self, request: WSUpgradeRequest, admitted: Admitted) -> str:
        if self._settings.public_url:
            return self._settings.public_url
        scheme = "wss" if self._is_encrypted(request, admitted) else "ws"
        return f"{scheme}://{request.headers.get('Host') or self._listener.policy.domain}{PATH}"


class _HTTPConnection(WSProtocol):  # type: ignore[misc] # published without types
    """One connection, until it is a WebSocket or has had its answer."""

    def __init__(self, port: HTTPPort, admitted: Admitted) -> None:
        super().__init__(None, None, False, self._answer, *port.protocol_arguments())
        self._port = port
        self._admitted: Admitted | None = admitted

    def _answer(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener | None:
        admitted = self._admitted
        if admitted is None:
            return None
        response, network = self._port.answer(request, admitted)
        if network is not None:
            self._admitted = None  # the connection counts as itself from now on
        return response

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        admitted, self._admitted = self._admitted, None
        if admitted is not None:
            admitted.release()


class _Journal(logging.Handler):
    """What picows reports: an exception is our fault, anything else a client's."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            log.error("websocket_failed", exc_info=record.exc_info)
        else:
            log.debug("websocket_refused", reason=record.getMessage())


def _error(status: int, body: bytes) -> WSUpgradeResponseWithListener:
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, body, _FOR_ALL_PAGES), None)


def _document(content_type: str, body: bytes) -> WSUpgradeResponseWithListener:
    headers = {**_FOR_ALL_PAGES, "Content-Type": content_type}
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_ok_response(body, headers), None)


def _xrd(url: str) -> bytes:
    link = Element(f"{{{_XRD}}}Link", {"rel": _RELATION, "href": url})
    return b"<?xml version='1.0' encoding='utf-8'?>" + serialize(Element(f"{{{_XRD}}}XRD", {}, (link,)))


def _jrd(url: str) -> bytes:
    return msgspec.json.encode({"links": [{"rel": _RELATION, "href": url}]})
