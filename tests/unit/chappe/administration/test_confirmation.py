import grpc
import pytest

from cascade.v1 import administration_pb2 as messages
from chappe.administration.confirmation import await_held, confirmation_words
from chappe.administration.connection import NotConfirmed
from chassis.clock import ManualClock


class TooLate(grpc.RpcError):
    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.DEADLINE_EXCEEDED


class Hub:
    """Each site takes 3 s to confirm."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.timeouts: list[float] = []

    def AwaitHeld(self, version: messages.SiteVersion, timeout: float) -> None:  # noqa: N802 - gRPC's
        self.timeouts.append(timeout)
        self.clock.advance(min(3.0, timeout))
        if timeout < 3.0:
            raise TooLate


def test_the_time_is_for_all_sites_together() -> None:
    hub = Hub(clock := ManualClock())
    versions = [messages.SiteVersion(site=name, version=1) for name in ("lyon", "nice", "paris")]
    with pytest.raises(NotConfirmed, match="site paris has not confirmed it within 7 s"):
        await_held(hub, versions, 7.0, clock)  # type: ignore[arg-type]  # as far as it is used
    assert hub.timeouts == [7.0, 4.0, 1.0]
    await_held(hub, versions[:2], 6.0, clock)  # type: ignore[arg-type]  # as far as it is used


def test_words() -> None:
    assert confirmation_words("paris", held=True) == "confirmed by paris"
    assert confirmation_words("paris", held=False) == "not confirmed by paris yet"
