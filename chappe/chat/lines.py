"""What a person reads: lines, each of one kind, without anything that a terminal would obey."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

MICROSECONDS = 1_000_000
HARMLESS = "\n\u200c\u200d"
"""Not printable by Unicode, but needed: the line's end, and what joins emoji and Indic letters."""


class Kind(StrEnum):
    """What a line is; a screen chooses its colour."""

    THEIRS = "theirs"
    OWN = "own"
    NOTE = "note"
    PRESENCE = "presence"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    kind: Kind
    text: str
    """Printable."""


def printable(text: str) -> str:
    """Replace what a terminal would obey, such as escape sequences; further lines are indented."""
    cleaned = "".join(each if each.isprintable() or each in HARMLESS else "\ufffd" for each in text)
    return cleaned.rstrip("\n").replace("\n", "\n        ")


def clock_time(moment_us: int, now_us: int, zone: tzinfo | None = None) -> str:
    """Write when something was: the time, and the date unless it is today."""
    moment, now = (datetime.fromtimestamp(us / MICROSECONDS, UTC).astimezone(zone) for us in (moment_us, now_us))
    return moment.strftime("%H:%M" if moment.date() == now.date() else "%Y-%m-%d %H:%M")


def said(time: str, who: str, text: str, *, is_own: bool) -> Line:
    """Write down what somebody said."""
    return Line(Kind.OWN if is_own else Kind.THEIRS, f"{time} {printable(who)}: {printable(text)}")
