"""Moments on the wire (XEP-0082, the DateTime profile), as microseconds since 1970 in UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from xmpp.errors import StanzaCondition, StanzaError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DATETIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)", re.ASCII
)


def format_datetime(moment_us: int) -> str:
    """Return a moment in UTC, to the microsecond; whole seconds have no fraction."""
    moment = _EPOCH + timedelta(microseconds=moment_us)
    return moment.replace(tzinfo=None).isoformat() + "Z"


def parse_datetime(text: str) -> int:
    """Return the moment that `text` names; what is finer than microseconds is cut off.

    Raises:
        StanzaError: `bad-request`, for what does not follow the profile.

    """
    parts = _DATETIME.fullmatch(text)
    if parts is None:
        raise StanzaError(StanzaCondition.BAD_REQUEST, text="not a date and time of XEP-0082")
    seconds, fraction, zone = parts.groups()
    try:
        moment = datetime.fromisoformat(seconds + zone)
    except ValueError as error:
        raise StanzaError(StanzaCondition.BAD_REQUEST, text="no such date or time") from error
    return (moment - _EPOCH) // _MICROSECOND + int((fraction or "").ljust(6, "0")[:6])
