"""What the core decides about all streams of its edge, for those who speak with the clients."""

from dataclasses import dataclass

from xmpp.element import Element


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """The same for all listeners of an edge; listener processes hear it from the core."""

    domain: str
    secret: bytes
    """Keys the salts shown for accounts that do not exist (`xmpp.sasl.server.ServerPolicy`)."""
    fake_iterations: int
    """Iterations shown for accounts that do not exist: those of real accounts."""
    features: tuple[Element, ...] = ()
    """Announced after authentication, beside binding and stream management."""
