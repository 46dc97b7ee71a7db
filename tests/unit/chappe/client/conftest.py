"""The client is tested against real listeners on loopback, with a toy core behind them."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from chappe.client import Account, Endpoint, Event, Transport
from chassis.clock import SystemClock
from chassis.pki import Authority, Subject
from tests.integration.listeners.conftest import Certificates, Edge, start
from xmpp.jid import JID

__all__ = ["start"]

PATIENCE_SECONDS = 10.0


class Heard:
    """What a client told, to be waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, is_wanted: Callable[[Event], bool]) -> Event:
        """Return the first event, from the beginning on, that is wanted."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for event in self.events:
                    if is_wanted(event):
                        return event
                self._news.clear()
                await self._news.wait()

    async def of(self, kind: type, number: int = 1) -> Event:
        """Return the event of a kind that came as the `number`th."""
        await self.until(lambda _event: len([each for each in self.events if isinstance(each, kind)]) >= number)
        return [each for each in self.events if isinstance(each, kind)][number - 1]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """For the domain, and for the host of the WebSocket's URL."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority.create("Test authority", SystemClock())
    credential = authority.issue(Subject(common_name="corp.example", hosts=("corp.example", "localhost")))
    credential.write(folder / "certificate.pem", folder / "key.pem")
    context = ssl.create_default_context(cadata=authority.credential.certificate_pem.decode())
    return Certificates(folder / "certificate.pem", folder / "key.pem", authority, context)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def ca(certificates: Certificates, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_bytes(certificates.authority.credential.certificate_pem)
    return file


MakeAccount = Callable[..., Account]


@pytest.fixture
def account(ca: Path) -> MakeAccount:
    def make(edge: Edge, transport: Transport = Transport.STARTTLS, name: str = "anna", **changes: object) -> Account:
        port = {Transport.TLS: edge.tcp.tls_port, Transport.WSS: edge.http.port}.get(transport, edge.tcp.port)
        host = "localhost" if transport is Transport.WSS else "127.0.0.1"
        values = {
            "jid": JID.parse(f"{name}@corp.example"),
            "password": name,
            "endpoint": Endpoint(host, port or 0, transport),
            "ca": ca,
            "retry_seconds_max": 0.3,
        }
        return Account(**{**values, **changes})  # type: ignore[arg-type]  # a test's own words

    return make
