"""People with the product's own client (`chappe.client`): they reconnect, resume, and send again what was not taken."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Self

from chappe.client.account import Account
from chappe.client.client import Client
from chappe.client.events import Connected, Disconnected, Ended, Event
from tests.support.processes import PATIENCE_SECONDS
from xmpp.element import Element
from xmpp.jid import JID
from xmpp.namespaces import CLIENT
from xmpp.stanza import Stanza

BODY = f"{{{CLIENT}}}body"


def chat(to: JID | str, body: str, *payloads: Element, id: str | None = None) -> Stanza:
    """A message of type chat."""
    address = to if isinstance(to, JID) else JID.parse(to)
    return Stanza.build("message", Element(BODY, {}, (body,)), *payloads, type="chat", id=id or body, to=address)


def body_of(message: Stanza) -> str | None:
    """The text of a message."""
    body = message.find(BODY)
    return None if body is None else body.text


class Person:
    """One client of one account, and everything that came to it."""

    def __init__(self, account: Account) -> None:
        self.client = Client(account, self._heard)
        self.messages: list[Stanza] = []
        self.presences: list[Stanza] = []
        self.connections: list[Connected] = []
        self.disconnections: list[Disconnected] = []
        self.ended: Ended | None = None
        self._changed = asyncio.Event()
        self.on_message: Callable[[Stanza], None] = lambda _message: None
        """Hears each message when it comes."""

    async def __aenter__(self) -> Self:
        """Log in, and be available: what is sent from here on finds this resource."""
        await self.client.__aenter__()
        self.client.send(Stanza.build("presence"))
        await self.until(lambda: any(presence.sender == self.jid for presence in self.presences))
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self.client.__aexit__(None, None, None)

    def _heard(self, event: Event) -> None:
        match event:
            case Stanza(kind="message"):
                self.messages.append(event)
                self.on_message(event)
            case Stanza():
                self.presences.append(event)
            case Connected():
                self.connections.append(event)
                if not event.is_resumed and len(self.connections) > 1:
                    self.client.send(Stanza.build("presence"))
            case Disconnected():
                self.disconnections.append(event)
            case Ended():
                self.ended = event
            case _:
                pass  # acknowledgements are counted by the client
        self._changed.set()

    @property
    def jid(self) -> JID:
        """The full JID."""
        return self.client.jid

    def say(self, to: JID | str, body: str) -> None:
        """Send a chat message, whose id is its text."""
        self.client.send(chat(to, body))

    @property
    def bodies(self) -> list[str]:
        """The texts of all messages that came, in order."""
        return [body for message in self.messages if (body := body_of(message)) is not None]

    @property
    def errors(self) -> list[Stanza]:
        """The errors among the messages that came."""
        return [message for message in self.messages if message.type == "error"]

    async def until(self, condition: Callable[[], object], complaint: Callable[[], str] | None = None) -> None:
        """Wait until it holds, looking at each thing that comes; `complaint` says what is wrong if it never does."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            text = self._story() if complaint is None else complaint()
            raise AssertionError(f"{self.jid} has waited in vain: {text}") from None

    def _story(self) -> str:
        came = [stanza.render().decode() for stanza in [*self.messages[-10:], *self.presences[-10:]]]
        return f"{came}; {self.connections}, {self.disconnections}, {self.ended}"

    async def hears(self, *bodies: str) -> None:
        """Wait for messages."""
        await self.until(lambda: set(bodies) <= set(self.bodies))

    async def taken(self) -> None:
        """Wait until the server has taken custody of everything sent."""
        await self.until(lambda: not self.client.unacknowledged)


@asynccontextmanager
async def online(accounts: Iterable[Account]) -> AsyncIterator[list[Person]]:
    """Log several in at once, and out at the end."""
    people = [Person(account) for account in accounts]
    entered: list[Person] = []

    async def enter(person: Person) -> None:
        await person.__aenter__()
        entered.append(person)

    try:
        async with asyncio.TaskGroup() as logins:
            for person in people:
                logins.create_task(enter(person))
        yield people
    finally:
        async with asyncio.TaskGroup() as logouts:
            for person in entered:
                logouts.create_task(person.__aexit__(None, None, None))
