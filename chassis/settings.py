"""Settings of a process: one TOML file, then the environment, secrets from files; checked once, then passed as values.

Rule: a settings class belongs to the part that it sets; a service composes the classes of its parts.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from chassis.errors import OperatorError
from chassis.fields import bounds_words, tables_in, type_words

ENVIRONMENT_PREFIX: Final = "CHAPPE__"
"""Of variables that override the file: `CHAPPE__LISTENERS__PORT` is `listeners.port`.

The doubled underscore keeps clear of the variables that Kubernetes makes for a service named chappe.
"""

SECRET_SIZE_BYTES_MAX: Final = 65_536
"""A larger file is no secret but a mistaken path."""


class SettingsError(OperatorError):
    """Settings that cannot be used; the text has one line per problem."""


class Settings(BaseModel):
    """A table of settings.

    A field has a type, bounds, a default where there is a sensible one, and a docstring: the reference is made of
    these.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        revalidate_instances="always",  # a table that is left out: its relative paths are the file's, too
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


S = TypeVar("S", bound=Settings)


def _located(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path if folder is None else folder / path


def _read_secret(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str | Path):
        return value
    path = _located(Path(value), info)
    try:
        with path.open(encoding="utf-8") as file:
            secret = file.read(SECRET_SIZE_BYTES_MAX + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ValueError(f"the file of the secret cannot be read: {reason}") from None
    if not secret or len(secret) > SECRET_SIZE_BYTES_MAX:
        raise ValueError(f"the file of the secret must hold 1 to {SECRET_SIZE_BYTES_MAX} bytes")
    return SecretStr(secret)


LocalPath = Annotated[Path, AfterValidator(_located)]
"""A path; a relative one is taken from the folder of the settings file, not from where the process was started."""

SecretFile = Annotated[SecretStr, BeforeValidator(_read_secret)]
"""A secret: the setting is the path of a file, the value is what the file holds (blanks around it removed)."""


def load(settings: type[S], path: Path | None, environment: Mapping[str, str]) -> S:
    """Read the file (if any), lay the environment over it, and check everything.

    Arguments: `path` of the TOML file, `environment` as in `os.environ` (variables without `ENVIRONMENT_PREFIX` are
    not looked at).
    Raises `SettingsError`, which names every unknown or wrong setting, where it was set, and what is allowed.
    """
    values = {} if path is None else _read(path)
    overridden = _overlay(values, environment)
    try:
        return settings.model_validate(values, context={"folder": None if path is None else path.absolute().parent})
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        raise SettingsError("\n".join(_lines(settings, path, overridden, details))) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None


def _overlay(values: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Set the environment's values; give back which variable set which setting."""
    overridden = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        where = tuple(variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__"))
        table = values
        for depth, name in enumerate(where[:-1], start=1):
            if name not in table:
                table[name] = {}
                overridden[where[:depth]] = variable
            inner = table[name]
            if not isinstance(inner, dict):
                raise SettingsError(f"{variable}: {name} is a value in the file, not a table")
            table = inner
        table[where[-1]] = _value(variable, text)
        overridden[where] = variable
    return overridden


def _value(variable: str, text: str) -> object:
    """Lists and tables are written as in TOML; everything else is text, which the types convert."""
    if not text.startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{variable}: is not a TOML list or table: {error}") from None


def _lines(
    settings: type[Settings], path: Path | None, overridden: Mapping[tuple[str, ...], str], details: list[ErrorDetails]
) -> Iterator[str]:
    for detail in details:
        where = detail["loc"]
        names = tuple(str(part) for part in where)
        sources = (overridden[names[:end]] for end in range(len(names), 0, -1) if names[:end] in overridden)
        source = next(sources, str(path) if path is not None else "settings")
        yield f"{source}: {_dotted(where)}: {_problem(settings, detail)}"


def _dotted(where: tuple[int | str, ...]) -> str:
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "(the whole)"


def _problem(settings: type[Settings], detail: ErrorDetails) -> str:
    where, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return _unknown(settings, where)
    field = _field(settings, where)
    if kind == "missing":
        return f"is required{_allowed(field)}"
    message = detail["msg"].removeprefix("Value error, ")
    given = (
        "" if field is None or _is_secret(field) or field.annotation is None else f"; given: {_short(detail['input'])}"
    )
    return f"{message[0].lower()}{message[1:]}{_allowed(field)}{given}"


def _allowed(field: FieldInfo | None) -> str:
    if field is None:
        return ""
    bounds = bounds_words(field)
    return f"; allowed: {type_words(field.annotation)}{f', {bounds}' if bounds else ''}"


def _unknown(settings: type[Settings], where: tuple[int | str, ...]) -> str:
    names = sorted({name for table in _tables(settings, where[:-1]) for name in table.model_fields})
    similar = difflib.get_close_matches(str(where[-1]), names, n=1)
    hint = f"; did you mean {similar[0]}?" if similar else f"; known here: {', '.join(names)}"
    return f"unknown setting{hint}"


def _field(settings: type[Settings], where: tuple[int | str, ...]) -> FieldInfo | None:
    """The field that an error is about: the last name on the way that is a field."""
    for end in range(len(where), 0, -1):
        for table in _tables(settings, where[: end - 1]):
            field = table.model_fields.get(str(where[end - 1]))
            if field is not None:
                return field
    return None


def _tables(settings: type[BaseModel], where: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Settings classes that may stand at a place; positions in lists and names of union members lead nowhere else."""
    tables = [settings]
    for part in where:
        fields = [table.model_fields[str(part)] for table in tables if str(part) in table.model_fields]
        tables = [inner for field in fields for inner in tables_in(field.annotation)] or tables
    return tables


def _is_secret(field: FieldInfo) -> bool:
    return "secret" in type_words(field.annotation)


def _short(value: object, length_max: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= length_max else f"{text[:length_max]}..."
