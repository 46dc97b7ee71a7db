"""The administration service's settings."""

from typing import Annotated

from annotated_types import Ge, Gt, Le

from chassis.settings import LocalPath, Settings


class AdministrationSettings(Settings):
    """The port for administrators: mutual TLS, and a certificate with the URI chappe://admin/NAME."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, Ge(0), Le(65535)] = 7402
    """Port to listen on; 0 lets the kernel choose."""

    certificate: LocalPath
    """PEM file of the hub's certificate, followed by those between it and the authority."""

    key: LocalPath
    """PEM file of its private key, not encrypted."""

    authority: LocalPath
    """PEM file of the authority that administrators' certificates come from."""

    scram_iterations: Annotated[int, Ge(4096), Le(1_000_000)] = 10_000
    """PBKDF2 rounds for new passwords (RFC 5802): the cost of one guess, and of one import row."""

    rows_per_message_max: Annotated[int, Ge(1), Le(10_000)] = 1000
    """Accounts in one message of an import."""

    edits_per_commit: Annotated[int, Ge(1), Le(10_000)] = 500
    """Accounts changed by one commit: bounds how long an import holds the writer and the event loop."""

    row_errors_max: Annotated[int, Ge(1), Le(100_000)] = 1000
    """Refused rows that are described to the administrator; the rest is only counted."""

    generated_accounts_max: Annotated[int, Ge(1), Le(1_000_000)] = 200_000
    """Accounts of one `generate`."""

    await_held_seconds_max: Annotated[float, Gt(0), Le(3600)] = 600.0
    """How long one call may wait for a site's confirmation."""

    calls_max: Annotated[int, Ge(1), Le(10_000)] = 100
    """Calls of administrators at the same time; more are refused."""
