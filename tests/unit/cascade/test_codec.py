from dataclasses import fields, replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.codec import decode_envelope, decode_frame, encode_envelope, encode_frame
from cascade.envelope import ENVELOPE_BYTES_MAX, Envelope
from cascade.frame import (
    Account,
    AccountChange,
    AccountPresence,
    Acknowledgement,
    AvailableResource,
    Frame,
    Heartbeat,
    Hello,
    HomeAnswer,
    InterestChange,
    Refusal,
    Undeliverable,
    Verifier,
    Welcome,
)
from cascade.v1 import link_pb2
from cascade.wire import MalformedFrame
from tests.unit.cascade.envelopes import held, transient

Item = TypeVar("Item")
NUMBERS = st.integers(0, 2**63 - 1)
TOO_LARGE = 2**63
SMALL = st.integers(0, 2**32 - 1)
TEXTS = st.text(max_size=20)
NAMES = st.text(min_size=1, max_size=20)
BYTES = st.binary(max_size=50)
KINDS = st.sampled_from(("message", "presence", "iq"))


def tuples(of: st.SearchStrategy[Item]) -> st.SearchStrategy[tuple[Item, ...]]:
    return st.lists(of, max_size=3).map(tuple)


ENVELOPES = st.builds(
    Envelope,
    origin=TEXTS,
    epoch=NUMBERS,
    sequence=NUMBERS,
    sender=TEXTS,
    recipients=tuples(TEXTS),
    kind=KINDS,
    type=st.none() | NAMES,
    id=st.none() | NAMES,
    language=st.none() | NAMES,
    payloads=tuples(TEXTS),
    declarations=BYTES,
    inner=BYTES,
    sent_us=NUMBERS,
    deadline_ms=SMALL,
    trace=BYTES,
    hub_sequence=NUMBERS,
)
REFUSALS = st.builds(Refusal, NUMBERS, TEXTS, TEXTS, tuples(TEXTS))
VERIFIERS = st.builds(Verifier, TEXTS, BYTES, SMALL, BYTES, BYTES)
ACCOUNTS = st.builds(Account, TEXTS, st.booleans(), tuples(VERIFIERS), TEXTS)
PRESENCES = st.builds(AccountPresence, TEXTS, NUMBERS, tuples(st.builds(AvailableResource, TEXTS, BYTES)))
FRAMES = st.builds(
    Frame,
    hello=st.none()
    | st.builds(
        Hello,
        site=TEXTS,
        epoch=NUMBERS,
        acknowledged=NUMBERS,
        accounts_version=NUMBERS,
        window_envelopes=SMALL,
        software=TEXTS,
        protocol=SMALL,
    ),
    welcome=st.none()
    | st.builds(Welcome, domain=TEXTS, met=NUMBERS, window_envelopes=SMALL, software=TEXTS, protocol=SMALL),
    acknowledgement=st.none() | st.builds(Acknowledgement, NUMBERS, tuples(REFUSALS)),
    credit=SMALL,
    accounts=st.none()
    | st.builds(AccountChange, NUMBERS, tuples(ACCOUNTS), tuples(TEXTS), st.booleans(), st.booleans()),
    accounts_held=st.none() | NUMBERS,
    interest=st.none()
    | st.builds(InterestChange, tuples(st.tuples(TEXTS, NUMBERS)), tuples(TEXTS), st.booleans(), st.booleans()),
    presence=st.lists(PRESENCES, max_size=2),
    undeliverable=st.lists(st.builds(Undeliverable, TEXTS, TEXTS, KINDS, TEXTS, TEXTS), max_size=2),
    heartbeat=st.none() | st.builds(Heartbeat, st.integers(0, 2**64 - 1), st.booleans()),
    drain_ms=st.none() | SMALL,
    home_questions=st.lists(TEXTS, max_size=2),
    home_answers=st.lists(st.builds(HomeAnswer, TEXTS, TEXTS, TEXTS, SMALL), max_size=2),
)


def values(envelope: Envelope) -> dict[str, object]:
    return {field.name: getattr(envelope, field.name) for field in fields(Envelope) if field.name != "encoded"}


@given(ENVELOPES)
def test_an_envelope_survives_a_store_without_its_hub_sequence(envelope: Envelope) -> None:
    assert values(decode_envelope(encode_envelope(envelope))) == values(envelope) | {"hub_sequence": 0}


@given(FRAMES, st.lists(ENVELOPES, max_size=4))
def test_a_frame_survives_the_link(frame: Frame, envelopes: list[Envelope]) -> None:
    decoded = decode_frame(encode_frame(frame))
    assert decoded == frame
    frame.envelopes = envelopes
    decoded = decode_frame(encode_frame(frame))
    assert [values(envelope) for envelope in decoded.envelopes] == [values(envelope) for envelope in envelopes]


@given(FRAMES, ENVELOPES)
def test_a_joined_frame_is_what_protobuf_would_write(frame: Frame, envelope: Envelope) -> None:
    frame.envelopes = [envelope]
    joined = link_pb2.LinkFrame.FromString(encode_frame(frame))
    assert link_pb2.LinkFrame.FromString(joined.SerializeToString()) == joined
    assert joined.envelopes[0].hub_sequence == envelope.hub_sequence


def test_every_part_of_the_contract_is_carried() -> None:
    assert len(fields(Frame)) == len(link_pb2.LinkFrame.DESCRIPTOR.fields)
    assert len(fields(Envelope)) - len({"after", "encoded"}) == len(link_pb2.Envelope.DESCRIPTOR.fields)


def test_an_envelope_is_encoded_once_and_passed_on_as_it_is() -> None:
    arrived = decode_frame(encode_frame(Frame(envelopes=[held(1)])), keeps_encoded=True).envelopes[0]
    assert encode_envelope(arrived) is arrived.encoded
    arrived.hub_sequence = 300
    again = decode_frame(encode_frame(Frame(envelopes=[arrived]))).envelopes[0]
    assert values(again) == values(arrived)
    assert again.hub_sequence == 300


def test_a_receiver_does_not_keep_the_wire_form() -> None:
    assert decode_frame(encode_frame(Frame(envelopes=[held(1)]))).envelopes[0].encoded == b""


def test_an_empty_frame_is_empty() -> None:
    assert encode_frame(Frame()) == b""
    assert decode_frame(b"") == Frame()


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\x4a\x05ab",
        encode_frame(Frame(envelopes=[transient()]))[:-1],
        link_pb2.LinkFrame(envelopes=[link_pb2.Envelope(sequence=1)]).SerializeToString(),
        link_pb2.LinkFrame(undeliverable=[link_pb2.Undeliverable(id="1")]).SerializeToString(),
        link_pb2.LinkFrame(interest=link_pb2.InterestChange(added=["a", "b"], versions=[1])).SerializeToString(),
        b"\x4a\x03\x12\x01\xff",  # a site's name that is not UTF-8
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedFrame):
        decode_frame(data)


@pytest.mark.parametrize(
    "wire",
    [
        link_pb2.LinkFrame(envelopes=[link_pb2.Envelope(kind="KIND_MESSAGE", sequence=TOO_LARGE)]),
        link_pb2.LinkFrame(envelopes=[link_pb2.Envelope(kind="KIND_MESSAGE", epoch=TOO_LARGE)]),
        link_pb2.LinkFrame(envelopes=[link_pb2.Envelope(kind="KIND_MESSAGE", sent_us=TOO_LARGE)]),
        link_pb2.LinkFrame(hello=link_pb2.Hello(epoch=TOO_LARGE)),
        link_pb2.LinkFrame(hello=link_pb2.Hello(acknowledged=TOO_LARGE)),
        link_pb2.LinkFrame(hello=link_pb2.Hello(accounts_version=TOO_LARGE)),
        link_pb2.LinkFrame(welcome=link_pb2.Welcome(met=TOO_LARGE)),
        link_pb2.LinkFrame(acknowledgement=link_pb2.Acknowledgement(up_to=TOO_LARGE)),
        link_pb2.LinkFrame(accounts=link_pb2.AccountChange(version=TOO_LARGE)),
        link_pb2.LinkFrame(accounts_held=link_pb2.AccountsHeld(version=TOO_LARGE)),
        link_pb2.LinkFrame(interest=link_pb2.InterestChange(added=["a", "b"], versions=[1, TOO_LARGE])),
        link_pb2.LinkFrame(presence=[link_pb2.AccountPresence(version=TOO_LARGE)]),
    ],
)
def test_numbers_that_no_store_takes_are_refused(wire: link_pb2.LinkFrame) -> None:
    with pytest.raises(MalformedFrame, match="2\\^63"):
        decode_frame(wire.SerializeToString())


def test_who_passes_envelopes_on_takes_none_that_would_burst_the_frame_of_another() -> None:
    nearly = ENVELOPE_BYTES_MAX - 9999
    room = 2 * nearly + 9999 - len(encode_envelope(held(1, size=nearly)))
    largest = encode_frame(Frame(envelopes=[held(1, size=room)]))
    assert len(decode_frame(largest, keeps_encoded=True).envelopes[0].encoded) == ENVELOPE_BYTES_MAX
    too_large = encode_frame(Frame(envelopes=[held(1, size=room + 1)]))
    with pytest.raises(MalformedFrame, match="bytes"):
        decode_frame(too_large, keeps_encoded=True)


def test_a_site_does_not_choose_the_hub_sequence() -> None:
    claimed = replace(held(1), hub_sequence=77)
    arrived = decode_frame(encode_frame(Frame(envelopes=[claimed])), keeps_encoded=True).envelopes[0]
    assert (arrived.hub_sequence, arrived.encoded) == (0, encode_envelope(held(1)))


def test_an_interest_may_come_without_versions() -> None:
    wire = link_pb2.LinkFrame(interest=link_pb2.InterestChange(added=["a", "b"]))
    assert decode_frame(wire.SerializeToString()).interest == InterestChange((("a", 0), ("b", 0)))


def test_what_is_no_envelope_is_refused() -> None:
    with pytest.raises(MalformedFrame):
        decode_envelope(b"\xff")
    with pytest.raises(MalformedFrame):
        decode_envelope(b"")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    try:
        frame = decode_frame(data)
    except MalformedFrame:
        return
    assert isinstance(frame, Frame)
