"""Whether the home site has confirmed a change, and waiting for that."""

from collections.abc import Iterable

import grpc

from cascade.v1 import administration_pb2 as messages
from cascade.v1.administration_pb2_grpc import AdministrationStub
from chappe.administration.connection import NotConfirmed


def await_held(hub: AdministrationStub, versions: Iterable[messages.SiteVersion], seconds: float) -> None:
    """Return when every site has confirmed its version; raise NotConfirmed after `seconds` for each."""
    for version in versions:
        try:
            hub.AwaitHeld(version, timeout=seconds)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            raise NotConfirmed(
                f"the change is made, but the site {version.site} has not confirmed it within {seconds:g} s"
            ) from error


def confirmation_words(site: str, *, held: bool) -> str:
    """Return how far a change has come."""
    return f"confirmed by {site}" if held else f"not confirmed by {site} yet"
