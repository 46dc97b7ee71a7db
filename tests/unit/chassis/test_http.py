"""The operations port."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter

from chassis.binding import BindFailed
from chassis.http import OperationsServer, OperationsSettings, Readiness

Asked = tuple[int, dict[str, str], bytes]


@asynccontextmanager
async def serving(
    readiness: Readiness = list, registry: CollectorRegistry | None = None, **settings: float
) -> AsyncIterator[int]:
    server = OperationsServer(OperationsSettings.model_validate(settings), registry or CollectorRegistry(), readiness)
    port = await server.start()
    try:
        async with asyncio.timeout(30):
            yield port
    finally:
        await server.stop()


async def ask(port: int, path: str, method: str = "GET", extra: str = "") -> Asked:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{extra}\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    return (
        int(first.split()[1]),
        {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)},
        body,
    )


async def test_health() -> None:
    async with serving() as port:
        status, headers, body = await ask(port, "/healthz")
    assert (status, headers["content-type"], json.loads(body)) == (200, "application/json", {"healthy": True})


@pytest.mark.parametrize(
    ("checks", "status", "ready"),
    [
        ([], 200, True),
        ([("store", True), ("listeners", True)], 200, True),
        ([("store", True), ("listeners", False)], 503, False),
    ],
)
async def test_readiness(checks: list[tuple[str, bool]], status: int, ready: bool) -> None:
    async with serving(lambda: checks) as port:
        answer = await ask(port, "/readyz")
    assert answer[0] == status
    assert json.loads(answer[2]) == {"ready": ready, "checks": dict(checks)}


async def test_metrics() -> None:
    registry = CollectorRegistry()
    Counter("edge_stanzas_routed", "Stanzas.", registry=registry).inc(3)
    async with serving(registry=registry) as port:
        status, headers, body = await ask(port, "/metrics")
        _, open_headers, _ = await ask(
            port, "/metrics", extra="Accept: application/openmetrics-text; version=1.0.0\r\n"
        )
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert b"\nedge_stanzas_routed_total 3.0\n" in body
    assert open_headers["content-type"].startswith("application/openmetrics-text")


async def test_nothing_else() -> None:
    async with serving() as port:
        assert (await ask(port, "/"))[0] == 404
        assert (await ask(port, "/metrics", method="POST", extra="Content-Length: 0\r\n"))[0] == 405
        status, _, body = await ask(port, "/healthz", method="HEAD")
        assert (status, body) == (200, b"")


async def test_long_header_is_refused() -> None:
    async with serving() as port:
        assert (await ask(port, "/healthz", extra=f"X: {'x' * 10_000}\r\n"))[0] == 400


async def test_slow_client_is_dropped() -> None:
    async with serving(connection_seconds_max=0.05) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTT")
        assert await reader.read() == b""
        writer.close()


async def test_connections_are_few() -> None:
    async with serving(connections_max=1) as port:
        first_reader, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await first_reader.readline()).startswith(b"HTTP/1.1 200")
        second_reader, second = await asyncio.open_connection("127.0.0.1", port)
        assert await second_reader.read() == b""
        for writer in (first, second):
            writer.close()


async def test_port_that_is_taken_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        server = OperationsServer(
            OperationsSettings(port=holder.getsockname()[1]), CollectorRegistry(), list, setting="edge.operations"
        )
        with pytest.raises(BindFailed, match=r"^edge\.operations: cannot listen on 127\.0\.0\.1:"):
            await server.start()
        await server.stop()
