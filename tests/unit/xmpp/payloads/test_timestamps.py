"""Moments on the wire: XEP-0082."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmpp.errors import StanzaCondition, StanzaError
from xmpp.payloads.timestamps import format_datetime, parse_datetime

MOON = -14_159_025_000_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1969-07-21T02:56:15Z", MOON),
        ("1969-07-20T21:56:15-05:00", MOON),
        ("1969-07-21T08:26:15.000+05:30", MOON),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.0000019999Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ],
)
def test_reading(text: str, moment: int) -> None:
    assert parse_datetime(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "", "1969-07-21", "02:56:15Z", "1969-07-21T02:56:15", "1969-07-21 02:56:15Z", "19690721T02:56:15Z",
        "1969-13-21T02:56:15Z", "2023-02-29T00:00:00Z", "1969-07-21T24:00:01Z", "1969-07-21T02:56:61Z",
        "1969-07-21T02:56:15.Z", "1969-07-21T02:56:15z", "1969-07-21T02:56:15+25:00", "1969-07-21T02:56:15+05:60",
        "0000-01-01T00:00:00Z", " 1969-07-21T02:56:15Z", "1969-07-21T02:56:15Z\n", "\u0661969-07-21T02:56:15Z",
    ],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(StanzaError) as refusal:
        parse_datetime(text)
    assert refusal.value.condition == StanzaCondition.BAD_REQUEST


def test_writing() -> None:
    assert format_datetime(MOON) == "1969-07-21T02:56:15Z"
    assert format_datetime(1) == "1970-01-01T00:00:00.000001Z"


@given(st.integers(-62_000_000_000_000_000, 253_000_000_000_000_000))
def test_what_is_written_is_read_back(moment: int) -> None:
    assert parse_datetime(format_datetime(moment)) == moment
