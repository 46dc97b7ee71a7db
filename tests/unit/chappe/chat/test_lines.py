from datetime import UTC

import pytest

from chappe.chat.lines import Kind, Line, clock_time, printable, said

NOON_US = 1_700_049_600_000_000
DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Gr\u00fc\u00dfe \U0001f44d", "Gr\u00fc\u00dfe \U0001f44d"),
        ("\x1b[2J\x1b]0;title\x07", "\ufffd[2J\ufffd]0;title\ufffd"),
        ("left\u202eright", "left\ufffdright"),
        ("one\ntwo\n", "one\n        two"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_a_terminal_obeys_nobody(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_times_of_today_and_before() -> None:
    assert clock_time(NOON_US, NOON_US, UTC) == "12:00"
    assert clock_time(NOON_US, NOON_US + DAY_US, UTC) == "2023-11-15 12:00"


def test_a_line() -> None:
    assert said("12:00", "chloe", "hello\x07", is_own=False) == Line(Kind.THEIRS, "12:00 chloe: hello\ufffd")
