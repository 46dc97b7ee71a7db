"""LDIF content records (RFC 2849): folded lines, base64 values, comments; change records only if they add.

Values are text; bytes of base64 values that are no UTF-8 (pictures, certificates) are escaped as lone surrogates.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator

Entry = dict[str, list[str]]
"""Attribute in lower case, without options, to its values."""


class MalformedLDIF(ValueError):
    """The text is not LDIF that can be read here; the message names the line."""

    def __init__(self, number: int, reason: str) -> None:
        """Name the line."""
        super().__init__(f"line {number}: {reason}")


def records(lines: Iterable[str]) -> Iterator[tuple[int, Entry]]:
    """Yield (number of the first line, entry) for each record; raise MalformedLDIF."""
    start, entry = 0, Entry()
    for number, line in unfolded(lines):
        if not line:
            if entry:
                yield start, entry
                entry = Entry()
            continue
        if line.startswith("#"):
            continue
        attribute, value = parsed(number, line)
        if attribute == "version" and not entry:
            continue
        if attribute == "changetype" and value != "add":
            raise MalformedLDIF(number, f"a change record of type {value!r}: only content can be imported")
        if not entry:
            if attribute != "dn":
                raise MalformedLDIF(number, "a record must begin with dn")
            start = number
        entry.setdefault(attribute, []).append(value)
    if entry:
        yield start, entry


def unfolded(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield (number, line) with continuation lines joined; an empty line ends the last record."""
    begun, number, gathered = 1, 0, ""
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r\n")
        if line.startswith(" ") and gathered:
            gathered += line[1:]
            continue
        if number > 1:
            yield begun, gathered
        begun, gathered = number, line
    yield begun, gathered
    yield number + 1, ""


def parsed(number: int, line: str) -> tuple[str, str]:
    """Split one line into (attribute, value)."""
    attribute, colon, rest = line.partition(":")
    if not colon or not attribute:
        raise MalformedLDIF(number, "no attribute with a colon")
    name = attribute.partition(";")[0].lower()
    if rest.startswith("<"):
        raise MalformedLDIF(number, "values from URLs are not read")
    if not rest.startswith(":"):
        return name, rest.lstrip(" ")
    try:
        value = base64.b64decode(rest[1:].strip(" "), validate=True)
    except binascii.Error as error:
        raise MalformedLDIF(number, f"not base64: {error}") from error
    return name, value.decode("utf-8", "surrogateescape")
