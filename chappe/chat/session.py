"""Port: the session that a conversation is held through; `chappe.client.Client` is one."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self

from chappe.client import Event
from chappe.client.client import Answer
from xmpp.element import Element
from xmpp.jid import JID
from xmpp.stanza import Stanza


class Session(Protocol):
    """As `Client`, whose methods these are."""

    async def __aenter__(self) -> Self:
        """Log in."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the session."""

    async def wait_ended(self) -> None:
        """Return when it is over."""

    @property
    def jid(self) -> JID:
        """The full address."""

    @property
    def is_connected(self) -> bool:
        """Whether what is sent leaves at once."""

    @property
    def unacknowledged(self) -> int:
        """How many stanzas the server has not taken."""

    def send(self, stanza: Stanza) -> None:
        """Send."""

    async def request(
        self, payload: Element, *, to: JID | None = None, type: str = "get", seconds: float = 30.0
    ) -> Stanza:
        """Ask and wait for the result."""


Connect = Callable[[Callable[[Event], None], Mapping[str, Answer]], Session]
"""Makes a session that tells its events, and lets requests of others be answered."""
