"""SASLprep (RFC 4013): the one form in which two sides compare a password or a user name.

SCRAM is defined with SASLprep (RFC 5802 section 2.2), not with its PRECIS successors, and both sides must agree.
"""

import stringprep
import unicodedata
from typing import Final

LENGTH_MAX: Final = 1024
"""Characters of a user name or a password, before and after: a stranger may send them, and each is looked up."""

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str, *, allows_unassigned: bool = False) -> str:
    """Prepare `text`.  Raises ValueError for what RFC 4013 sections 2.3 to 2.5 forbid, and beyond `LENGTH_MAX`.

    A password is a *stored* string; a user name is a *query* (RFC 5802 section 5.1), which may have characters that are
    newer than Unicode 3.2: whether there is such an account is another question.
    """
    if len(text) > LENGTH_MAX:
        raise ValueError(f"longer than {LENGTH_MAX} characters")
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    # RFC 3454 is fixed to Unicode 3.2, so that its answers never change.
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if len(prepared) > LENGTH_MAX:  # one character may become eighteen
        raise ValueError(f"longer than {LENGTH_MAX} characters")
    for character in prepared:
        is_unassigned = stringprep.in_table_a1(character) and not allows_unassigned
        if is_unassigned or any(is_prohibited(character) for is_prohibited in _PROHIBITED):
            raise ValueError(f"U+{ord(character):04X} is not allowed")
    _check_direction(prepared)
    return prepared


def _check_direction(prepared: str) -> None:
    """RFC 3454 section 6: right-to-left text is whole, and begins and ends as such."""
    if not any(stringprep.in_table_d1(character) for character in prepared):
        return
    if any(stringprep.in_table_d2(character) for character in prepared):
        raise ValueError("left-to-right and right-to-left characters are mixed")
    if not (stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1])):
        raise ValueError("right-to-left text must begin and end with right-to-left characters")
