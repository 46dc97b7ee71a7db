"""Frames as bytes, cut at every byte; and what they carry."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.backplane import codec, frames
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import ConnectionFacts, Reattachment
from xmpp.acknowledgement import HandledCountTooHigh
from xmpp.element import Element
from xmpp.errors import ErrorType, StanzaCondition, StanzaError, StreamCondition, StreamError
from xmpp.jid import JID
from xmpp.sasl import Credentials, derive
from xmpp.stanza import Stanza

ANNA = JID.parse("anna@corp.example/phone")
SAID: list[frames.FromListener] = [
    frames.Hello(frames.VERSION, 1, 4711),
    frames.Attach(1, "192.0.2.7", "tls", True),
    frames.FindCredentials(1, "anna"),
    frames.Authenticated(1, "anna"),
    frames.Bind(1, None),
    frames.EnableManagement(1, True, 300),
    frames.Resume(1, "id", 2**32 - 1),
    frames.Acknowledge(1, 5),
    frames.Detach(1, False, "closed"),
]


@given(st.integers(0, 2000))
def test_a_stream_of_batches_may_be_cut_anywhere(position: int) -> None:
    data = codec.batch(SAID) + codec.batch(SAID[:1]) + codec.batch([])
    reader = codec.listener_frames()
    assert reader.receive(data[:position]) + reader.receive(data[position:]) == [*SAID, SAID[0]]


def test_one_byte_at_a_time() -> None:
    reader = codec.listener_frames()
    received = [frame for byte in codec.batch(SAID) for frame in reader.receive(bytes((byte,)))]
    assert received == SAID


@given(st.binary(max_size=200))
def test_garbage_is_no_frame(data: bytes) -> None:
    try:
        received = codec.listener_frames().receive(data)
    except codec.FrameError:
        return
    assert all(isinstance(frame, msgspec.Struct) for frame in received)


def test_a_batch_over_the_bound_is_refused_before_it_is_read() -> None:
    size = codec.BATCH_SIZE_BYTES_MAX + 1
    with pytest.raises(codec.FrameError, match=str(size)):
        codec.listener_frames().receive(size.to_bytes(4, "big"))


def test_frames_of_the_other_direction_are_refused() -> None:
    with pytest.raises(codec.FrameError):
        codec.listener_frames().receive(codec.batch([frames.Drain()]))


@pytest.mark.parametrize(
    "stanza",
    [
        Stanza("message", "chat", "1", ANNA, ANNA, "fr", ("{jabber:client}body",), b"<body>\xc3\xa9</body>"),
        Stanza("presence"),
        Stanza("iq", "get", "2", malformed="to", declarations=b' xmlns:x="urn:x"', inner=b"<x:y/>"),
    ],
)
def test_a_stanza_crosses_as_it_is(stanza: Stanza) -> None:
    (frame,) = codec.listener_frames().receive(codec.batch([codec.receive_frame(7, stanza)]))
    assert isinstance(frame, frames.Receive)
    assert frame.connection == 7
    assert codec.stanza_of(frame) == stanza


def test_a_bound_connection_comes_back_as_it_was() -> None:
    facts, state = ConnectionFacts("::1", "tcp", encrypted=False), Reattachment(ANNA, 2**63, 5, 2**32 - 1)
    (frame,) = codec.listener_frames().receive(codec.batch([codec.reattach_frame(7, facts, state)]))
    assert isinstance(frame, frames.Reattach)
    assert codec.reattachment_of(frame) == (facts, state)


def crossed(frame: frames.FromCore) -> frames.FromCore:
    (received,) = codec.core_frames().receive(codec.batch([frame]))
    assert received == frame
    return received


@pytest.mark.parametrize("credentials", [None, Credentials({"SHA-1": derive("p", b"salt", 4096, "SHA-1")})])
def test_credentials_cross(credentials: Credentials | None) -> None:
    frame = crossed(codec.credentials_frame(1, credentials))
    assert isinstance(frame, frames.CredentialsFound)
    assert codec.credentials_of(frame) == credentials


@pytest.mark.parametrize(
    "error",
    [
        StanzaError(StanzaCondition.CONFLICT),
        StanzaError(StanzaCondition.GONE, ErrorType.MODIFY, "moved", Element("{urn:x}why"), "xmpp:new@corp.example"),
    ],
)
def test_refusals_cross(error: StanzaError) -> None:
    frame = crossed(codec.refusal_frame(1, error))
    assert isinstance(frame, frames.BindingRefused)
    assert codec.refusal_of(frame) == error


@pytest.mark.parametrize(
    "error",
    [
        None,
        StreamError(StreamCondition.SEE_OTHER_HOST, "home", "lyon:5222"),
        StreamError(StreamCondition.RESET),
        StreamError(StreamCondition.UNDEFINED_CONDITION, application=Element("{urn:x}why", {"h": "7"})),
    ],
)
def test_ends_cross(error: StreamError | None) -> None:
    frame = crossed(codec.close_frame(1, error))
    assert isinstance(frame, frames.Close)
    assert codec.error_of(frame) == error


def test_a_count_that_is_too_high_is_told_as_without_a_backplane() -> None:
    error = HandledCountTooHigh(7, 5)
    frame = crossed(codec.close_frame(1, error))
    assert isinstance(frame, frames.Close)
    received = codec.error_of(frame)
    assert received is not None
    assert received.element() == error.element()


def test_the_policy_crosses() -> None:
    policy = StreamPolicy("corp.example", b"s", 10_000, (Element("{urn:x}a"), Element("{urn:y}b", {"c": "d"})))
    frame = crossed(codec.welcome_frame(policy))
    assert isinstance(frame, frames.Welcome)
    assert codec.policy_of(frame) == policy
