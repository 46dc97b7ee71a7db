"""Whether the home site has confirmed a change, and waiting for that."""

from collections.abc import Iterable

import grpc

from cascade.v1 import administration_pb2 as messages
from cascade.v1.administration_pb2_grpc import AdministrationStub
from chappe.administration.connection import NotConfirmed
from chassis.clock import Clock, SystemClock

CALL_SECONDS_MIN = 0.1
"""What is left for a site when others have used up the time: it may have confirmed long ago."""


def await_held(
    hub: AdministrationStub,
    versions: Iterable[messages.SiteVersion],
    seconds: float,
    clock: Clock | None = None,
) -> None:
    """Return when every site has confirmed its version.

    Args:
        hub: knows.
        versions: of sites.
        seconds: for all of them together.
        clock: steady; None = the system's.

    Raises:
        NotConfirmed: one has not in time.
    """
    clock = clock or SystemClock()
    deadline = clock.monotonic() + seconds
    for version in versions:
        try:
            hub.AwaitHeld(version, timeout=max(CALL_SECONDS_MIN, deadline - clock.monotonic()))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            raise NotConfirmed(
                f"the change is made, but the site {version.site} has not confirmed it within {seconds:g} s"
            ) from error


def confirmation_words(site: str, *, held: bool) -> str:
    """Return how far a change has come."""
    return f"confirmed by {site}" if held else f"not confirmed by {site} yet"
