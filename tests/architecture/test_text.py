"""Text files: UTF-8, one final newline, no trailing blanks, no characters that look like others."""

import re
from pathlib import Path

from tests.architecture.tree import ROOT, text_files

SIZE_BYTES_MAX = 500_000

# Blanks, quotes and wide forms; then a Greek or Cyrillic letter inside a Latin word.
LOOK_ALIKES = re.compile(
    "[\u00a0\u00ad\u2000-\u200f\u2018-\u201f\u2028-\u202f\u2060-\u2064\u2212\ufeff\uff01-\uff5e]"
    "|[A-Za-z][\u0370-\u03ff\u0400-\u04ff]"
    "|[\u0370-\u03ff\u0400-\u04ff][A-Za-z]"
)
LATIN_AFTER_UNIT = re.compile("\u03bcs")  # a microsecond may be written with the Greek letter

TRAILING_BLANK = re.compile(r"[ \t]+$", re.MULTILINE)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def names_of(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_no_large_file() -> None:
    assert names_of([path for path in text_files() if path.stat().st_size > SIZE_BYTES_MAX]) == []


def test_one_final_newline_and_no_trailing_blank() -> None:
    texts = {path: text_of(path) for path in text_files()}
    assert names_of([path for path, text in texts.items() if text and not re.search(r"[^\n]\n\Z", text)]) == []
    assert names_of([path for path, text in texts.items() if TRAILING_BLANK.search(text) or "\r" in text]) == []


def test_nothing_looks_like_something_else() -> None:
    found = {path: LOOK_ALIKES.findall(LATIN_AFTER_UNIT.sub("us", text_of(path))) for path in text_files()}
    assert {path.relative_to(ROOT).as_posix(): seen for path, seen in found.items() if seen} == {}


def test_the_check_sees_what_it_is_for() -> None:
    for text in ("p\u0430yload", "a\u00a0b", "\u201cquoted\u201d", "\u0410nna"):
        assert LOOK_ALIKES.search(text), text
    for text in ("p\u00e4yload", "\u0410\u043d\u043d\u0430 and Anna", "a \u2014 b"):
        assert not LOOK_ALIKES.search(text), text
