"""Where `<see-other-host/>` points, written and read (RFC 6120 section 4.9.3.19)."""

from xmpp.errors import StreamCondition, StreamError


def address(host: str, port: int) -> str:
    """Write `host:port`; an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def error(home: str) -> StreamError:
    """What sends a client to that address, in words too for those who do not follow."""
    return StreamError(StreamCondition.SEE_OTHER_HOST, f"this account is served at {home}", home)


def host_and_port(address: str) -> tuple[str, int | None]:
    """Read `host`, `host:port` or `[IPv6]:port`; a number that no port has is left out."""
    host, _, port = address.rpartition(":")
    if host and port.isascii() and port.isdigit() and (":" not in host or host.startswith("[")):
        number = int(port) if len(port) <= len("65535") else 0
        return host.strip("[]"), number if 0 < number <= 65_535 else None
    return address.strip("[]"), None
