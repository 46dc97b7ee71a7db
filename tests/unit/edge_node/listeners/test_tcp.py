"""What is particular to TCP: gathered writes, slow clients, the end, and the way into TLS."""

from collections.abc import Callable

from edge_node.listeners.listener import Listener
from edge_node.listeners.tcp import TLSInlet
from tests.support.transports import FakeTransport
from tests.unit.edge_node.listeners.conftest import Pair

NewListener = Callable[..., Listener]


async def test_what_gathers_in_a_turn_is_one_write(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    before = pair.listener.metrics.frames_written
    for number in range(3):
        pair.connection.deliver(b"<message id='%d'/>" % number)
    pair.listener._flush()  # noqa: SLF001 - the end of the turn
    assert pair.transport.written == [b"<message id='0'/><message id='1'/><message id='2'/>"]
    assert pair.listener.metrics.frames_written == before + 3


async def test_a_slow_client_over_the_bound_is_dropped(edge: NewListener) -> None:
    pair = await Pair(edge(connection={"write_buffer_bytes_max": 50_000})).login()
    assert pair.transport.limits == (65_536, 16_384)
    pair.transport.unsent = 60_000
    pair.connection.deliver(b"<message/>")
    pair.connection.flush()
    assert not pair.transport.is_closing()  # large, but taken so far
    pair.connection.pause_writing()
    pair.connection.deliver(b"<message/>")
    pair.connection.flush()
    assert pair.transport.ended == "aborted"


async def test_what_comes_after_the_end_is_read_and_dropped(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    pair.connection.pause_reading()
    pair.connection.close(None)
    assert pair.transport.ended == "eof"
    assert pair.transport.reading
    pair.connection.data_received(b"<message/>")
    assert pair.listener.core.attachments[0].stanzas == []  # type: ignore[attr-defined]


async def test_what_comes_through_tls_waits_until_the_stream_knows_of_it(edge: NewListener) -> None:
    pair = Pair(edge())
    inlet = TLSInlet(pair.connection)

    def arrive(data: bytes) -> None:
        inlet.get_buffer(-1)[: len(data)] = data
        inlet.buffer_updated(len(data))

    opening = pair.client.data_to_send()
    arrive(opening[:5])
    arrive(opening[5:-5])
    pair.connection.flush()
    assert pair.transport.written == []
    inlet.open()
    arrive(opening[-5:])
    pair.connection.flush()
    assert b"<stream:features" in b"".join(pair.transport.written)


async def test_inside_tls_from_the_start_nothing_waits(edge: NewListener) -> None:
    pair = Pair(edge())
    transport = FakeTransport()
    inlet = TLSInlet(pair.connection)
    inlet.connection_made(transport)
    data = pair.client.data_to_send()
    inlet.get_buffer(-1)[: len(data)] = data
    inlet.buffer_updated(len(data))
    inlet.pause_writing()
    inlet.resume_writing()
    pair.connection.flush()
    assert transport.written
    inlet.eof_received()
    inlet.connection_lost(None)
    assert pair.listener.admission.connections == 0
