"""Types and bounds in words."""

import enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, Field, SecretStr

from chassis.fields import bounds_words, tables_in, type_words


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    name: str


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "whole number"),
        (bool, "true or false"),
        (float | None, "number"),
        (Annotated[str, MaxLen(3)], "text"),
        (Path, "path"),
        (SecretStr, "path of a file with the secret"),
        (Literal["a", 2], '"a" or 2'),
        (Colour, '"red" or "blue"'),
        (tuple[str, ...], "list of text"),
        (dict[str, int], "table of whole number"),
        (Inner, "table"),
        (list[Inner], "list of table"),
        (complex, "complex"),
    ],
)
def test_type_words(annotation: object, words: str) -> None:
    assert type_words(annotation) == words


class Bounded(BaseModel):
    both: Annotated[int, Ge(1), Le(9)]
    open: Annotated[float, Gt(0), Lt(1)]
    low: Annotated[int, Ge(1)]
    above: Annotated[int, Gt(1)]
    high: Annotated[int, Le(9)]
    below: Annotated[int, Lt(9)]
    optional: Annotated[int, Interval(ge=1, le=9)] | None
    fielded: Annotated[int, Field(ge=2)] | None
    length: Annotated[str, MinLen(1), MaxLen(9)]
    long: Annotated[str, MinLen(1)]
    short: Annotated[str, MaxLen(9)]
    pattern: str = Field(pattern="^[a-z]+$")
    free: str


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("both", "1 to 9"),
        ("open", "more than 0 to less than 1"),
        ("low", "at least 1"),
        ("above", "more than 1"),
        ("high", "at most 9"),
        ("below", "less than 9"),
        ("optional", "1 to 9"),
        ("fielded", "at least 2"),
        ("length", "1 to 9 long"),
        ("long", "at least 1 long"),
        ("short", "at most 9 long"),
        ("pattern", "matching ^[a-z]+$"),
        ("free", ""),
    ],
)
def test_bounds_words(field: str, words: str) -> None:
    assert bounds_words(Bounded.model_fields[field]) == words


def test_tables_in_options_and_items() -> None:
    assert list(tables_in(Inner | None)) == [Inner]
    assert list(tables_in(dict[str, list[Inner]])) == [Inner]
    assert list(tables_in(int)) == []
