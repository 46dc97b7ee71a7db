"""Connections on transports without sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from edge_node.backplane.ports import ConnectionFacts
from edge_node.listeners.listener import Listener
from edge_node.listeners.settings import ListenerSettings
from edge_node.listeners.tcp import TCPConnection
from tests.support.clients import DOMAIN, KEYS
from tests.support.cores import POLICY, Disk, ToyCore
from tests.support.transports import FakeTransport
from xmpp.client_stream import ClientSettings, ClientStream
from xmpp.framing import TcpFraming
from xmpp.parser import ParserPool
from xmpp.sasl.client import Login
from xmpp.transitions import StreamState

ADDRESS = "192.0.2.7"


class Pair:
    """A client's stream and the connection at the other end."""

    def __init__(self, listener: Listener, name: str = "anna", password: str = "", resource: str | None = None) -> None:
        self.listener = listener
        assert listener.admission.admit(ADDRESS)
        facts = ConnectionFacts(ADDRESS, "tcp", encrypted=False)
        self.connection = TCPConnection(listener, facts, ADDRESS)
        self.transport = FakeTransport()
        self.connection.connection_made(self.transport)
        login = Login(username=name, password=password or name, derive_keys=KEYS.derive_keys)
        settings = ClientSettings(
            domain=DOMAIN,
            login=login,
            token=lambda: "token",
            resource=resource,
            requires_tls=False,
            wants_management=False,
        )
        self.client = ClientStream(settings, TcpFraming(), ParserPool())

    async def exchange(self, stop: bytes = b"\0") -> list[Any]:
        """Carry bytes both ways until nobody has anything to say, or `stop` is written; return the client's events."""
        while True:
            data = self.client.data_to_send()
            if data:
                self.connection.data_received(data)
            await asyncio.sleep(0)
            written, self.transport.written = self.transport.written, []
            has_stopped = any(stop in each for each in written)
            if not has_stopped:
                self.client.receive_data(b"".join(written))
            if has_stopped or not (data or written):
                return self.client.events_received()

    async def login(self) -> "Pair":
        await self.exchange()
        assert self.client.state is StreamState.ONLINE
        return self


NewPair = Callable[..., Pair]


@pytest.fixture
async def edge() -> AsyncIterator[Callable[..., Listener]]:
    """Make listeners with settings, on a toy core that has them."""
    opened: list[Listener] = []

    def new(**settings: object) -> Listener:
        disk = Disk()
        disk.add_account("anna", "anna")
        disk.add_account("bruno", "bruno")
        core = ToyCore(disk)
        values = ListenerSettings.model_validate({"require_tls": False, **settings})
        listener = Listener(values, core, POLICY, None, CollectorRegistry())
        opened.append(listener)
        return listener

    yield new
    for listener in opened:
        listener.passwords.close()
