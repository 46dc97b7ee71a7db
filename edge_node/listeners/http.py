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
    WSFrame,
    WSListener,
    WSTransport,
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
from edge_node.listeners.websocket import SUBPROTOCOL, WebSocketConnection
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
        """Return whose request it is: the last address on the way that is none of our proxies'.

        What is no address ends the way: it is as if `address`, the nearest proxy, had asked by itself.
        """
        hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
        for hop in reversed(hops):
            found = _address_in(hop)
            if found is None:
                break
            if not self.has(found):
                return found
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

    def answer(self, request: WSUpgradeRequest, admitted: Admitted) -> WSUpgradeResponseWithListener:
        """Return the response; if it has a listener, the connection is to be a WebSocket."""
        path = request.path.decode("latin-1").partition("?")[0]
        if path == PATH:
            return self._upgrade(request, admitted)
        if path == HOST_META:
            return _document("application/xrd+xml", _xrd(self._url(request, admitted)))
        if path == f"{HOST_META}.json":
            return _document("application/json", _jrd(self._url(request, admitted)))
        return _error(404, b"not found: there are /ws and /.well-known/host-meta\n")

    def _upgrade(self, request: WSUpgradeRequest, admitted: Admitted) -> WSUpgradeResponseWithListener:
        origin = request.headers.get("Origin")
        if SUBPROTOCOL not in _values(request, "Sec-WebSocket-Protocol"):
            return _error(400, b"the subprotocol must be xmpp (RFC 7395)\n")
        if origin is not None and "*" not in self._settings.origins and origin not in self._settings.origins:
            self._listener.metrics.refused["origin"] += 1
            return _error(403, b"this page may not connect\n")
        address = admitted.address
        if self._proxies.has(address):
            # A proxy may add a line of its own to the one that its client sent.
            address = self._proxies.client_of(address, ",".join(_values(request, "X-Forwarded-For")))
        network = network_of(address)
        if not self._listener.admission.move(admitted.network, network):
            self._listener.metrics.refused["full"] += 1
            return _error(503, b"too many connections: try again later\n")
        admitted.network = network
        facts = ConnectionFacts(address, "websocket", encrypted=self._is_encrypted(request, admitted))
        inlet = _WebSocketInlet(WebSocketConnection(self._listener, facts, network))
        response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": SUBPROTOCOL})
        return WSUpgradeResponseWithListener(response, inlet)

    def _is_encrypted(self, request: WSUpgradeRequest, admitted: Admitted) -> bool:
        """Whether the way from the client is, as far as anybody we trust says."""
        is_proxied = self._proxies.has(admitted.address)
        return self._has_tls or (is_proxied and set(_values(request, "X-Forwarded-Proto")) == {"https"})

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
        self._admitted = admitted
        self._inlet: _WebSocketInlet | None = None

    def _answer(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        # COMPAT(picows 2.3): it takes `Connection: Upgrade` only, where Firefox says `keep-alive, Upgrade`.
        if "upgrade" in (each.lower() for each in _values(request, "Connection")):
            request.headers["Connection"] = "Upgrade"
        response = self._port.answer(request, self._admitted)
        self._inlet = response.listener
        return response

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # After our answer picows may still find fault with the request: then no connection has begun.
        if self._inlet is None or not self._inlet.has_begun:
            self._admitted.release()


class _WebSocketInlet(WSListener):
    """Between picows and a connection."""

    def __init__(self, connection: WebSocketConnection) -> None:
        super().__init__()
        self._connection = connection
        self.has_begun = False
        """Whether the upgrade has been answered: from then on the connection counts as itself."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.has_begun = True
        self._connection.connected(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # COMPAT(picows 2.3): its types promise bool for flags that are numbers, which a compiled module believes.
        payload = frame.get_payload_as_bytes()
        self._connection.frame_received(frame.msg_type, payload, is_last=bool(frame.fin), is_reserved=bool(frame.rsv1))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._connection.disconnected()

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()


class _Journal(logging.Handler):
    """What picows reports: an exception is our fault, anything else a client's."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            log.error("websocket_failed", exc_info=record.exc_info)
        else:
            log.debug("websocket_refused", reason=record.getMessage())


def _values(request: WSUpgradeRequest, name: str) -> list[str]:
    """The values of a header that is a list, in one line or in several (RFC 9110 section 5.3)."""
    return [value.strip() for line in request.headers.getall(name, []) for value in line.split(",")]


def _address_in(hop: str) -> str | None:
    """Read an address, with a port or without one; None if there is none."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return None


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
