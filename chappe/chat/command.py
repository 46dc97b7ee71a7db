"""`chappe chat`: options, and the session from login to goodbye."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from contextlib import aclosing
from functools import partial
from pathlib import Path

import click
import uvloop

from chappe.chat.commands import Quit, execute
from chappe.chat.conversation import Conversation
from chappe.chat.profile import Profile, find_profile, profile_of
from chappe.chat.terminal import Plain, Terminal
from chappe.client import Account, Client, ClientError, LoginRefused, parse_endpoint
from chassis.clock import SystemClock
from xmpp.errors import StanzaError
from xmpp.jid import JID, InvalidJID

FAREWELL_SECONDS = 10.0
"""For the server to take what was said last."""


class Failed(click.ClickException):
    """The login failed, or the client gave up."""


class Unreached(click.ClickException):
    """No server answers."""

    exit_code = 3


@click.command()
@click.argument("account")
@click.option("--to", help="Talk to this person at once.")
@click.option("--server", metavar="HOST:PORT", help="Or xmpps://HOST:PORT, wss://HOST:PORT/ws; by default the domain.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Authority of the server's certificate; by default those of the system.",
)
@click.option("--password", envvar="CHAPPE_PASSWORD", help="Better in the environment: CHAPPE_PASSWORD; or be asked.")
def chat(account: str, to: str | None, server: str | None, ca: Path | None, password: str | None) -> None:
    """Chat as ACCOUNT, such as anna@corp.example.

    With a demo running, everything but the name is known; elsewhere CHAPPE_PROFILE may name a file with domain, server,
    ca, password and a table of homes.  On a terminal lines are edited; through pipes each line read is a message or a
    command, and each line written something that happened: `* ` begins what nobody said, `! ` an error.
    """
    try:
        jid = JID.parse(address_of(account))
    except InvalidJID as error:
        raise click.UsageError(f"{account!r} is no address such as anna@corp.example") from error
    if jid.local is None:
        raise click.UsageError(f"{account!r} names no account: write its whole address, such as anna@corp.example")
    profile = profile_of(jid.domain)
    try:
        endpoint = parse_endpoint(server or (profile.server_of(jid.local) if profile is not None else jid.domain))
    except ValueError as error:
        raise click.UsageError(f"--server: {error}") from error
    account_of = Account(
        jid=jid,
        password=password or password_of(jid, profile),
        endpoint=endpoint,
        ca=ca or (None if profile is None else profile.ca),
    )
    failure = uvloop.run(converse(account_of, to))
    if failure is not None:
        raise (Failed if isinstance(failure, LoginRefused) else Unreached)(str(failure))


def address_of(account: str) -> str:
    """A name alone is meant in the profile's domain."""
    profile = None if "@" in account else find_profile(os.environ, Path.cwd())
    return account if profile is None else f"{account}@{profile.domain}"


def password_of(jid: JID, profile: Profile | None) -> str:
    """Take the demo's, or ask."""
    if profile is not None and profile.password is not None:
        return profile.password
    if not sys.stdin.isatty():
        raise click.UsageError("no password: set CHAPPE_PASSWORD")
    return str(click.prompt(f"Password of {jid.bare}", hide_input=True, err=True))


async def converse(account: Account, to: str | None) -> ClientError | None:
    """Log in, and do what is typed until the person leaves; answers what went wrong with the session."""
    screen = Terminal() if sys.stdin.isatty() and sys.stdout.isatty() else Plain()
    async with asyncio.TaskGroup() as tasks:

        def spawn(waiting: Coroutine[None, None, None]) -> None:
            tasks.create_task(guarded(conversation, waiting))

        conversation = Conversation(partial(Client, account), screen, SystemClock(), spawn)
        try:
            async with conversation.client as client:
                talking = tasks.create_task(talk(conversation, screen, to))
                ended = tasks.create_task(client.wait_ended())
                await asyncio.wait([talking, ended], return_when=asyncio.FIRST_COMPLETED)
                failure = None if talking.done() else LoginRefused("the session is over")
                talking.cancel()
                ended.cancel()
        except ClientError as error:
            return error
    return failure


async def guarded(conversation: Conversation, waiting: Coroutine[None, None, None]) -> None:
    """Show what went wrong instead of ending for it."""
    try:
        await waiting
    except (ClientError, StanzaError, ValueError) as error:
        conversation.error(str(error))


async def talk(conversation: Conversation, screen: Terminal | Plain, to: str | None) -> None:
    """Do line by line what is typed."""
    await conversation.introduced.wait()
    if to is None:
        conversation.note("talk to somebody: /to NAME; all commands: /help")
    else:
        await guarded(conversation, execute(conversation, f"/to {to}"))
    async with aclosing(screen.lines(conversation)) as lines:
        async for line in lines:
            try:
                await guarded(conversation, execute(conversation, line))
            except Quit:
                break
    try:
        async with asyncio.timeout(FAREWELL_SECONDS):
            await conversation.settled()
    except TimeoutError:
        conversation.error(f"the server has not taken {conversation.client.unacknowledged} messages")
