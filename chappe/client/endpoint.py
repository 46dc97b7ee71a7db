"""Where a server listens, and how it is spoken to there."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class Transport(StrEnum):
    """How an XML stream is carried."""

    STARTTLS = "xmpp"
    """TCP, encrypted once both sides agree to (RFC 6120 section 5)."""
    TLS = "xmpps"
    """Inside TLS from the first byte (XEP-0368)."""
    WSS = "wss"
    """WebSocket inside TLS (RFC 7395)."""
    WS = "ws"
    """WebSocket; behind a proxy that ends TLS, or in tests."""


STARTTLS_PORT = 5222
_PORTS = {Transport.STARTTLS: STARTTLS_PORT, Transport.TLS: 5223, Transport.WSS: 443, Transport.WS: 80}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One port of a server."""

    host: str
    port: int
    transport: Transport = Transport.STARTTLS
    path: str = "/ws"
    """Of a WebSocket."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = self.path if self.transport in (Transport.WSS, Transport.WS) else ""
        return f"{self.transport}://{host}:{self.port}{path}"


def parse_endpoint(text: str) -> Endpoint:
    """Read `host`, `host:port` (STARTTLS), `xmpps://host:port` (TLS) or `wss://host:port/path`.

    Raises:
        ValueError: the text is none of these.
    """
    parts = urlsplit(text if "://" in text else f"{Transport.STARTTLS}://{text}")
    transport = Transport(parts.scheme)
    if not parts.hostname:
        raise ValueError(f"{text!r} names no host")
    return Endpoint(parts.hostname, parts.port or _PORTS[transport], transport, parts.path or "/ws")
