"""A session without a server, and a screen without a terminal."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self

import pytest

from chappe.chat.conversation import Conversation
from chappe.chat.lines import Line
from chappe.client import Event, NotConnected
from chappe.client.client import Answer
from chassis.clock import ManualClock
from xmpp.element import Element
from xmpp.jid import JID
from xmpp.stanza import Stanza

ANNA = JID.parse("anna@corp.example/desk")
CHLOE = JID.parse("chloe@corp.example")
PHONE = CHLOE.with_resource("phone")


class FakeSession:
    """Keeps what is sent, and answers requests as told."""

    def __init__(self, on_event: Callable[[Event], None], answers: Mapping[str, Answer]) -> None:
        self.on_event = on_event
        self.answers = answers
        self.jid = ANNA
        self.is_connected = True
        self.unacknowledged = 0
        self.sent: list[Stanza] = []
        self.requests: list[Element] = []
        self.results: dict[str, Callable[[Element], tuple[Element, ...]]] = {}
        """Payload's name -> what the result has."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    async def wait_ended(self) -> None:
        await asyncio.Event().wait()

    def send(self, stanza: Stanza) -> None:
        if not self.is_connected:
            raise NotConnected("not connected")
        self.sent.append(stanza)
        self.unacknowledged += 1

    async def request(
        self, payload: Element, *, to: JID | None = None, type: str = "get", seconds: float = 30.0
    ) -> Stanza:
        self.requests.append(payload)
        result = self.results.get(payload.name)
        return Stanza.build("iq", *(() if result is None else result(payload)), type="result")


class FakeScreen:
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def show(self, line: Line) -> None:
        self.lines.append(line)

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


class Stage:
    """A conversation with everything around it."""

    def __init__(self) -> None:
        self.screen = FakeScreen()
        self.spawned: list[Coroutine[Any, Any, None]] = []
        self.clock = ManualClock()
        self.conversation = Conversation(self._connect, self.screen, self.clock, self.spawned.append)

    def _connect(self, on_event: Callable[[Event], None], answers: Mapping[str, Answer]) -> FakeSession:
        self.session = FakeSession(on_event, answers)
        return self.session

    async def run_spawned(self) -> None:
        spawned, self.spawned = self.spawned, []
        for waiting in spawned:
            await waiting


@pytest.fixture
def stage() -> Stage:
    return Stage()
