"""What all connections of a process share."""

import asyncio
from collections.abc import Callable

from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import ConnectionFacts
from edge_node.listeners.listener import Listener
from tests.unit.edge_node.listeners.conftest import Pair
from xmpp.element import Element
from xmpp.errors import StreamError
from xmpp.sasl import TransportFacts

NewListener = Callable[..., Listener]


async def test_streams_follow_the_policy_that_holds_when_they_begin(edge: NewListener) -> None:
    listener = edge()
    listener.adopt(StreamPolicy("other.example", b"s", 4096, (Element("{urn:x}feature"),)))
    assert listener.stream_settings.authentication.domain == "other.example"
    assert listener.stream_settings.features == (Element("{urn:x}feature"),)
    assert b'from="other.example"' in listener.refusal
    assert b"<resource-constraint" in listener.refusal


async def test_without_a_certificate_nothing_needs_tls(edge: NewListener) -> None:
    listener = edge()
    assert not listener.stream_settings.has_tls
    facts = ConnectionFacts("192.0.2.7", "websocket", encrypted=True)
    assert listener.transport_facts(facts) == TransportFacts(is_encrypted=True)


async def test_a_fault_in_writing_to_one_keeps_nothing_from_others(edge: NewListener) -> None:
    listener = edge()

    class Faulty:
        def flush(self) -> None:
            raise RuntimeError("expected by the test")

        def close(self, error: StreamError | None) -> None:
            """Nothing is open."""

        def sweep(self) -> None:
            """Nothing waits."""

    pair = await Pair(listener).login()
    listener.flush_soon(Faulty())
    pair.connection.deliver(b"<message/>")
    await asyncio.sleep(0)
    assert pair.transport.written == [b"<message/>"]


async def test_a_drain_is_bounded(edge: NewListener) -> None:
    listener = edge(drain_seconds=0.01)
    pair = await Pair(listener).login()
    await listener.drain()
    assert b"<system-shutdown" in b"".join(pair.transport.written)
    assert listener.connections == {pair.connection}


async def test_a_fault_in_ending_one_stream_ends_the_others_all_the_same(edge: NewListener) -> None:
    listener = edge(drain_seconds=0.01)

    def fail(clean: bool, reason: str) -> None:
        raise RuntimeError("expected by the test")

    pairs = [await Pair(listener).login() for _ in range(3)]
    for taken in listener.core.attachments[:2]:  # type: ignore[attr-defined]
        taken.detach = fail
    await listener.drain()
    assert all(b"<system-shutdown" in b"".join(pair.transport.written) for pair in pairs)


async def test_a_drain_ends_with_the_last_connection(edge: NewListener) -> None:
    listener = edge(drain_seconds=3600)
    pairs = [await Pair(listener).login() for _ in range(2)]
    for pair in pairs:
        listener.loop.call_soon(pair.connection.connection_lost, None)
    await listener.drain()
    assert listener.connections == set()
