"""An edge in this process, with its store, its ports and its clients."""

import asyncio
import base64
import socket
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from chassis.clock import SystemClock
from chassis.errors import OperatorError
from chassis.lifecycle import Drain
from chassis.lock import ProcessLock
from chassis.settings import SettingsError, load
from edge_node.accounts.store import Account
from edge_node.adapters.sqlite import open_store
from edge_node.app import FAKE_ITERATIONS, LOCK_FILE, STORE_FILE, EdgeReadiness, Ports, check, kept_secret, run, serving
from edge_node.listeners.process import lock_path
from edge_node.listening import ClientPorts, Listening
from edge_node.settings import EdgeSettings
from tests.support.clients import Clients
from xmpp.element import Element
from xmpp.errors import StreamCondition
from xmpp.jid import JID
from xmpp.sasl import derive
from xmpp.stanza import Stanza

DRAIN_SECONDS_MAX = 5.0


def settings_of(data: Path, **changes: Any) -> EdgeSettings:  # noqa: ANN401 - tables, as TOML has them
    listeners = {
        "require_tls": False,
        "tcp": {"host": "127.0.0.1", "port": 0},
        "http": {"host": "127.0.0.1", "port": 0},
        "drain_seconds": 2.0,
        "connection": {"closing_seconds": 0.5},
    }
    tables = {
        "domain": "corp.example",
        "site": "paris",
        "data": data,
        "listeners": listeners | changes.pop("listeners", {}),
    }
    return EdgeSettings.model_validate(tables | changes)


async def populate(settings: EdgeSettings, names: Sequence[str], iterations: int = 4096) -> None:
    """Accounts whose password is their name, as the hub would have replicated them."""
    store = await open_store(settings.data / STORE_FILE, settings.store, 1)
    people = [
        Account(name, disabled=False, verifiers=(derive(name, b"salt", iterations, "SHA-256"),), display_name="")
        for name in names
    ]
    await store.accounts.apply(1, people, (), full=True)
    await store.close()


@asynccontextmanager
async def edge(settings: EdgeSettings, drain: Drain | None = None) -> AsyncIterator[Ports]:
    async with serving(settings, SystemClock(), drain or Drain(), Path("edge.toml")) as ports:
        yield ports


async def asked(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    opened = Clients()
    yield opened
    await opened.close()


class TestServing:
    async def test_clients_log_in_and_write_to_each_other(self, tmp_path: Path, clients: Clients) -> None:
        settings = settings_of(tmp_path)
        await populate(settings, ["anna", "bruno"])
        async with edge(settings) as ports:
            anna, bruno = [
                await clients.login(ports.clients.starttls, name, resource="x") for name in ("anna", "bruno")
            ]
            ping = Element("{urn:xmpp:ping}ping")
            bruno.send(Stanza.build("iq", ping, type="get", id="here", to=JID.parse("corp.example")))
            assert (await bruno.stanza()).id == "here"
            body = Element("{jabber:client}body", {}, ("hello",))
            anna.send(Stanza.build("message", body, type="chat", to=JID.parse("bruno@corp.example/x")))
            message = await bruno.stanza()
            assert (message.kind, str(message.sender)) == ("message", "anna@corp.example/x")

    async def test_what_is_taken_outlives_the_process(self, tmp_path: Path, clients: Clients) -> None:
        settings = settings_of(tmp_path)
        await populate(settings, ["anna", "bruno"])
        async with edge(settings) as ports:
            anna = await clients.login(ports.clients.starttls, "anna", management=True)
            body = Element("{jabber:client}body", {}, ("hello",))
            anna.send(Stanza.build("message", body, type="chat", to=JID.parse("bruno@corp.example")))
            ping = Element("{urn:xmpp:ping}ping")
            anna.send(Stanza.build("iq", ping, type="get", id="behind it", to=JID.parse("corp.example")))
            assert (await anna.stanza()).id == "behind it"
        async with edge(settings) as ports:
            bruno = await clients.login(ports.clients.starttls, "bruno")
            bruno.send(Stanza.build("presence"))
            while (stanza := await bruno.stanza()).kind != "message":
                pass
            assert str(stanza.sender).startswith("anna@corp.example/")

    async def test_leaving_ends_all_streams_in_bounded_time(self, tmp_path: Path, clients: Clients) -> None:
        settings = settings_of(tmp_path)
        await populate(settings, ["anna", "bruno"])
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            async with edge(settings) as ports:
                anna = await clients.login(ports.clients.starttls, "anna")
                await clients.login(ports.clients.starttls, "bruno")  # who will not read it
            closed = await anna.closed()
        assert closed.error is not None
        assert closed.error.condition is StreamCondition.SYSTEM_SHUTDOWN

    async def test_probes_and_metrics(self, tmp_path: Path) -> None:
        drain = Drain()
        async with edge(settings_of(tmp_path), drain) as ports:
            checks = '"checks":{"not_draining":%s,"listeners":true}'
            assert await asked(ports.operations, "/readyz") == (200, '{"ready":true,%s}' % (checks % "true"))
            drain.request("SIGTERM")
            assert await asked(ports.operations, "/readyz") == (503, '{"ready":false,%s}' % (checks % "false"))
            status, metrics = await asked(ports.operations, "/metrics")
            assert status == 200
            assert "\nedge_sessions 0.0\n" in metrics

    async def test_a_site_serves_without_its_hub(self, tmp_path: Path, clients: Clients) -> None:
        files = dict.fromkeys(("authority", "certificate", "key"), tmp_path / "none.pem")
        settings = settings_of(tmp_path, uplink={"hub": "127.0.0.1:1"} | files)
        await populate(settings, ["anna"])
        with capture_logs():
            async with edge(settings) as ports:
                await clients.login(ports.clients.starttls, "anna")
                assert (await asked(ports.operations, "/readyz"))[0] == 200
                _, metrics = await asked(ports.operations, "/metrics")
                assert '\nprocess_certificate_expiry_timestamp_seconds{use="uplink"} 0.0\n' in metrics


class TestReadiness:
    def test_says_what_is_missing(self) -> None:
        drain = Drain()
        readiness = EdgeReadiness(drain)
        assert readiness() == [("not_draining", True), ("listeners", False)]
        connected = False
        readiness.listening = Listening(ClientPorts(), lambda: connected)
        assert readiness() == [("not_draining", True), ("listeners", False)]
        connected = True
        assert readiness() == [("not_draining", True), ("listeners", True)]


async def refusal(settings: EdgeSettings) -> str:
    """Try to serve; the one line that an operator gets."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - looked at below
        async with edge(settings):
            raise AssertionError("it serves")
    error: BaseException = caught.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, OperatorError)
    (line,) = str(error).splitlines()
    return line


class TestCheck:
    def test_right_settings(self, tmp_path: Path) -> None:
        check(settings_of(tmp_path))

    def test_a_certificate_that_is_not_there(self, tmp_path: Path) -> None:
        tls = {"certificate": tmp_path / "none.pem", "key": tmp_path / "none.key"}
        with pytest.raises(OperatorError, match=r"none\.pem"):
            check(settings_of(tmp_path, listeners={"tls": tls}))

    def test_a_link_without_its_files(self, tmp_path: Path) -> None:
        files = dict.fromkeys(("authority", "certificate", "key"), tmp_path / "none.pem")
        with pytest.raises(OperatorError, match=r"uplink: .*none\.pem: No such file"):
            check(settings_of(tmp_path, uplink={"hub": "127.0.0.1:1"} | files))

    def test_listener_processes_that_run(self, tmp_path: Path) -> None:
        settings = settings_of(tmp_path, backplane={"path": tmp_path / "b.sock"})
        with (
            ProcessLock(lock_path(settings.backplane, 3)),
            pytest.raises(OperatorError, match=r"^listeners\.processes"),
        ):
            check(settings)
        check(settings)

    def test_is_what_the_option_does(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        config = tmp_path / "edge.toml"
        config.write_text('domain = "corp.example"\nsite = "paris"\n[listeners]\nrequire_tls = false\n')
        assert run(config, only_checks=True) == 0
        assert capfd.readouterr().out == f"{config}: the settings are right\n"
        assert not (tmp_path / "data").exists()

    @pytest.mark.parametrize("more", ["", 'tls_port = "none"'])
    def test_a_port_where_nobody_could_log_in(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], more: str
    ) -> None:
        config = tmp_path / "edge.toml"
        config.write_text(f'domain = "corp.example"\nsite = "paris"\n[listeners.tcp]\n{more}\n')
        assert run(config) == 78
        assert capfd.readouterr().err.startswith("listeners.tls: is required")
        config.write_text('domain = "corp.example"\nsite = "paris"\n[listeners.tcp]\nport = "none"\n')
        assert run(config, only_checks=True) == 0  # behind a proxy


class TestRefusals:
    @pytest.mark.parametrize(("setting", "table"), [("listeners.tcp.port", "tcp"), ("listeners.http.port", "http")])
    async def test_a_taken_port(self, tmp_path: Path, setting: str, table: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            settings = settings_of(tmp_path, listeners={table: {"host": "127.0.0.1", "port": port}})
            line = await refusal(settings)
        assert str(port) in line
        assert "another process listens there" in line
        async with edge(settings_of(tmp_path)):
            pass  # nothing is left of the attempt

    async def test_a_taken_operations_port(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            line = await refusal(settings_of(tmp_path, operations={"port": taken.getsockname()[1]}))
        assert line.startswith("operations: ")

    async def test_a_folder_in_use(self, tmp_path: Path) -> None:
        settings = settings_of(tmp_path)
        async with edge(settings):
            assert f"{tmp_path / LOCK_FILE}: process " in await refusal(settings)

    async def test_a_newer_store(self, tmp_path: Path) -> None:
        settings = settings_of(tmp_path)
        await populate(settings, [])
        with closing(sqlite3.connect(tmp_path / STORE_FILE)) as connection:
            connection.execute("PRAGMA user_version = 9999")
        assert "9999" in await refusal(settings)

    async def test_a_certificate_that_is_not_there(self, tmp_path: Path) -> None:
        tls = {"certificate": tmp_path / "none.pem", "key": tmp_path / "none.key"}
        assert "none.pem" in await refusal(settings_of(tmp_path, listeners={"tls": tls}))

    def test_a_wrong_settings_file(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        config = tmp_path / "edge.toml"
        config.write_text('domain = "corp.example"\nsight = "paris"\n')
        assert run(config) == 78
        with pytest.raises(SettingsError) as caught:
            load(EdgeSettings, config, {})
        assert capfd.readouterr().err == f"{caught.value}\n"


class TestWhatStrangersSee:
    @pytest.mark.parametrize(("people", "iterations"), [(["anna"], 4242), ([], FAKE_ITERATIONS)])
    async def test_an_unknown_account_looks_like_the_others(
        self, tmp_path: Path, clients: Clients, people: list[str], iterations: int
    ) -> None:
        settings = settings_of(tmp_path)
        await populate(settings, people, iterations=4242)
        async with edge(settings) as ports:
            shown = [await challenge(clients, ports, name) for name in (*people, "nobody")]
        assert [each["i"] for each in shown] == [str(iterations)] * len(shown)

    async def test_and_keeps_its_salt(self, tmp_path: Path, clients: Clients) -> None:
        salts = []
        for _ in range(2):
            async with edge(settings_of(tmp_path)) as ports:
                salts.append((await challenge(clients, ports, "nobody"))["s"])
        assert salts[0] == salts[1]

    def test_its_secret_is_made_once_and_for_nobody_else(self, tmp_path: Path) -> None:
        path = tmp_path / "salts.key"
        secret = kept_secret(path)
        assert (kept_secret(path), len(secret), path.stat().st_mode & 0o777) == (secret, 32, 0o600)
        assert kept_secret(tmp_path / "other.key") != secret


async def challenge(clients: Clients, ports: Ports, name: str) -> dict[str, str]:
    """What the server says first in SCRAM (RFC 5802 section 5)."""
    raw = await clients.raw(ports.clients.starttls)
    raw.write(
        b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        b"to='corp.example' version='1.0'>"
    )
    await raw.read_until(b"</stream:features>")
    first = base64.b64encode(f"n,,n={name},r=fyko+d2lbbFgONRv9qkxdawL".encode())
    raw.write(b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>" + first + b"</auth>")
    answer = await raw.read_until(b"</challenge>")
    raw.close()
    said = base64.b64decode(answer.partition(b">")[2].removesuffix(b"</challenge>")).decode()
    return {attribute[0]: attribute[2:] for attribute in said.split(",")}
