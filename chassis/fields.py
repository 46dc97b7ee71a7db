"""What a field of a settings class takes, in words: for error messages and for the reference."""

import enum
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

_TYPE_NAMES: typing.Final[dict[object, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "path of a file with the secret",
}


def type_words(annotation: object) -> str:
    """The type in an operator's words: `whole number`, `list of text`, `"json" or "console"`."""
    if annotation in _TYPE_NAMES:
        return _TYPE_NAMES[annotation]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " or ".join(f'"{member.value}"' for member in annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_words(arguments[0])
    if origin is typing.Literal:
        return " or ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_words(each) for each in arguments if each is not types.NoneType)
    if origin in (list, tuple, set, frozenset):
        return f"list of {type_words(arguments[0])}"
    if origin is dict:
        return f"table of {type_words(arguments[1])}"
    return "table" if is_table(annotation) else getattr(annotation, "__name__", str(annotation))


def is_table(annotation: object) -> typing.TypeGuard[type[BaseModel]]:
    """Whether the annotation is a settings class, that is a table in TOML."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def tables_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Settings classes that the annotation is, or holds as an option or as items."""
    if is_table(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from tables_in(argument)


def bounds_words(field: FieldInfo) -> str:
    """The bounds in words: `1 to 65535`, `more than 0`, `at most 64 long`; empty when there are none."""
    constraints = [*field.metadata, *_constraints(field.annotation)]
    words = [_range_words(constraints), _length_words(constraints)]
    words += [f"matching {pattern}" for each in constraints if (pattern := getattr(each, "pattern", None))]
    return ", ".join(filter(None, words))


def _constraints(annotation: object) -> Iterator[object]:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        for each in arguments[1:]:
            if isinstance(each, FieldInfo):
                yield from each.metadata
            elif isinstance(each, annotated_types.GroupedMetadata):
                yield from each
            else:
                yield each
        arguments = arguments[:1]
    for argument in arguments:
        yield from _constraints(argument)


def _range_words(constraints: list[object]) -> str:
    low = high = ""
    for each in constraints:
        match each:
            case annotated_types.Ge(ge=value):
                low = str(value)
            case annotated_types.Gt(gt=value):
                low = f"more than {value}"
            case annotated_types.Le(le=value):
                high = str(value)
            case annotated_types.Lt(lt=value):
                high = f"less than {value}"
            case _:
                pass
    if low and high:
        return f"{low} to {high}"
    if high:
        return high if high.startswith("less") else f"at most {high}"
    return low if low.startswith("more") or not low else f"at least {low}"


def _length_words(constraints: list[object]) -> str:
    low = [each.min_length for each in constraints if isinstance(each, annotated_types.MinLen)]
    high = [each.max_length for each in constraints if isinstance(each, annotated_types.MaxLen)]
    if low and high:
        return f"{max(low)} to {min(high)} long"
    if high:
        return f"at most {min(high)} long"
    return f"at least {max(low)} long" if low else ""
