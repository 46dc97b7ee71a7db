"""The core as a listener process sees it while there is none."""

import asyncio
import random
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from edge_node.backplane.client import RemoteCore
from edge_node.backplane.metrics import BackplaneMetrics
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import ConnectionFacts
from edge_node.backplane.settings import BackplaneSettings
from tests.support.transports import Recording
from xmpp.errors import StreamError

FACTS = ConnectionFacts("192.0.2.7", "tcp", encrypted=False)


class Events:
    def found(self, policy: StreamPolicy) -> None:
        raise AssertionError("there is none")

    def drain(self, reason: str) -> None:
        raise AssertionError(reason)


@pytest.fixture
def core(tmp_path: Path) -> RemoteCore:
    settings = BackplaneSettings(path=tmp_path / "s", held_frames_max=3)
    return RemoteCore(settings, 0, 1, BackplaneMetrics(CollectorRegistry()), random.Random(1), Events())


async def test_questions_are_held_within_a_bound_then_connections_are_closed(core: RemoteCore) -> None:
    channels = [Recording() for _ in range(4)]
    for channel in channels:
        core.attach(channel, FACTS)
    await asyncio.sleep(0)
    assert [channel.calls for channel in channels] == [[], [], [], [("close", "system-shutdown")]]


async def test_a_fault_of_one_connection_leaves_the_others_told(core: RemoteCore) -> None:
    class Faulty(Recording):
        def close(self, error: StreamError | None) -> None:
            raise RuntimeError("expected by the test")

    channels = [Faulty(), Recording()]
    for channel in channels:
        core.attach(channel, FACTS)
    core._lost()  # noqa: SLF001 - as when the socket breaks
    assert channels[1].calls == [("close", "system-shutdown")]


async def test_who_goes_before_the_core_comes_is_forgotten(core: RemoteCore) -> None:
    channel = Recording()
    attachment = core.attach(channel, FACTS)
    attachment.find_credentials("anna")
    attachment.detach(False, "closed")
    attachment.detach(False, "closed")
    attachment.find_credentials("anna")
    attachment.find_credentials("anna")  # beyond the bound, of a connection that is gone
    await asyncio.sleep(0)
    assert channel.calls == []
