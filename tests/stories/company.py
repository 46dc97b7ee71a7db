"""The company in one process: composed edge cores over memory stores, and the real links to the real hub."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc

from cascade.transport.client import LinkClient
from cascade.v1 import administration_pb2 as messages
from cascade.v1.administration_pb2_grpc import AdministrationStub
from central_hub.app import Ports, serving
from central_hub.settings import HubSettings
from chassis.clock import SystemClock
from chassis.lifecycle import Drain
from edge_node.adapters.memory import open_store
from edge_node.app import connect
from edge_node.composition import EdgeCore, Surroundings
from edge_node.tasks import BoundedTasks
from tests.support.certificate_files import DOMAIN, certificates
from tests.support.edge import FACTS, Client, Edge, Wire
from tests.support.proxy import Proxy
from xmpp.errors import StreamError
from xmpp.jid import JID
from xmpp.stanza import Stanza

PATIENCE_SECONDS = 10.0
"""The bound of every "eventually" of a story."""
PASSWORD = "demo"


class Ear(Wire):
    """A connection that tells when something comes."""

    def __init__(self, changed: asyncio.Event) -> None:
        super().__init__()
        self._changed = changed

    def deliver(self, data: bytes) -> None:
        super().deliver(data)
        self._changed.set()

    def close(self, error: StreamError | None) -> None:
        super().close(error)
        self._changed.set()

    def redirect(self, host: str, port: int) -> None:
        super().redirect(host, port)
        self._changed.set()

    def credentials_found(self, credentials: Any) -> None:  # noqa: ANN401 - as the port has it
        super().credentials_found(credentials)
        self._changed.set()


class Site(Edge):
    """One site."""

    def __init__(self, name: str, wire: Proxy, changed: asyncio.Event) -> None:
        files = certificates().of("site", name)
        uplink = files | {"hub": f"127.0.0.1:{wire.port}", "heartbeat_seconds": 5.0}
        super().__init__(store=open_store(SystemClock().now_us()), site=name, uplink=uplink)
        self.name = name
        self.changed = changed
        self.is_cut = False
        self._wire = wire
        self._link: LinkClient | None = None
        self._linking: asyncio.Task[None] | None = None

    async def _compose(self) -> None:
        self.ids.last = max(self.ids.last, await self.store.deliveries.last_id())
        self._tasks = BoundedTasks(self._group, self.settings.tasks_max)
        self._composed = EdgeCore(
            Surroundings(self.settings, self.store, self.clock, self.ids.next_id, self._tasks, self.reports)
        )
        await self._composed.start()
        assert self.settings.uplink is not None
        self._link = await connect(self.settings, self.settings.uplink, self._composed, self.store)
        self._linking = self._group.create_task(self._link.run())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._unlink()
        await super().__aexit__(kind, error, traceback)

    async def _unlink(self) -> None:
        if self._linking is not None:
            self._linking.cancel()
            with suppress(asyncio.CancelledError):
                await self._linking

    async def restart(self) -> None:
        """Kill the core, and start it anew over what it had stored."""
        await self._unlink()
        self.store.crash()
        await self._compose()
        await self.linked()

    def connect(self) -> Client:
        ear = Ear(self.changed)
        return Client(self, ear, self.core.attach(ear, FACTS))

    async def linked(self) -> None:
        """Wait for the link."""
        await turn(lambda: self._link is not None and self._link.is_linked)

    async def cut(self) -> None:
        """Let the link go down."""
        self.is_cut = True
        self._wire.cut()
        await turn(lambda: self._link is not None and not self._link.is_linked)

    async def heal(self) -> None:
        """Let it return."""
        self.is_cut = False
        self._wire.heal()
        await self.linked()


async def turn(condition: Callable[[], object]) -> None:
    """Let the loop turn until it holds: for what has no event."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


class Company:
    """Hub, sites and people."""

    def __init__(self, hub: Ports, admin: Any) -> None:  # noqa: ANN401 - gRPC's stub
        self.changed = asyncio.Event()
        self.sites: dict[str, Site] = {}
        self.homes: dict[str, Site] = {}
        self._hub = hub
        self._admin = admin
        self._probes: dict[str, Client] = {}
        self._crossings = 0

    async def open(self, site: str, stack: Any) -> Site:  # noqa: ANN401 - an AsyncExitStack
        """The site of that name, which is there from now on."""
        if site not in self.sites:
            port = 5222 + 100 * len(self.sites)
            await self._admin.AddSite(
                messages.AddSiteRequest(name=site, client_host=f"{site}.{DOMAIN}", client_port=port)
            )
            wire = Proxy(self._hub.links)
            await wire.start()
            stack.callback(wire.close)
            opened = self.sites[site] = await stack.enter_async_context(Site(site, wire, self.changed))
            await opened.linked()
            await self.move_in(f"probe-{site}", site)
            self._probes[site] = await _probe(opened)
        return self.sites[site]

    async def cut(self, site: str) -> None:
        """Let a site's link go down, and both ends know it: what is sent into a dead link is only missed later."""
        await self.sites[site].cut()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(each.name == site and each.linked for each in await self._sites()):
                pass

    async def _sites(self) -> Sequence[Any]:
        """What the hub says of its sites."""
        found: Sequence[Any] = (await self._admin.ListSites(messages.ListSitesRequest())).sites
        return found

    async def move_in(self, local: str, site: str) -> None:
        """Make an account."""
        row = messages.AccountRow(row=1, local=local, site=site, password=PASSWORD)
        answer = await self._admin.PutAccounts(iter([messages.PutAccountsRequest(rows=[row])]))
        assert not answer.refused, answer
        for version in answer.versions:
            await self._admin.AwaitHeld(version, timeout=PATIENCE_SECONDS)
        self.homes[local] = self.sites[site]

    async def disable(self, local: str, *, disabled: bool) -> None:
        """Shut an account out, or let it in again."""
        record = await self._admin.SetDisabled(messages.SetDisabledRequest(local=local, disabled=disabled))
        version = messages.SiteVersion(site=record.site, version=record.version)
        await self._admin.AwaitHeld(version, timeout=PATIENCE_SECONDS)

    async def eventually(self, condition: Callable[[], object], complaint: Callable[[], str]) -> None:
        """Wait until it holds."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not condition():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            raise AssertionError(complaint()) from None

    async def rest(self) -> None:
        """Let everything arrive that can: each site settles, and probes cross behind whatever is on its way."""
        for site in self.sites.values():
            await site.settle()
        linked = [site for site in self.sites.values() if not site.is_cut]
        for _ in range(2):  # what crosses may be answered by what crosses back
            for origin in linked:
                for destination in linked:
                    if origin is not destination:
                        await self._cross(origin, destination)
            for site in self.sites.values():
                await site.settle()

    async def _cross(self, origin: Site, destination: Site) -> None:
        self._crossings += 1
        probe, id_ = self._probes[destination.name], f"crossing {self._crossings}"
        self._probes[origin.name].send(f'<message to="{probe.jid.full}" id="{id_}"><body>probe</body></message>')
        mark = f'id="{id_}"'.encode()
        await self.eventually(lambda: any(mark in data for data in probe.wire.written), lambda: "nothing crosses")
        probe.wire.written.clear()

    async def renew_probe(self, site: str) -> None:
        """After a death of its core."""
        self._probes[site] = await _probe(self.sites[site])


async def _probe(site: Site) -> Client:
    """Somebody whom messages reach, though he is not available."""
    probe = await site.bind(f"probe-{site.name}", "probe")
    await probe.ask(f'<iq type="get" id="1" to="{DOMAIN}"><ping xmlns="urn:xmpp:ping"/></iq>')
    return probe


@asynccontextmanager
async def company(folder: Path) -> AsyncIterator[Company]:
    """Start the hub."""
    pki = certificates()
    files = pki.served("hub") | {"authority": str(pki.ca)}
    settings = HubSettings.model_validate(
        {
            "domain": DOMAIN,
            "drain_seconds": 1.0,
            "store": {"folder": folder},
            "links": {"host": "127.0.0.1", "port": 0, "reconnect_after_ms": 0, **files},
            "administration": {"port": 0, "scram_iterations": 4096, **files},
            "operations": {"port": 0},
        }
    )
    async with serving(settings, SystemClock(), Drain()) as ports:
        address = f"127.0.0.1:{ports.administration}"
        async with grpc.aio.secure_channel(address, pki.credentials("admin", "operator")) as channel:
            yield Company(ports, AdministrationStub(channel))


def address_of(jid: JID | None) -> str:
    """As a story writes it: `anna` or `anna/desk`."""
    return "" if jid is None else jid.full.replace(f"@{DOMAIN}", "")


def text_of(stanza: Stanza) -> str | None:
    """The body of a message."""
    body = stanza.find("{jabber:client}body")
    return None if body is None else body.text
