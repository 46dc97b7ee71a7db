import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.edge_process import EdgeProcess, Tables, edge_process, issue_certificates
from tests.integration.abuse.offender import Offender, Way
from tests.support.clients import Clients

Connect = Callable[..., Awaitable[Offender]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("abuse")


@pytest.fixture(scope="session")
def context(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=issue_certificates(folder))


@pytest.fixture(scope="session")
def ordinary_edge(folder: Path, context: ssl.SSLContext) -> Iterator[EdgeProcess]:
    """With the settings that a new installation has."""
    with edge_process(folder / "ordinary", folder, {}) as started:
        yield started


@pytest.fixture(scope="session")
def small_edge(folder: Path, context: ssl.SSLContext) -> Iterator[EdgeProcess]:
    """With short time-outs and small bounds."""
    tables: Tables = {
        "listeners.negotiation": {"seconds": 1.0, "tls_seconds": 1.0},
        "listeners.http": {"request_seconds": 1.0},
        "listeners.connection": {
            "slow_seconds_max": 1.0,
            "closing_seconds": 1.0,
            "write_buffer_bytes_max": 1_048_576,
        },
        "rosters": {"items_max": 20},
    }
    with edge_process(folder / "small", folder, tables) as started:
        yield started


@pytest.fixture
def edge(ordinary_edge: EdgeProcess) -> EdgeProcess:
    return ordinary_edge


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    opened = Clients()
    yield opened
    await opened.close()


@pytest.fixture
async def bystanders(edge: EdgeProcess, clients: Clients, context: ssl.SSLContext) -> AsyncIterator[Bystanders]:
    """Have two people talk before and after the test, who notice nothing; nor does the edge call anything a failure."""
    anna = await clients.login(edge.tcp, "anna", context)
    bruno = await clients.login(edge.tls, "bruno", context, is_direct=True)
    people = Bystanders(anna, bruno)
    await people.greet()
    await people.talk()
    yield people
    await people.talk()
    assert edge.failures == []


@pytest.fixture
async def connect(edge: EdgeProcess, context: ssl.SSLContext) -> AsyncIterator[Connect]:
    """Connect an offender; all of them are cut off at the end."""
    opened: list[Offender] = []

    async def connect_one(way: Way = Way.TCP, address: str | None = None) -> Offender:
        opened.append(await Offender.connect(edge, way, context, address))
        return opened[-1]

    yield connect_one
    for offender in opened:
        offender.leave()
