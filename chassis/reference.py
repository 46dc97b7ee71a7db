"""The reference of a settings class, made from the code: what cannot drift need not be checked."""

from collections.abc import Iterator
from enum import Enum

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from chassis.fields import bounds_words, tables_in, type_words
from chassis.settings import ENVIRONMENT_PREFIX, Settings


def settings_reference(settings: type[Settings], title: str) -> str:
    """Markdown: one section per table, one row per setting with its type, default, bounds and meaning."""
    lines = [f"# {title}", "", *_introduction(), *_sections(settings, "", "")]
    return "\n".join(lines).rstrip() + "\n"


def _introduction() -> Iterator[str]:
    yield "One TOML file; every setting may be overridden by an environment variable of its name in capitals with"
    yield f"`{ENVIRONMENT_PREFIX}` in front and `__` for each dot: `{ENVIRONMENT_PREFIX}SECTION__NAME=value`."
    yield "Relative paths are taken from the folder of the file."
    yield ""


def _sections(settings: type[BaseModel], path: str, heading: str) -> Iterator[str]:
    plain = {name: field for name, field in settings.model_fields.items() if not any(tables_in(field.annotation))}
    if heading:
        yield from (f"## `{heading}`", "")
    if settings.__doc__:
        yield from (_one_line(settings.__doc__), "")
    if plain:
        yield from ("| Setting | Type | Default | Bounds | Meaning |", "|---|---|---|---|---|")
        yield from (_row(name, field) for name, field in plain.items())
        yield ""
    for name, field in settings.model_fields.items():
        repeated = "list" in type_words(field.annotation)
        for table in tables_in(field.annotation):
            inner = f"{path}{name}"
            yield from _sections(table, f"{inner}.", f"[[{inner}]]" if repeated else f"[{inner}]")


def _row(name: str, field: FieldInfo) -> str:
    cells = (
        f"`{name}`",
        type_words(field.annotation),
        "required" if field.is_required() else _default(field.get_default(call_default_factory=True)),
        bounds_words(field),
        _one_line(field.description or ""),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case Enum():
            return f'`"{value.value}"`'
        case int() | float():
            return f"`{value}`"
        case list() | tuple() | set() | frozenset():
            return f"`[{', '.join(_default(item).strip('`') for item in value)}]`"
        case _:
            return f'`"{value}"`'


def _one_line(text: str) -> str:
    return " ".join(text.split())
