"""One client's connection: the way of stanzas, counts, bounds and ends."""

import asyncio
from collections.abc import Callable

import pytest

from edge_node.listeners.listener import Listener
from tests.support.cores import ToyAttachment, ToyCore
from tests.unit.edge_node.listeners.conftest import Pair
from xmpp.errors import StreamCondition, StreamError
from xmpp.events import StreamClosed
from xmpp.stanza import Stanza

NewListener = Callable[..., Listener]


def core_of(pair: Pair) -> ToyCore:
    assert isinstance(pair.listener.core, ToyCore)
    return pair.listener.core


def attachment(pair: Pair) -> ToyAttachment:
    return core_of(pair).attachments[-1]


def message(id_: str) -> Stanza:
    return Stanza("message", id=id_)


async def test_the_core_hears_of_a_client_with_its_first_question(edge: NewListener) -> None:
    listener = edge()
    pair = Pair(listener)
    pair.connection.data_received(pair.client.data_to_send())
    assert listener.core.attachments == []  # type: ignore[attr-defined]
    assert (listener.admission.connections, listener.admission.negotiating) == (1, 1)


async def test_after_binding_nothing_waits_and_nothing_of_the_negotiation_is_kept(edge: NewListener) -> None:
    listener = edge()
    pair = await Pair(listener).login()
    assert pair.connection.due_tick == 0
    assert pair.connection._login is None  # noqa: SLF001 - what is kept is the point
    assert (listener.admission.connections, listener.admission.negotiating) == (1, 0)


async def test_stanzas_of_one_read_reach_the_core_in_order_and_answers_are_one_write(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    for number in range(5):
        pair.client.send(Stanza("iq", "get", str(number)))
    pair.connection.data_received(pair.client.data_to_send())
    assert [stanza.id for stanza in attachment(pair).stanzas] == list("01234")
    assert pair.transport.written == []
    events = await pair.exchange()
    assert [stanza.id for stanza in events if isinstance(stanza, Stanza)] == list("01234")
    assert pair.listener.metrics.stanzas_received == 5


async def test_a_refused_resource_may_be_asked_for_again(edge: NewListener) -> None:
    pair = Pair(edge(), resource="refused")
    await pair.exchange(stop=b"<conflict")
    assert pair.listener.admission.negotiating == 1
    pair.connection.data_received(b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert pair.listener.admission.negotiating == 0


async def test_what_is_acknowledged_is_what_the_core_has(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    core = core_of(pair)
    pair.connection.data_received(message("before").render())
    pair.connection.data_received(
        b"<enable xmlns='urn:xmpp:sm:3'/>"
        + message("1").render()
        + message("2").render()
        + b"<r xmlns='urn:xmpp:sm:3'/>"
    )
    pair.connection.flush()
    assert b'h="2"' in b"".join(pair.transport.written)
    pair.transport.written.clear()
    core.commits_at_once = False
    pair.connection.data_received(message("3").render() + b"<r xmlns='urn:xmpp:sm:3'/>")
    pair.connection.flush()
    assert pair.transport.written == []
    core.commit()
    pair.connection.flush()
    assert b'h="3"' in b"".join(pair.transport.written)
    pair.connection.data_received(b"<a xmlns='urn:xmpp:sm:3' h='0'/>")
    assert attachment(pair).acknowledged == 0


async def test_a_request_for_an_acknowledgement_does_not_wait_for_ever(edge: NewListener) -> None:
    listener = edge(connection={"answer_seconds_max": 0.1})
    async with listener:
        pair = await Pair(listener).login()
        core_of(pair).commits_at_once = False
        request = b"<r xmlns='urn:xmpp:sm:3'/>"
        pair.connection.data_received(b"<enable xmlns='urn:xmpp:sm:3'/>" + message("1").render() + request)
        async with asyncio.timeout(10):
            while b'<a xmlns="urn:xmpp:sm:3" h="0"/>' not in pair.transport.written:  # noqa: ASYNC110 - a fake is silent
                await asyncio.sleep(0)
        core_of(pair).commit()
        pair.connection.flush()
        assert pair.transport.written[-1] == b'<a xmlns="urn:xmpp:sm:3" h="1"/>'


async def test_reading_stops_while_the_core_has_too_much_to_take(edge: NewListener) -> None:
    pair = await Pair(edge(connection={"unhandled_stanzas_max": 4})).login()
    core = core_of(pair)
    core.commits_at_once = False
    for number in range(4):
        assert pair.transport.is_reading()
        pair.connection.data_received(message(str(number)).render())
    assert not pair.transport.is_reading()
    core.commit()
    assert pair.transport.is_reading()


async def test_reading_stops_while_the_core_wants_it(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    pair.connection.pause_reading()
    pair.connection.pause_reading()
    assert not pair.transport.is_reading()
    pair.connection.resume_reading()
    assert pair.transport.is_reading()


async def test_who_sends_too_fast_pays_with_time(edge: NewListener) -> None:
    listener = edge(rate={"burst_stanzas": 10, "stanzas_per_second": 4})
    pair = await Pair(listener).login()
    pair.connection.data_received(message("x").render() * 14)
    assert not pair.transport.is_reading()
    due = pair.connection.due_tick
    assert due >= listener.wheel.now + 4  # a second
    listener.wheel.now = due
    pair.connection.expired()
    assert pair.transport.is_reading()
    assert pair.connection.due_tick == 0


async def test_a_rate_below_one_a_tick_is_a_rate(edge: NewListener) -> None:
    listener = edge(rate={"burst_stanzas": 10, "stanzas_per_second": 2})
    pair = await Pair(listener).login()
    for _ in range(40):  # one each half second, for 20 seconds: as fast as is allowed
        pair.connection.data_received(message("x").render())
        listener.wheel.now += 1
        pair.connection.data_received(b" ")
        listener.wheel.now += 1
        assert pair.transport.is_reading()


async def test_bytes_have_a_rate_too(edge: NewListener) -> None:
    pair = await Pair(edge(rate={"burst_bytes": 10_000})).login()
    pair.connection.data_received(b" " * 20_000)
    assert not pair.transport.is_reading()


async def test_one_that_does_not_read_is_given_up_after_a_while(edge: NewListener) -> None:
    listener = edge(connection={"slow_seconds_max": 5})
    pair = await Pair(listener).login()
    pair.connection.pause_writing()
    pair.connection.resume_writing()
    assert pair.connection.due_tick == 0
    pair.connection.pause_writing()
    listener.wheel.now = pair.connection.due_tick
    pair.connection.expired()
    assert pair.transport.ended == "aborted"
    assert attachment(pair).ended == (False, "slow")


async def test_one_that_does_not_read_its_end_is_given_no_more_time(edge: NewListener) -> None:
    listener = edge(connection={"closing_seconds": 2, "slow_seconds_max": 60})
    pair = await Pair(listener).login()
    pair.connection.close(StreamError(StreamCondition.CONFLICT))
    due = pair.connection.due_tick
    pair.connection.pause_writing()
    assert pair.connection.due_tick == due


async def test_who_comes_through_its_handshake_during_a_drain_is_told(edge: NewListener) -> None:
    listener = edge(drain_seconds=0.01)
    await listener.drain()
    pair = Pair(listener)
    assert b"<system-shutdown" in b"".join(pair.transport.written)
    assert pair.transport.ended == "eof"


async def test_session_requests_use_up_nothing_that_the_core_would_give_back(edge: NewListener) -> None:
    pair = await Pair(edge(connection={"unhandled_stanzas_max": 4})).login()
    session = b"<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
    pair.connection.data_received(session * 5)
    assert pair.transport.is_reading()
    pair.connection.data_received(message("1").render())
    assert pair.connection._handled == pair.connection._stream.received  # noqa: SLF001 - both count the same


async def test_no_resource_in_time_ends_the_stream_and_then_the_connection(edge: NewListener) -> None:
    listener = edge()
    pair = Pair(listener)
    pair.connection.data_received(pair.client.data_to_send())
    listener.wheel.now = pair.connection.due_tick
    pair.connection.expired()
    assert b"<connection-timeout" in b"".join(pair.transport.written)
    assert pair.transport.ended == "eof"
    listener.wheel.now = pair.connection.due_tick
    pair.connection.expired()
    assert pair.transport.ended == "closed"
    listener.wheel.now = pair.connection.due_tick
    pair.connection.expired()
    assert pair.transport.ended == "aborted"
    pair.connection.connection_lost(None)
    assert (listener.admission.connections, listener.admission.negotiating) == (0, 0)
    assert listener.connections == set()


async def test_the_end_comes_behind_what_was_delivered_and_nothing_behind_it(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    pair.connection.deliver(b"<message id='last'/>")
    pair.connection.close(StreamError(StreamCondition.CONFLICT))
    pair.connection.close(None)
    pair.connection.deliver(b"<message id='too late'/>")
    pair.connection.nonza(b"<r/>")
    events = await pair.exchange()
    assert [event.id for event in events if isinstance(event, Stanza)] == ["last"]
    assert isinstance(events[-1], StreamClosed)
    assert attachment(pair).ended == (False, "conflict")


async def test_without_an_error_the_stream_is_closed_in_good_order(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    pair.connection.close(None)
    assert attachment(pair).ended == (False, "closed")
    assert pair.transport.written == [b"</stream:stream>"]


async def test_a_clients_own_end_is_clean(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    pair.client.close()
    await pair.exchange()
    assert attachment(pair).ended == (True, "closed")
    assert pair.transport.ended == "closed"
    pair.connection.connection_lost(None)
    pair.connection.connection_lost(None)
    assert pair.listener.admission.connections == 0


@pytest.mark.parametrize("way", ["eof", "lost"])
async def test_a_connection_that_breaks_is_not_clean(edge: NewListener, way: str) -> None:
    pair = await Pair(edge()).login()
    if way == "eof":
        pair.connection.eof_received()
    pair.connection.connection_lost(None)
    assert attachment(pair).ended == (False, "closed")


async def test_a_fault_of_the_cores_at_the_end_leaves_nothing_behind(edge: NewListener) -> None:
    listener = edge(drain_seconds=3600)
    pairs = [await Pair(listener).login() for _ in range(2)]

    def fail(clean: bool, reason: str) -> None:
        raise RuntimeError("expected by the test")

    core_of(pairs[0]).attachments[0].detach = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        pairs[0].connection.connection_lost(None)
    assert (listener.admission.connections, listener.connections) == (1, {pairs[1].connection})
    listener.loop.call_soon(pairs[1].connection.connection_lost, None)
    await listener.drain()
    assert b"<system-shutdown" in b"".join(pairs[1].transport.written)


async def test_what_comes_behind_a_fatal_answer_of_the_core_is_not_passed_on(edge: NewListener) -> None:
    pair = await Pair(edge()).login()
    taken = attachment(pair)
    receive = taken.receive

    def receive_and_close(stanza: Stanza) -> None:
        receive(stanza)
        pair.connection.close(StreamError(StreamCondition.INVALID_FROM))

    taken.receive = receive_and_close  # type: ignore[method-assign]
    pair.connection.data_received(message("1").render() + message("2").render())
    assert [stanza.id for stanza in taken.stanzas] == ["1"]


async def test_the_account_lives_elsewhere_and_that_is_no_failure(edge: NewListener) -> None:
    listener = edge()
    listener.core.disk.homes["anna"] = ("lyon", 5222)  # type: ignore[attr-defined]
    pair = Pair(listener)
    events = await pair.exchange()
    assert isinstance(events[-1], StreamClosed)
    assert listener.metrics.logins == {}
