"""The connection to the hub's administration service, and what its faults mean to a person and to a script.

Exit codes: 0 done, 1 refused, 2 wrong command line, 3 unreachable, 4 not permitted, 5 some rows refused,
6 not confirmed by the home site in time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
import grpc

from cascade.v1 import administration_pb2_grpc as grpc_service
from chappe.administration.profile import Profile, resolve

CALL_SECONDS = 15.0
"""For a call that changes or lists little."""
BULK_SECONDS = 1800.0
"""For imports and generation: PBKDF2 for 30,000 passwords takes minutes of processor time."""
KEEPALIVE: list[tuple[str, int]] = [
    # While a call is under way: over a line that has died in silence it ends within two minutes, an import too.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
]


class Refused(click.ClickException):
    """The hub says no to this: wrong value, exists already, no such thing, store unavailable."""

    exit_code = 1


class Unreachable(click.ClickException):
    """No hub answers there, or not in time, or TLS found no agreement."""

    exit_code = 3


class NotPermitted(click.ClickException):
    """The certificate is no administrator's."""

    exit_code = 4


class SomeRowsRefused(click.ClickException):
    """The others were taken."""

    exit_code = 5


class NotConfirmed(click.ClickException):
    """The change is made, but the home site has not confirmed it in the time given."""

    exit_code = 6


@contextmanager
def connected(profile: Profile) -> Iterator[grpc_service.AdministrationStub]:
    """Yield the service's stub; turn gRPC's faults into one of the exceptions above."""
    ca, cert, key = profile.read()
    credentials = grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)
    with grpc.secure_channel(profile.hub, credentials, options=KEEPALIVE) as channel:
        try:
            yield grpc_service.AdministrationStub(channel)
        except grpc.RpcError as error:
            raise explained(error, profile.hub) from error


def explained(error: grpc.RpcError, hub: str) -> click.ClickException:
    """Return the fault in a person's words."""
    code = error.code()
    details = error.details() or code.name
    if code is grpc.StatusCode.UNAVAILABLE:
        return Unreachable(f"the hub can't be reached at {hub}: {details}")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unreachable(f"the hub at {hub} did not answer in time")
    if code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED):
        return NotPermitted(f"not permitted: {details}")
    return Refused(details)


P = ParamSpec("P")
R = TypeVar("R")


def connection_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say where the hub is; the group turns them into a Profile."""
    for option in reversed(
        (
            click.option(
                "--hub",
                envvar="CHAPPE_ADMIN_HUB",
                show_envvar=True,
                metavar="HOST:PORT",
                help="Administration address.",
            ),
            click.option(
                "--ca",
                envvar="CHAPPE_ADMIN_CA",
                show_envvar=True,
                type=click.Path(),
                help="Authority of the hub's certificate.",
            ),
            click.option(
                "--cert", envvar="CHAPPE_ADMIN_CERT", show_envvar=True, type=click.Path(), help="Your certificate."
            ),
            click.option(
                "--key", envvar="CHAPPE_ADMIN_KEY", show_envvar=True, type=click.Path(), help="Your certificate's key."
            ),
            click.option(
                "--profile",
                envvar="CHAPPE_ADMIN_PROFILE",
                show_envvar=True,
                type=click.Path(dir_okay=False, path_type=Path),
                help="TOML file with hub, ca, cert and key; relative paths are taken from its folder.",
            ),
        )
    ):
        command = option(command)
    return command


def remember_profile(context: click.Context, profile: Path | None, options: dict[str, str | None]) -> None:
    """Keep what the group's options say, resolved when a command needs it (its help does not)."""
    context.obj = lambda: resolve(profile, options)
