"""`chappe site`: the branches that the hub knows."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cascade.v1 import administration_pb2 as messages
from chappe.administration.connection import CALL_SECONDS, Refused, connected, connection_options, remember_profile
from chappe.administration.output import Cell, show, show_one

LIST_COLUMNS = ("name", "clients", "linked", "accounts")
STATUS_COLUMNS = ("name", "linked", "since", "accounts", "behind", "spooled", "spooled_bytes", "software")
MICROSECONDS = 1_000_000


@click.group()
@connection_options
@click.pass_context
def site(context: click.Context, /, profile: Path | None, **options: str | None) -> None:
    """Administer sites at the hub."""
    remember_profile(context, profile, options)


@site.command()
@click.argument("name")
@click.option("--clients", required=True, metavar="HOST:PORT", help="Where the clients of the site's people connect.")
@click.option("--replace", is_flag=True, help="Change a site that exists.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def add(context: click.Context, name: str, clients: str, *, replace: bool, as_json: bool) -> None:
    """Add the site NAME.  Its edge node links with a certificate for chappe://site/NAME."""
    host, port = host_and_port(clients)
    request = messages.AddSiteRequest(name=name, client_host=host, client_port=port, replace=replace)
    with connected(context.obj()) as hub:
        added = hub.AddSite(request, timeout=CALL_SECONDS)
    show_one(listed(added), f"site {added.name}: clients connect to {clients}", as_json=as_json)


@site.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """List all sites."""
    with connected(context.obj()) as hub:
        answer = hub.ListSites(messages.ListSitesRequest(), timeout=CALL_SECONDS)
    show([listed(found) for found in answer.sites], LIST_COLUMNS, as_json=as_json)


@site.command()
@click.argument("name", default="")
@click.option("--linked", is_flag=True, help="Fail (exit code 1) unless every site shown has a link.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def status(context: click.Context, name: str, *, linked: bool, as_json: bool) -> None:
    """Show links, spools and replicas of all sites, or of the site NAME.

    BEHIND counts the changes of accounts that the site has not confirmed; SPOOLED what waits for it at the hub.
    """
    with connected(context.obj()) as hub:
        answer = hub.ListSites(messages.ListSitesRequest(name=name), timeout=CALL_SECONDS)
    show([detailed(found) for found in answer.sites], STATUS_COLUMNS, as_json=as_json)
    away = [found.name for found in answer.sites if not found.linked]
    if linked and away:
        raise Refused(f"not linked: {', '.join(away)}")


def host_and_port(text: str) -> tuple[str, int]:
    """Split HOST:PORT; brackets around an IPv6 address are taken off."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is not HOST:PORT", param_hint="--clients")
    return host.removeprefix("[").removesuffix("]"), int(port)


def listed(found: messages.Site) -> dict[str, Cell]:
    """Return what `list` shows."""
    host = f"[{found.client_host}]" if ":" in found.client_host else found.client_host
    return {
        "name": found.name,
        "clients": f"{host}:{found.client_port}",
        "linked": found.linked,
        "accounts": found.accounts,
    }


def detailed(found: messages.Site) -> dict[str, Cell]:
    """Return what `status` shows."""
    since = datetime.fromtimestamp(found.linked_since_us // MICROSECONDS, UTC)
    return {
        **listed(found),
        "since": since.isoformat() if found.linked else "-",
        "behind": found.accounts_behind,
        "accounts_version": found.accounts_version,
        "accounts_held": found.accounts_held,
        "spooled": found.spooled_envelopes,
        "spooled_bytes": found.spooled_bytes,
        "software": found.software,
    }
