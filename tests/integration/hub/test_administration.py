"""The command line against a hub: who may, what it says, and how it exits."""

import asyncio
import json
from collections.abc import Callable, Coroutine, MutableMapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result

from cascade.v1 import administration_pb2 as messages
from central_hub.app import Ports
from chappe.cli import main
from chassis.pki import Role
from tests.integration.hub.cluster import Pki, administrator, hub, hub_settings, linked

Chappe = Callable[..., Coroutine[None, None, Result]]
Logs = list[MutableMapping[str, Any]]


def cli(ports: Ports, pki: Pki, role: Role = "admin") -> Chappe:
    """Return a caller of `chappe` with a profile for this hub."""
    certificate, key = pki.issue(role, "op")
    profile = pki.folder / "profile.toml"
    profile.write_text(
        f'hub = "127.0.0.1:{ports.administration}"\nca = "ca.pem"\ncert = "{certificate.name}"\nkey = "{key.name}"\n'
    )

    async def call(*arguments: str, stdin: str = "") -> Result:
        return await asyncio.to_thread(
            CliRunner().invoke, main, list(arguments), input=stdin, env={"CHAPPE_ADMIN_PROFILE": str(profile)}
        )

    return call


async def test_a_day_of_an_administrator(pki: Pki, data: Path, tmp_path: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        chappe = cli(ports, pki)
        added = await chappe("site", "add", "paris", "--clients", "127.0.0.1:5222")
        assert added.output == "site paris: clients connect to 127.0.0.1:5222\n"
        twice = await chappe("site", "add", "paris", "--clients", "127.0.0.1:5222")
        assert (twice.exit_code, twice.stderr) == (1, "Error: the site 'paris' exists already\n")

        anna = await chappe("account", "add", "Anna", "--site", "paris", "--name", "Anna Petit", stdin="demo\n")
        assert (anna.exit_code, anna.stdout) == (0, "anna: added, not confirmed by paris yet\n")
        again = await chappe("account", "add", "anna", "--site", "paris", stdin="demo\n")
        assert (again.exit_code, again.stderr) == (1, "Error: anna: the account exists already\n")
        empty = await chappe("account", "passwd", "anna", stdin="\n")
        assert empty.exit_code == 2
        changed = await chappe("account", "passwd", "anna", "--json", stdin="other\n")
        assert json.loads(changed.stdout)["local"] == "anna"
        disabled = await chappe("account", "disable", "anna")
        assert disabled.stdout == "anna: disabled, not confirmed by paris yet\n"
        unknown = await chappe("account", "enable", "nobody")
        assert (unknown.exit_code, unknown.stderr) == (1, "Error: no such account\n")

        listed = await chappe("account", "list")
        assert [line.split() for line in listed.stdout.splitlines()] == [
            ["LOCAL", "SITE", "DISPLAY", "NAME", "DISABLED", "HELD"],
            ["anna", "paris", "Anna", "Petit", "yes", "no"],
        ]
        status = await chappe("site", "status", "--linked")
        assert (status.exit_code, status.stderr) == (1, "Error: not linked: paris\n")


async def test_import_names_the_wrong_lines_and_takes_the_others(pki: Pki, data: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(
        "local,site,password,display_name,badge\n"
        "anna,,demo,Anna,1\n"
        "b@d,paris,demo,,2\n"
        "bruno,nowhere,demo,,3\n"
        "chloe,paris,,,4\n"
        ",paris,demo,,5\n"
        "david,paris,demo,David,6\n"
    )
    async with hub(hub_settings(pki, data)) as ports:
        chappe = cli(ports, pki)
        await chappe("site", "add", "paris", "--clients", "127.0.0.1:5222")
        rehearsed = await chappe("account", "import", str(people), "--site", "paris", "--dry-run")
        assert rehearsed.stdout == "would be created 2, would be updated 0, refused 4\n"
        result = await chappe("account", "import", str(people), "--site", "paris")
        assert (result.exit_code, result.stdout) == (5, "created 2, updated 0, refused 4\n")
        assert result.stderr.splitlines() == [
            f"{people}: ignored columns: badge",
            f"{people}:3: b@d: 'b@d' is not an address of corp.example",
            f"{people}:4: bruno: no such site: 'nowhere'",
            f"{people}:5: chloe: a new account needs a password",
            f"{people}:6: (no name): no local part",
            "Error: 4 of 6 rows were refused",
        ]
        initial = tmp_path / "initial"
        initial.write_text("secret\n")
        given = await chappe(
            "account", "import", str(people), "--site", "paris", "--initial-password-file", str(initial), "--json"
        )
        assert (json.loads(given.stdout)["created"], json.loads(given.stdout)["updated"]) == (1, 2)


async def test_generate_waits_for_the_confirmation_of_the_home_site(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        chappe = cli(ports, pki)
        await chappe("site", "add", "paris", "--clients", "127.0.0.1:5222")
        away = await chappe("account", "generate", "3", "--site", "paris", "--wait", "0.2", stdin="demo\n")
        assert away.exit_code == 6
        async with linked(ports, pki, "paris") as paris, asyncio.TaskGroup() as tasks:
            work = tasks.create_task(
                chappe("account", "generate", "7", "--site", "paris", "--wait", "5", stdin="demo\n")
            )
            while len(paris.accounts) < 7:
                await paris.receive()
            result = await work
        assert (result.exit_code, result.stdout) == (0, "created 4, updated 3, refused 0\n")


async def test_a_site_is_no_administrator_and_is_logged(pki: Pki, data: Path, logs: Logs) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        result = await cli(ports, pki, role="site")("site", "list")
        assert result.exit_code == 4
        assert "not permitted: this needs an administrator's certificate" in result.stderr
        assert ("administration_refused", "chappe://site/op") in [(e["event"], e.get("certificate")) for e in logs]


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("AddSite", messages.AddSiteRequest(name="evil", client_host="x", client_port=1)),
        ("ListSites", messages.ListSitesRequest()),
        ("GetAccount", messages.GetAccountRequest(local="anna")),
        ("SetPassword", messages.SetPasswordRequest(local="anna", password="x")),
        ("SetDisabled", messages.SetDisabledRequest(local="anna", disabled=True)),
        ("GenerateAccounts", messages.GenerateAccountsRequest(site="paris", prefix="x", count=1, password="x")),
        ("AwaitHeld", messages.SiteVersion(site="paris", version=1)),
    ],
)
async def test_every_method_refuses_a_site(pki: Pki, data: Path, method: str, request_: object) -> None:
    async with hub(hub_settings(pki, data)) as ports, administrator(ports, pki, role="site") as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await getattr(stub, method)(request_)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_streaming_methods_refuse_a_site(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports, administrator(ports, pki, role="site") as stub:
        with pytest.raises(grpc.aio.AioRpcError) as put:
            await stub.PutAccounts(iter([messages.PutAccountsRequest()]))
        with pytest.raises(grpc.aio.AioRpcError) as listed:
            async for _ in stub.ListAccounts(messages.ListAccountsRequest()):
                pass
        assert {put.value.code(), listed.value.code()} == {grpc.StatusCode.PERMISSION_DENIED}


async def test_changes_are_logged_with_their_author_and_never_with_a_password(pki: Pki, data: Path, logs: Logs) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        chappe = cli(ports, pki)
        await chappe("site", "add", "paris", "--clients", "127.0.0.1:5222")
        await chappe("account", "add", "anna", "--site", "paris", stdin="extremely-secret\n")
        await chappe("account", "passwd", "anna", stdin="extremely-secret\n")
        authors = {entry["event"]: entry["administrator"] for entry in logs if "administrator" in entry}
        assert authors == {"site_put": "op", "accounts_put": "op", "password_set": "op"}
        assert "extremely-secret" not in repr(logs)


async def test_an_import_that_breaks_off_is_logged_with_what_it_did(pki: Pki, data: Path, logs: Logs) -> None:
    async with hub(hub_settings(pki, data)) as ports, administrator(ports, pki) as stub:
        await stub.AddSite(messages.AddSiteRequest(name="paris", client_host="h", client_port=1))
        row = messages.AccountRow(row=1, local="anna", site="paris", password="demo")
        requests = [messages.PutAccountsRequest(rows=[row]), messages.PutAccountsRequest(rows=[row] * 1001)]
        with pytest.raises(grpc.aio.AioRpcError, match="more than 1000 rows"):
            await stub.PutAccounts(iter(requests))
        (entry,) = [entry for entry in logs if entry["event"] == "accounts_put"]
        assert (entry["administrator"], entry["complete"], entry["created"]) == ("op", False, 1)


async def test_no_hub_there(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        chappe = cli(ports, pki)
    result = await chappe("site", "list")
    assert result.exit_code == 3
    assert "the hub can't be reached at 127.0.0.1" in result.stderr
