"""A hub and the edges of its sites as real processes on loopback, with links that can be cut.

`async with cluster("paris", "lyon") as company:` is ready when people may log in; leaving it ends every process by its
id.  If the test fails, what the processes have logged goes with the error.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc

from cascade.v1 import administration_pb2 as messages
from cascade.v1.administration_pb2_grpc import AdministrationStub
from chappe.client.account import Account
from chappe.client.endpoint import Endpoint, Transport
from tests.support.certificate_files import DOMAIN, CertificateFolder, certificates
from tests.support.processes import PATIENCE_SECONDS, Descendant, HeldPort, Line, Process
from tests.support.proxy import Proxy
from xmpp.jid import JID

PASSWORD = "demo"
LOGGED_LINES_SHOWN = 60
Table = Mapping[str, Any]


class HubProcess:
    """The hub; it may be killed and started again on the same ports and store."""

    def __init__(self, folder: Path, pki: CertificateFolder, settings: Table) -> None:
        self._ports = {name: HeldPort() for name in ("links", "administration")}
        served = pki.served("hub") | {"authority": str(pki.ca)}
        loopback = {"host": "127.0.0.1"}
        self._config = write_settings(
            folder / "hub.toml",
            {
                "domain": DOMAIN,
                "drain_seconds": 3.0,
                "store": {"folder": str(folder / "hub")},
                "links": loopback | served | {"port": self.links},
                "administration": loopback | served | {"port": self.administration, "scram_iterations": 4096},
                "operations": {"port": 0},
            },
            settings,
        )
        self.process = Process("hub", "-m", "central_hub", "--config", str(self._config))
        self.ended: list[Process] = []

    @property
    def links(self) -> int:
        """Where sites call."""
        return self._ports["links"].number

    @property
    def administration(self) -> int:
        """Where administrators call."""
        return self._ports["administration"].number

    async def restart(self) -> Line:
        """Have it begin anew in place; it is ready then."""
        seen = len(self.process.lines)
        self.process.hang_up()
        return await self.process.logged("hub_started", after=seen)

    async def start(self) -> Line:
        """Start it; it is ready then."""
        if self.process.lines:
            self.ended.append(self.process)
            self.process = Process("hub", "-m", "central_hub", "--config", str(self._config))
        await self.process.start()
        return await self.process.logged("hub_started")

    async def kill(self) -> None:
        """SIGKILL."""
        await self.process.kill()

    async def close(self) -> None:
        """Be sure that it is gone."""
        await self.process.close()
        for port in self._ports.values():
            port.release()


class SiteProcess:
    """A site's edge node: its core, its listener processes, and the wire to the hub."""

    def __init__(self, name: str, folder: Path, hub: HubProcess, pki: CertificateFolder, settings: Table) -> None:
        self.name = name
        self.folder = folder / name
        self.wire = Proxy(hub.links)
        self.listener_processes: int = settings.get("listeners", {}).get("processes", 0)
        self._pki = pki
        self._settings = settings
        self._ports = {name: HeldPort() for name in ("starttls", "tls", "http")}
        self.config = folder / f"{name}.toml"
        self.core = self._new_core()
        self.ended: list[Process] = []
        self.listeners: dict[int, Descendant] = {}
        """Listener processes by index."""
        self._former_listeners: list[Descendant] = []
        self.operations = 0
        """The core's port for probes and metrics, once started."""

    def _new_core(self) -> Process:
        core = Process(self.name, "-m", "edge_node", "--config", str(self.config))
        core.on_line = self._heard
        return core

    def _heard(self, line: Line) -> None:
        if line["event"] == "listener_started":
            index = int(line["listener"])
            if index in self.listeners:
                self._former_listeners.append(self.listeners[index])
            self.listeners[index] = Descendant(int(line["process"]))

    def port(self, transport: Transport = Transport.STARTTLS) -> int:
        """Where clients connect."""
        names = {Transport.STARTTLS: "starttls", Transport.TLS: "tls", Transport.WSS: "http", Transport.WS: "http"}
        return self._ports[names[transport]].number

    def write_settings(self, **changes: object) -> None:
        """Write the settings file, with changes in the form of its tables."""
        loopback = {"host": "127.0.0.1"}
        write_settings(
            self.config,
            {
                "domain": DOMAIN,
                "site": self.name,
                "data": str(self.folder),
                "drain_seconds": 5.0,
                "listeners": {
                    "tls": self._pki.served("domain"),
                    "tcp": loopback | {"port": self.port(), "tls_port": self.port(Transport.TLS)},
                    "http": loopback | {"port": self.port(Transport.WSS)},
                },
                "backplane": {"path": str(self.folder / "backplane.sock")},
                "uplink": self._pki.of("site", self.name) | {"hub": f"127.0.0.1:{self.wire.port}"},
                "operations": {"port": 0},
            },
            self._settings,
            changes,
        )

    async def start(self) -> None:
        """Start it; people may log in then."""
        if self.core.lines:
            self.ended.append(self.core)
            self.core = self._new_core()
        await self.core.start()
        self.operations = int((await self.core.logged("edge_started"))["operations"])

    async def listening(self) -> None:
        """Wait for the first start of the listener processes."""
        for index in range(self.listener_processes):
            await self.core.logged("listener_ready", index=index)

    async def linked(self, after: int = 0) -> None:
        """Wait until the hub has welcomed it; `after`: lines of the core's log not to look at."""
        await self.core.logged("link_up", after=after)

    async def restart_core(self) -> None:
        """Have the core begin anew in place; people may log in then."""
        seen = len(self.core.lines)
        self.core.hang_up()
        self.operations = int((await self.core.logged("edge_started", after=seen))["operations"])

    async def kill_core(self) -> None:
        """SIGKILL to the core; its listener processes stay."""
        await self.core.kill()

    async def kill(self) -> None:
        """SIGKILL to all processes of the site."""
        self.kill_listeners()
        await self.core.kill()

    def kill_listeners(self) -> None:
        """SIGKILL to all listener processes."""
        for listener in self.listeners.values():
            listener.kill()

    async def kill_listener(self, index: int) -> None:
        """SIGKILL to one listener process; return when the core has noticed."""
        seen = len(self.core.lines)
        self.listeners[index].kill()
        await self.core.logged("listener_ended", after=seen, listener=index)

    async def close(self) -> None:
        """Be sure that all of it is gone."""
        await self.core.close()
        for listener in [*self.listeners.values(), *self._former_listeners]:
            listener.close()
        self.wire.close()
        for port in self._ports.values():
            port.release()


class Cluster:
    """The company: `hub`, `sites` by name, and its administration."""

    def __init__(self, hub: HubProcess, sites: dict[str, SiteProcess], pki: CertificateFolder) -> None:
        self.hub = hub
        self.sites = sites
        self.pki = pki
        self.admin: Any

    def __getitem__(self, site: str) -> SiteProcess:
        """A site by its name."""
        return self.sites[site]

    async def add_people(self, homes: Mapping[str, Sequence[str]]) -> None:
        """Make accounts, site by site; return when the sites have them."""
        rows = [
            messages.AccountRow(row=number, local=local, site=site, password=PASSWORD)
            for number, (site, local) in enumerate(((site, local) for site in homes for local in homes[site]), 1)
        ]
        answer = await self.admin.PutAccounts(iter([messages.PutAccountsRequest(rows=rows)]))
        assert not answer.refused, answer
        await self._await_held(answer)

    async def generate(self, site: str, count: int) -> list[str]:
        """Make numbered accounts with one salt, so that their clients derive one key; gives their names."""
        request = messages.GenerateAccountsRequest(site=site, prefix=site, count=count, password=PASSWORD)
        await self._await_held(await self.admin.GenerateAccounts(request))
        return [f"{site}{number:06d}" for number in range(1, count + 1)]

    async def _await_held(self, answer: messages.PutAccountsResponse) -> None:
        for version in answer.versions:
            await self.admin.AwaitHeld(version, timeout=PATIENCE_SECONDS)

    def account(
        self,
        name: str,
        site: SiteProcess,
        resource: str | None = None,
        *,
        transport: Transport = Transport.STARTTLS,
        port: int = 0,
        password: str = PASSWORD,
        connect_seconds: float = 5.0,
    ) -> Account:
        """What a client of ours has to be told to log in at a site."""
        host = "localhost" if transport is Transport.WSS else "127.0.0.1"
        return Account(
            jid=JID(name, DOMAIN, resource),
            password=password,
            endpoint=Endpoint(host, port or site.port(transport), transport),
            ca=self.pki.ca,
            requires_tls=transport is not Transport.WS,
            connect_seconds=connect_seconds,
            retry_seconds_max=0.5,
        )

    def logs(self) -> str:
        """The last lines of every process, those that have ended included."""
        processes = [*self.hub.ended, self.hub.process]
        for site in self.sites.values():
            processes += [*site.ended, site.core]
        shown = []
        for process in processes:
            shown.append(f"--- {process.name} ({len(process.lines)} lines)")
            shown += [json.dumps(line) for line in process.lines[-LOGGED_LINES_SHOWN:]]
        return "\n".join(shown)


@asynccontextmanager
async def cluster(
    *names: str, hub: Table | None = None, sites: Table | None = None, **each: Table
) -> AsyncIterator[Cluster]:
    """Start a hub and a site of each name.

    Args:
        names: of the sites.
        hub: settings of the hub, over those that the cluster needs.
        sites: the same for all sites.
        each: the same for the site of that name.
    """
    pki = certificates()
    async with AsyncExitStack() as stack:
        # Not pytest's folder: the name of a Unix socket is 107 bytes at most.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="chappe-", ignore_cleanup_errors=True)))
        hub_process = HubProcess(folder, pki, hub or {})
        stack.push_async_callback(hub_process.close)
        made: dict[str, SiteProcess] = {}
        for name in names:
            site = SiteProcess(name, folder, hub_process, pki, merged(sites or {}, each.get(name, {})))
            made[name] = site
            stack.push_async_callback(site.close)
            await site.wire.start()
            site.wire.freeze()  # until the hub knows the site
            site.write_settings()
        company = Cluster(hub_process, made, pki)
        try:
            await _start(company, stack)
            yield company
        except BaseException as error:
            error.add_note(company.logs())
            raise


async def _start(company: Cluster, stack: AsyncExitStack) -> None:
    async with asyncio.TaskGroup() as starts:
        starts.create_task(company.hub.start())
        for site in company.sites.values():
            starts.create_task(site.start())
    address = f"127.0.0.1:{company.hub.administration}"
    channel = grpc.aio.secure_channel(address, company.pki.credentials("admin", "operator"))
    await stack.enter_async_context(channel)
    company.admin = AdministrationStub(channel)
    for site in company.sites.values():
        await company.admin.AddSite(
            messages.AddSiteRequest(name=site.name, client_host="127.0.0.1", client_port=site.port())
        )
        site.wire.heal()
    for site in company.sites.values():
        await site.linked()
        await site.listening()


# ------------------------------------------------------------------------------------------------------ settings


def merged(*tables: Table) -> dict[str, Any]:
    """Lay tables over each other."""
    result: dict[str, Any] = {}
    for table in tables:
        for name, value in table.items():
            under = result.get(name)
            result[name] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return result


def write_settings(path: Path, *tables: Table) -> Path:
    """Write a settings file of a process."""
    path.write_text("\n".join(_toml(merged(*tables))), encoding="utf-8")
    return path


def _toml(table: Table, prefix: str = "") -> list[str]:
    """TOML of nested tables; a value's JSON is its TOML."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items() if not isinstance(value, Mapping)]
    for name, value in table.items():
        if isinstance(value, Mapping):
            lines += [f"[{prefix}{name}]", *_toml(value, f"{prefix}{name}.")]
    return lines
