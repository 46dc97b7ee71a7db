"""`chappe account`: people and their passwords."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from cascade.v1 import administration_pb2 as messages
from cascade.v1.administration_pb2_grpc import AdministrationStub
from chappe.administration.bulk import report, requests, wait_for
from chappe.administration.confirmation import await_held, confirmation_words
from chappe.administration.connection import (
    BULK_SECONDS,
    CALL_SECONDS,
    Refused,
    connected,
    connection_options,
    remember_profile,
)
from chappe.administration.output import Cell, show, show_one
from chappe.administration.rows import Row, Sheet, UnreadableFile, read_csv, read_ldif, text_of

LIST_COLUMNS = ("local", "site", "display_name", "disabled", "held")
PASSWORD_CHARACTERS_MAX = 1024
Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
wait_option = click.option(
    "--wait",
    type=click.FloatRange(0.1, 600),
    metavar="SECONDS",
    help="Wait for the home site's confirmation; exit code 6 if it does not come in time.",
)


@click.group()
@connection_options
@click.pass_context
def account(context: click.Context, /, profile: Path | None, **options: str | None) -> None:
    """Administer accounts at the hub."""
    remember_profile(context, profile, options)


@account.command()
@click.argument("local")
@click.option("--site", required=True, help="Home site.")
@click.option("--name", default="", help="Display name.")
@wait_option
@json_option
@click.pass_context
def add(context: click.Context, local: str, site: str, name: str, wait: float | None, *, as_json: bool) -> None:
    """Add the account LOCAL.  The password is asked for, or read as one line from standard input."""
    row = Row(1, local, site, new_password(), name)
    with connected(context.obj()) as hub:
        answer = hub.PutAccounts(requests([row], messages.PutOptions(create_only=True)), timeout=BULK_SECONDS)
        for error in answer.errors:
            raise Refused(f"{error.local}: {error.reason}")
        wait_for(hub, answer, wait)
        added = hub.GetAccount(messages.GetAccountRequest(local=local), timeout=CALL_SECONDS)
    tell(added, "added", as_json=as_json)


@account.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "kind", type=click.Choice(["csv", "ldif"]), help="By default from the file's name.")
@click.option("--encoding", help="By default UTF-8, or what the byte order mark says; Excel may want cp1252.")
@click.option("--site", default="", help="Home site of rows that name none.")
@click.option("--initial-password-file", type=click.File(), help="Password of new accounts whose row has none.")
@click.option("--create-only", is_flag=True, help="Refuse accounts that exist instead of changing them.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@wait_option
@json_option
@click.pass_context
def import_(
    context: click.Context,
    file: Path,
    site: str,
    initial_password_file: Any,  # noqa: ANN401 - click's open file
    wait: float | None,
    *,
    kind: str | None,
    encoding: str | None,
    create_only: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add or change the accounts of FILE.

    CSV has a header with the columns local, site, password and display_name, of which only local is needed; commas,
    semicolons or tabs separate them.  LDIF gives uid (or mail), cn or displayName, and userPassword where it is clear
    text.  What a row does not give, the account keeps.  Wrong rows are reported with their line, the others are taken
    (exit code 5); of a file that can't be read to its end nothing is.
    """
    sheet = read_sheet(file, kind, encoding, site)
    for warning in sheet.warnings:
        click.echo(f"{file}: {warning}", err=True)
    initial = "" if initial_password_file is None else initial_password_file.readline().rstrip("\r\n")
    if initial_password_file is not None and not initial:
        raise click.UsageError(f"{initial_password_file.name}: the first line is to be the password, and is empty")
    options = messages.PutOptions(create_only=create_only, dry_run=dry_run, initial_password=initial)
    with connected(context.obj()) as hub:
        answer = hub.PutAccounts(requests(sheet.rows, options), timeout=BULK_SECONDS)
        wait_for(hub, answer, wait)
    report(answer, sheet.errors, source=str(file), dry_run=dry_run, as_json=as_json)


@account.command()
@click.argument("count", type=click.IntRange(1))
@click.option("--site", required=True, help="Home site.")
@click.option("--prefix", default="load", show_default=True, help="Accounts are PREFIX000001, PREFIX000002 ...")
@wait_option
@json_option
@click.pass_context
def generate(context: click.Context, count: int, site: str, prefix: str, wait: float | None, *, as_json: bool) -> None:
    """Make COUNT numbered accounts for load tests.

    They have one password, which is asked for or read as one line from standard input.  It is derived once, so all
    share one salt: good for tests, never for people.
    """
    request = messages.GenerateAccountsRequest(site=site, prefix=prefix, count=count, password=new_password())
    with connected(context.obj()) as hub:
        answer = hub.GenerateAccounts(request, timeout=BULK_SECONDS)
        wait_for(hub, answer, wait)
    report(answer, [], source="generate", dry_run=False, as_json=as_json)


@account.command("list")
@click.option("--site", default="", help="Only those at home at this site.")
@click.option("--prefix", default="", help="Only those whose local part begins so.")
@json_option
@click.pass_context
def list_(context: click.Context, site: str, prefix: str, *, as_json: bool) -> None:
    """List accounts.  HELD: the home site has confirmed the account as it is now."""
    with connected(context.obj()) as hub:
        found = [record(item) for item in listed_accounts(hub, site, prefix)]
    show(found, LIST_COLUMNS, as_json=as_json)


@account.command()
@click.argument("local")
@wait_option
@json_option
@click.pass_context
def passwd(context: click.Context, local: str, wait: float | None, *, as_json: bool) -> None:
    """Set the password of LOCAL.  It is asked for without echo, or read as one line from standard input."""
    request = messages.SetPasswordRequest(local=local, password=new_password())
    with connected(context.obj()) as hub:
        changed = confirmed(hub, hub.SetPassword(request, timeout=CALL_SECONDS), wait)
    tell(changed, "password set", as_json=as_json)


@account.command()
@click.argument("local")
@wait_option
@json_option
@click.pass_context
def disable(context: click.Context, local: str, wait: float | None, *, as_json: bool) -> None:
    """Shut LOCAL out."""
    set_disabled(context, local, wait, disabled=True, as_json=as_json)


@account.command()
@click.argument("local")
@wait_option
@json_option
@click.pass_context
def enable(context: click.Context, local: str, wait: float | None, *, as_json: bool) -> None:
    """Let LOCAL in again."""
    set_disabled(context, local, wait, disabled=False, as_json=as_json)


def set_disabled(context: click.Context, local: str, wait: float | None, *, disabled: bool, as_json: bool) -> None:
    """Disable or enable one account."""
    request = messages.SetDisabledRequest(local=local, disabled=disabled)
    with connected(context.obj()) as hub:
        changed = confirmed(hub, hub.SetDisabled(request, timeout=CALL_SECONDS), wait)
    tell(changed, "disabled" if disabled else "enabled", as_json=as_json)


def confirmed(hub: AdministrationStub, changed: messages.AccountRecord, wait: float | None) -> messages.AccountRecord:
    """Wait for the home site if that is wished; return the record with what is known then."""
    if wait is not None and not changed.held:
        await_held(hub, [messages.SiteVersion(site=changed.site, version=changed.version)], wait)
        changed.held = True
    return changed


def listed_accounts(hub: AdministrationStub, site: str, prefix: str) -> Iterator[messages.AccountRecord]:
    """Yield accounts from the hub."""
    request = messages.ListAccountsRequest(site=site, prefix=prefix)
    for batch in hub.ListAccounts(request, timeout=BULK_SECONDS):
        yield from batch.accounts


def new_password() -> str:
    """Ask twice without echo on a terminal; else read one line."""
    if sys.stdin.isatty():
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        password = sys.stdin.readline(PASSWORD_CHARACTERS_MAX + 2).rstrip("\r\n")
    if not password:
        raise click.UsageError("no password: type it, or give it as one line on standard input")
    if len(password) > PASSWORD_CHARACTERS_MAX:
        raise click.UsageError(f"the password is longer than {PASSWORD_CHARACTERS_MAX} characters")
    return password


def read_sheet(file: Path, kind: str | None, encoding: str | None, default_site: str) -> Sheet:
    """Read FILE as what it is; a file that can't be read at all is a wrong command line."""
    kind = kind or ("ldif" if file.suffix.lower() in (".ldif", ".ldf") else "csv")
    try:
        text = text_of(file.read_bytes(), encoding)
        return read_ldif(text, default_site) if kind == "ldif" else read_csv(text, default_site)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    except LookupError as error:
        raise click.BadParameter(str(error), param_hint="--encoding") from error
    except UnreadableFile as error:
        raise click.UsageError(f"{file}: {error}") from error


def record(item: messages.AccountRecord) -> dict[str, Cell]:
    """Return what is shown of an account."""
    return {
        "local": item.local,
        "site": item.site,
        "display_name": item.display_name,
        "disabled": item.disabled,
        "version": item.version,
        "held": item.held,
    }


def tell(changed: messages.AccountRecord, what: str, *, as_json: bool) -> None:
    """Say what was done to one account, and whether its home site has confirmed it."""
    words = confirmation_words(changed.site, held=changed.held)
    show_one(record(changed), f"{changed.local}: {what}, {words}", as_json=as_json)
