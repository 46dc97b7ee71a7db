"""People with slixmpp, a client that nobody here wrote."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import slixmpp

from chappe.client.account import Account
from chappe.client.endpoint import Transport
from tests.support.processes import PATIENCE_SECONDS

PLUGINS = ("xep_0030", "xep_0059", "xep_0184", "xep_0198", "xep_0199", "xep_0280", "xep_0297", "xep_0313", "xep_0333")
EVENTS = (
    "message", "presence", "presence_available", "presence_unavailable", "presence_subscribed", "receipt_received",
    "marker_displayed", "carbon_sent", "carbon_received", "roster_update", "stream_error", "failed_auth",
    "session_start", "session_resumed", "disconnected", "message_error",
)  # fmt: skip


class Foreigner:
    """One slixmpp client, and every event of it by name."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.xmpp: Any = slixmpp.ClientXMPP(account.jid.full, account.password)
        for plugin in PLUGINS:
            self.xmpp.register_plugin(plugin)
        self.xmpp.ca_certs = account.ca
        transport = account.endpoint.transport
        self.xmpp.enable_direct_tls = transport is Transport.TLS
        self.xmpp.enable_starttls = transport is Transport.STARTTLS
        self.events: dict[str, list[Any]] = {name: [] for name in EVENTS}
        self._changed = asyncio.Event()
        for name in EVENTS:
            self.xmpp.add_event_handler(name, self._note(name))

    def _note(self, name: str) -> Callable[[Any], None]:
        def note(event: Any) -> None:  # noqa: ANN401 - slixmpp's own
            self.events[name].append(event)
            self._changed.set()

        return note

    async def connect(self) -> Self:
        """Connect, and be there when it has led to something."""
        self.xmpp.connect(self._account.endpoint.host, self._account.endpoint.port)
        await self.until(lambda: self.events["session_start"] or self.events["failed_auth"])
        return self

    async def __aenter__(self) -> Self:
        """Log in, fetch the roster, be available."""
        await self.connect()
        assert self.events["session_start"], "the login has failed"
        await self.xmpp.get_roster()
        self.xmpp.send_presence()
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self.xmpp.disconnect(wait=1.0)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until it holds, looking at each event."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            seen = {name: [str(event) for event in events[-5:]] for name, events in self.events.items() if events}
            raise AssertionError(f"{self._account.jid} has waited in vain; events: {seen}") from None

    async def event(self, name: str, matches: Callable[[Any], object] = lambda _event: True) -> Any:  # noqa: ANN401
        """Wait for an event that matches, past ones included; return it."""
        await self.until(lambda: any(matches(event) for event in self.events[name]))
        return next(event for event in self.events[name] if matches(event))

    @property
    def bodies(self) -> list[str]:
        """The texts of the messages that came."""
        return [message["body"] for message in self.events["message"] if message["body"]]

    async def hears(self, body: str) -> Any:  # noqa: ANN401 - slixmpp's message
        """Wait for a message; return it."""
        return await self.event("message", lambda message: message["body"] == body)

    def say(self, to: str, body: str, **wishes: object) -> Any:  # noqa: ANN401 - slixmpp's message
        """Send a chat message that asks for a receipt; return it."""
        message = self.xmpp.make_message(mto=to, mbody=body, mtype="chat")
        message["id"] = body
        for name, wish in wishes.items():
            message[name] = wish
        message.send()
        return message
