import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.v1 import link_pb2
from cascade.wire import MalformedFrame, check_numbers, varint


@given(st.integers(1, 2**64 - 1))
def test_a_number_is_written_as_protobuf_writes_it(number: int) -> None:
    tag = bytes([link_pb2.Heartbeat.SENT_US_FIELD_NUMBER << 3])
    assert tag + varint(number) == link_pb2.Heartbeat(sent_us=number).SerializeToString()


def test_zero_takes_a_byte() -> None:
    assert varint(0) == b"\0"


def test_numbers_fit_into_a_signed_word() -> None:
    check_numbers(2**63 - 1)
    with pytest.raises(MalformedFrame):
        check_numbers(2**63 | 1)
