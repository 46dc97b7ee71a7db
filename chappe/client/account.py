"""Who logs in where: everything a client must be told."""

from dataclasses import dataclass
from pathlib import Path

from chappe.client.endpoint import Endpoint
from xmpp.jid import JID


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account, its password and its server; and the patience with them."""

    jid: JID
    """Bare, or full to ask for a resource."""

    password: str
    endpoint: Endpoint

    ca: Path | None = None
    """PEM file of the authorities that may have issued the server's certificate; None: those of the system."""

    requires_tls: bool = True
    """False only for servers that are known to be near: benchmarks."""

    connect_seconds: float = 15.0
    """From the first packet to the bound resource."""

    silence_seconds: float = 60.0
    """Without a byte from the server, after which it is asked for a sign of life; then it has half of that."""

    retry_seconds_max: float = 15.0
    """Longest wait between two attempts to connect again."""

    unacknowledged_max: int = 10_000
    """Stanzas sent that the server has not taken; more are refused with `QueueFull`."""
