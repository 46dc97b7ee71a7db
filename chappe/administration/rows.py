"""People from files: CSV and LDIF to rows.  Pure but for reading the file it is given."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from chappe.administration.ldif import MalformedLDIF, records

CSV_COLUMNS = ("local", "site", "password", "display_name")
HASH_MARK = "{"
"""RFC 2307 section 5.3: `{SCHEME}hash`.  A hash can't become a SCRAM verifier."""


@dataclass(frozen=True, slots=True)
class Row:
    """One account of a file."""

    number: int
    """The line where it starts."""
    local: str
    site: str
    password: str = field(repr=False)
    display_name: str | None


@dataclass(slots=True)
class Sheet:
    """What a file holds, and what is wrong with it."""

    rows: list[Row] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    """(line, local part or empty, reason)."""
    warnings: list[str] = field(default_factory=list)


class UnreadableFile(ValueError):
    """The file as a whole is not what it should be."""


def read_csv(file: TextIO, default_site: str) -> Sheet:
    """Read CSV with a header; columns as CSV_COLUMNS, of which only `local` is needed.

    Raises:
        UnreadableFile: no header, or one without `local`.
    """
    reader = csv.DictReader(file, strict=True)
    try:
        columns = reader.fieldnames or ()
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnreadableFile(f"not CSV: {error}") from error
    if "local" not in columns:
        raise UnreadableFile(f"the first line must name the columns: {','.join(CSV_COLUMNS)}; `local` is missing")
    sheet = Sheet()
    extra = [column for column in columns if column not in CSV_COLUMNS]
    if extra:
        sheet.warnings.append(f"ignored columns: {', '.join(extra)}")
    for number, values in numbered(reader, sheet):
        local = (values.get("local") or "").strip()
        if None in values:
            sheet.errors.append((number, local, "more fields than the header has columns"))
        elif not local:
            sheet.errors.append((number, "", "no local part"))
        else:
            site = (values.get("site") or "").strip() or default_site
            sheet.rows.append(Row(number, local, site, values.get("password") or "", values.get("display_name")))
    return sheet


def numbered(reader: "csv.DictReader[str]", sheet: Sheet) -> Iterator[tuple[int, dict[str | None, str | None]]]:
    """Yield (line, values), ending with an error in `sheet` where the file stops being CSV."""
    while True:
        number = reader.line_num + 1
        try:
            values = next(reader, None)
        except (csv.Error, UnicodeDecodeError) as error:
            sheet.errors.append((number, "", f"not CSV: {error}"))
            return
        if values is None:
            return
        yield number, dict(values)


def read_ldif(file: TextIO, default_site: str) -> Sheet:
    """Read the people of an LDIF export (RFC 2849): entries with `uid`, or else with `mail`.

    `displayName` or `cn` becomes the display name, a clear-text `userPassword` the password.

    Raises:
        UnreadableFile: not LDIF.
    """
    sheet = Sheet()
    skipped = 0
    try:
        for number, entry in records(file):
            local = first(entry, "uid") or first(entry, "mail").partition("@")[0]
            if not local:
                skipped += 1
                continue
            password = first(entry, "userpassword")
            if password.startswith(HASH_MARK):
                password = ""
            name = first(entry, "displayname") or first(entry, "cn") or None
            sheet.rows.append(Row(number, local, default_site, password, name))
    except (MalformedLDIF, UnicodeDecodeError) as error:
        raise UnreadableFile(str(error)) from error
    if skipped:
        sheet.warnings.append(f"skipped entries without uid and mail: {skipped}")
    return sheet


def first(entry: dict[str, list[str]], attribute: str) -> str:
    """Return the attribute's first value; empty when it has none."""
    return entry.get(attribute, [""])[0]
