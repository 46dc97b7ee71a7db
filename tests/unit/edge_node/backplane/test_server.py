"""A listener process as the core sees it, without a socket."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from edge_node.backplane import frames
from edge_node.backplane.codec import FLUSH_SIZE_BYTES, batch, core_frames, receive_frame
from edge_node.backplane.metrics import ServerMetrics
from edge_node.backplane.ports import Reattachment
from edge_node.backplane.server import BackplaneServer, ListenerPeer
from edge_node.backplane.settings import BackplaneSettings
from tests.support.cores import POLICY
from tests.support.transports import FakeTransport, Recording
from xmpp.stanza import Stanza


class Core(Recording):
    """Everything it is asked, written down; channels are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: list[Any] = []
        self.is_faulty = False

    def attach(self, channel: object, facts: object) -> "Core":
        self.channels.append(channel)
        return self

    def reattach(self, channel: object, facts: object, state: Reattachment) -> "Core | None":
        self.calls.append(("reattach", state.session_key))
        return self.attach(channel, facts) if state.session_key else None

    def receive(self, stanza: Stanza) -> None:
        if self.is_faulty:
            raise ValueError("a fault of ours")
        super().receive(stanza)


class Case:
    def __init__(self, tmp_path: Path, **settings: object) -> None:
        self.core = Core()
        self.changes = 0
        self.server = BackplaneServer(
            BackplaneSettings.model_validate({"path": tmp_path / "s", **settings}),
            self.core,
            POLICY,
            ServerMetrics(CollectorRegistry()),
            self.changed,
            listeners_max=2,
        )

    def changed(self) -> None:
        self.changes += 1

    async def listener(self, index: int = 0) -> tuple[ListenerPeer, FakeTransport]:
        peer, transport = ListenerPeer(self.server), FakeTransport()
        peer.connection_made(transport)
        peer.data_received(batch([frames.Hello(frames.VERSION, index, 4711 + index)]))
        await asyncio.sleep(0)
        assert isinstance(core_frames().receive(transport.written.pop())[0], frames.Welcome)
        return peer, transport


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def said(transport: FakeTransport) -> list[Any]:
    reader = core_frames()
    received = [frame for data in transport.written for frame in reader.receive(data)]
    transport.written.clear()
    return received


async def test_a_listener_comes_and_goes(case: Case) -> None:
    peer, _ = await case.listener()
    assert case.server.listeners == {0: 4711}
    peer.data_received(batch([frames.Attach(1, "a", "tcp", False), frames.Attach(2, "a", "tcp", False)]))
    peer.connection_lost(None)
    assert case.server.listeners == {}
    assert case.changes == 2
    assert case.core.take() == [("detach", False, "the listener process is gone")] * 2


async def test_one_that_comes_during_the_drain_is_to_end_too(case: Case) -> None:
    _, early = await case.listener(0)
    case.server.drain()
    await asyncio.sleep(0)
    assert said(early) == [frames.Drain()]
    peer, late = ListenerPeer(case.server), FakeTransport()
    peer.connection_made(late)
    peer.data_received(batch([frames.Hello(frames.VERSION, 1, 4712)]))
    await asyncio.sleep(0)
    welcome, drain = said(late)
    assert isinstance(welcome, frames.Welcome)
    assert drain == frames.Drain()


async def test_a_fault_in_one_session_leaves_no_other_in_the_dark(case: Case) -> None:
    class Faulty(Core):
        def detach(self, clean: bool, reason: str) -> None:
            raise RuntimeError("expected by the test")

    peer, _ = await case.listener()
    first, case.server.core = case.core, Faulty()
    peer.data_received(batch([frames.Attach(1, "a", "tcp", False)]))
    case.server.core = first
    peer.data_received(batch([frames.Attach(2, "a", "tcp", False)]))
    peer.connection_lost(None)
    assert first.take() == [("detach", False, "the listener process is gone")]


async def test_a_listener_that_is_one_too_many_is_told_to_end(case: Case) -> None:
    peer, transport = ListenerPeer(case.server), FakeTransport()
    peer.connection_made(transport)
    peer.data_received(batch([frames.Hello(frames.VERSION, 2, 4713)]))
    await asyncio.sleep(0)
    assert said(transport) == [frames.Refusal("listener 2 is one too many: listeners.processes is 2")]
    assert case.server.listeners == {}
    peer.connection_lost(None)


@pytest.mark.parametrize(("drains", "event"), [(False, "listener_lost"), (True, "listener_drained")])
async def test_one_that_was_told_to_end_is_no_loss(case: Case, drains: bool, event: str) -> None:
    peer, _ = await case.listener()
    if drains:
        case.server.drain()
    with capture_logs() as logs:
        peer.connection_lost(None)
    assert [line["event"] for line in logs] == [event]
    (losses,) = case.server.metrics.losses.collect()
    assert losses.samples[0].value == float(not drains)


@pytest.mark.parametrize("detaches", [True, False])
async def test_the_core_hears_of_the_end_of_connections_unless_the_next_one_goes_on(case: Case, detaches: bool) -> None:
    await case.server.start()
    peer, transport = await case.listener()
    peer.data_received(batch([frames.Attach(1, "a", "tcp", False)]))
    await case.server.stop(detaches=detaches)
    assert transport.ended == "aborted"
    peer.connection_lost(None)
    assert case.core.take() == ([("detach", False, "the listener process is gone")] if detaches else [])


async def test_the_same_bytes_to_many_are_one_frame(case: Case) -> None:
    peer, transport = await case.listener()
    data, other = b"<message/>", b"<presence/>"
    for connection in (1, 2, 3):
        peer.deliver(connection, data)
    peer.deliver(1, other)
    peer.put(frames.Handled(1, 5))
    peer.deliver(1, other)
    await asyncio.sleep(0)
    assert len(transport.written) == 1
    assert said(transport) == [
        frames.Deliver(data, [1, 2, 3]),
        frames.Deliver(other, [1]),
        frames.Handled(1, 5),
        frames.Deliver(other, [1]),
    ]


async def test_much_is_written_before_the_end_of_the_turn(case: Case) -> None:
    peer, transport = await case.listener()
    peer.deliver(1, b"x" * (FLUSH_SIZE_BYTES + 1))
    assert len(transport.written) == 1


async def test_a_fault_on_one_connections_way_closes_that_one(case: Case) -> None:
    peer, transport = await case.listener()
    peer.data_received(batch([frames.Attach(1, "a", "tcp", False), frames.Attach(2, "a", "tcp", False)]))
    case.core.is_faulty = True
    peer.data_received(batch([receive_frame(1, Stanza("message", id="1")), frames.Acknowledge(2, 3)]))
    await asyncio.sleep(0)
    assert said(transport) == [frames.Close(1, "internal-server-error", "", "")]
    assert case.core.take() == [("acknowledge", 3)]


async def test_questions_reach_the_attachment_and_late_ones_nobody(case: Case) -> None:
    peer, _ = await case.listener()
    peer.data_received(
        batch(
            [
                frames.Attach(1, "a", "tcp", False),
                frames.FindCredentials(1, "anna"),
                frames.Authenticated(1, "anna"),
                frames.Bind(1, "phone"),
                frames.EnableManagement(1, True, 60),
                frames.Resume(1, "id", 4),
                receive_frame(1, Stanza("message", id="m")),
                frames.Detach(1, True, "closed"),
                frames.Acknowledge(1, 9),
                frames.Detach(1, True, "closed"),
            ]
        )
    )
    assert case.core.take() == [
        ("find_credentials", "anna"),
        ("authenticated", "anna"),
        ("bind", "phone"),
        ("enable_management", True, 60),
        ("resume", "id", 4),
        ("receive", "m"),
        ("detach", True, "closed"),
    ]


async def test_a_session_that_is_gone_is_reset(case: Case) -> None:
    peer, transport = await case.listener()
    back = [frames.Reattach(n, "a", "tcp", False, "anna@corp.example/r", n, 0, 0) for n in (0, 1)]
    peer.data_received(batch([*back, receive_frame(0, Stanza("message")), receive_frame(1, Stanza("message", id="m"))]))
    await asyncio.sleep(0)
    assert said(transport) == [frames.Close(0, "reset", "the session is gone", "")]
    assert case.core.take() == [("reattach", 0), ("reattach", 1), ("receive", "m")]


async def test_until_a_listener_has_taken_what_is_written_none_is_read(case: Case) -> None:
    (first, first_transport), (second, second_transport) = await case.listener(0), await case.listener(1)
    first.pause_writing()
    second.pause_writing()
    assert not first_transport.reading
    assert not second_transport.reading
    first.resume_writing()
    assert not second_transport.reading
    second.connection_lost(None)
    assert first_transport.reading


async def test_one_that_takes_nothing_is_given_up(tmp_path: Path) -> None:
    case = Case(tmp_path, patience_seconds=0.01)
    peer, transport = await case.listener()
    peer.pause_writing()
    async with asyncio.timeout(10):
        while transport.ended != "aborted":  # noqa: ASYNC110 - a fake announces nothing
            await asyncio.sleep(0)


async def test_one_whose_buffer_is_full_is_given_up(tmp_path: Path) -> None:
    case = Case(tmp_path, buffer_size_bytes_max=5000)
    peer, transport = await case.listener()
    transport.unsent = 6000
    peer.deliver(1, b"<message/>")
    await asyncio.sleep(0)
    assert transport.ended == "aborted"
    peer.connection_lost(None)
    peer.deliver(1, b"<message/>")  # nobody is there to take it
    await asyncio.sleep(0)
    assert len(transport.written) == 1


async def test_frames_before_the_hello_cost_the_connection(case: Case) -> None:
    peer, transport = ListenerPeer(case.server), FakeTransport()
    peer.connection_made(transport)
    peer.data_received(batch([frames.Attach(1, "a", "tcp", False)]))
    assert transport.ended == "aborted"
    peer.connection_lost(None)
    assert case.core.channels == []


async def test_the_same_process_may_come_back_before_its_loss_is_known(case: Case) -> None:
    _, first = await case.listener()
    _, second = await case.listener()
    assert first.ended == "aborted"
    assert not second.ended
    assert case.server.listeners == {0: 4711}
