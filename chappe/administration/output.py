"""Tables for people, JSON for scripts."""

import json
from collections.abc import Mapping, Sequence

import click

Cell = str | int | bool


def show(records: Sequence[Mapping[str, Cell]], columns: Sequence[str], *, as_json: bool) -> None:
    """Write records: as one JSON array, or as a table with the `columns`."""
    if as_json:
        click.echo(json.dumps(records, ensure_ascii=False))
    else:
        click.echo(table(records, columns))


def show_one(record: Mapping[str, object], sentence: str, *, as_json: bool) -> None:
    """Write one result: as a JSON object, or as a sentence."""
    click.echo(json.dumps(record, ensure_ascii=False) if as_json else sentence)


def table(records: Sequence[Mapping[str, Cell]], columns: Sequence[str]) -> str:
    """Return records as aligned text: numbers to the right, everything else to the left."""
    rows = [[cell(record[column]) for column in columns] for record in records]
    heads = [column.replace("_", " ").upper() for column in columns]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(columns))]
    numeric = [bool(records) and all(type(record[column]) is int for record in records) for column in columns]
    lines = [
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in [heads, *rows]
    ]
    return "\n".join(lines)


def cell(value: Cell) -> str:
    """Return one value as people read it."""
    if value is True:
        return "yes"
    if value is False:
        return "no"
    return str(value)
