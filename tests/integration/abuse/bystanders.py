"""Anna and Bruno, who talk to each other and must not notice anything."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.clients import Client
from xmpp.jid import JID
from xmpp.stanza import Stanza

DOMAIN = JID.parse("corp.example")
BODY = "{jabber:client}body"
PING = "{urn:xmpp:ping}ping"


@dataclass
class Rounds:
    """What a conversation was like."""

    seconds: list[float] = field(default_factory=list)
    """How long each round of it took."""

    @property
    def slowest(self) -> float:
        return max(self.seconds)


class Bystanders:
    """Two clients that are online, each at home here."""

    def __init__(self, anna: Client, bruno: Client) -> None:
        self._anna = anna
        self._bruno = bruno
        self._number = 0

    async def talk(self) -> float:
        """Each writes to the other, and Anna pings the server; return how many seconds that took."""
        began = time.monotonic()
        self._number += 1
        await self._say(self._anna, self._bruno, f"question {self._number}")
        await self._say(self._bruno, self._anna, f"answer {self._number}")
        await self._ping(self._anna)
        return time.monotonic() - began

    async def greet(self) -> None:
        """Say something: messages wait for a client that has said nothing yet."""
        await self._ping(self._anna)
        await self._ping(self._bruno)

    async def _ping(self, client: Client) -> None:
        ping = Stanza("iq", "get", f"p{self._number}", DOMAIN, payloads=(PING,), inner=b"<ping xmlns='urn:xmpp:ping'/>")
        client.send(ping)
        pong = await client.stanza()
        assert (pong.kind, pong.type, pong.id) == ("iq", "result", ping.id)

    async def _say(self, sender: Client, recipient: Client, text: str) -> None:
        body = f"<body>{text}</body>".encode()
        assert sender.stream.jid is not None
        assert recipient.stream.jid is not None
        sender.send(Stanza("message", "chat", text, recipient.stream.jid, payloads=(BODY,), inner=body))
        received = await recipient.stanza()
        assert received.kind == "message"
        assert received.sender == sender.stream.jid
        assert body in received.inner

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[Rounds]:
        """Talk without a pause for as long as the context is open, and one round longer."""
        rounds = Rounds([await self.talk()])
        is_over = False

        async def talk_on() -> None:
            while not is_over:
                rounds.seconds.append(await self.talk())

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(talk_on())
            yield rounds
            is_over = True
        rounds.seconds.append(await self.talk())
