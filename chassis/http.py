"""The operations port: `/metrics`, `/healthz` and `/readyz`, on an address of their own.

Rule: it answers at once from what is in memory, and nobody can hold it: connections are few and live for seconds.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from aiohttp import web
from annotated_types import Ge, Gt, Le
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from chassis.binding import naming_setting
from chassis.settings import Settings

Readiness = Callable[[], list[tuple[str, bool]]]
"""Names what the process needs to serve, and whether it is there."""

HEADER_SIZE_BYTES_MAX: Final = 4_096
HEADERS_MAX: Final = 32


class OperationsSettings(Settings):
    """The port for probes and metrics."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, Ge(0), Le(65535)] = 0
    """Port to listen on; 0 lets the kernel choose."""

    connections_max: Annotated[int, Ge(1), Le(1000)] = 32
    """More connections at a time are closed at once."""

    connection_seconds_max: Annotated[float, Gt(0), Le(60)] = 10.0
    """A connection is closed after this time, whatever it does."""


class OperationsServer:
    """The HTTP server of the operations port.

    Arguments: its settings, the metrics to show, the readiness to ask, and where its settings stand, for messages.
    """

    def __init__(
        self,
        settings: OperationsSettings,
        registry: CollectorRegistry,
        readiness: Readiness,
        setting: str = "operations",
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._readiness = readiness
        self._setting = setting
        self._handlers = web.Server(
            self._answer,
            access_log=None,
            keepalive_timeout=settings.connection_seconds_max,
            lingering_time=0,
            max_field_size=HEADER_SIZE_BYTES_MAX,
            max_headers=HEADERS_MAX,
            max_line_size=HEADER_SIZE_BYTES_MAX,
        )
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; gives the port.  Raises `chassis.binding.BindFailed`."""
        loop = asyncio.get_running_loop()
        host, port = self._settings.host, self._settings.port
        with naming_setting(self._setting, f"{host}:{port}"):
            self._server = await loop.create_server(self._connection, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port and its connections."""
        if self._server is not None:
            self._server.close()
            await self._handlers.shutdown(timeout=1.0)
            await self._server.wait_closed()
            self._server = None

    def _connection(self) -> asyncio.Protocol:
        if len(self._handlers.connections) >= self._settings.connections_max:
            return _Refusal()
        handler = self._handlers()
        asyncio.get_running_loop().call_later(self._settings.connection_seconds_max, handler.force_close)
        return handler

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        match request.path:
            case "/healthz":
                return _json(200, {"healthy": True})
            case "/readyz":
                checks = dict(self._readiness())
                ready = all(checks.values())
                return _json(200 if ready else 503, {"ready": ready, "checks": checks})
            case "/metrics":
                encode, content_type = choose_encoder(request.headers.get("Accept", ""))
                return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})
            case _:
                return web.Response(status=404, text="not found: there are /healthz, /readyz and /metrics\n")


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
