"""People from files: CSV and LDIF to rows.  Pure.

Rule: a file that is not what it should be is not read at all; a row that is not hinders no other.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO

from chappe.administration.ldif import Entry, MalformedLDIF, records

CSV_COLUMNS = ("local", "site", "password", "display_name")
DELIMITERS = (",", ";", "\t")
"""In this order: where the comma stands in numbers, spreadsheets write semicolons."""
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
HASHED = re.compile(r"\{[A-Za-z0-9./_-]+\}")
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


def text_of(data: bytes, encoding: str | None) -> str:
    """Decode a file: as `encoding` says, else by its byte order mark, else as UTF-8.

    Raises:
        UnreadableFile: it is in another encoding; names the line.
        LookupError: there is no such encoding.
    """
    marked = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding or marked)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"line {line}: not {error.encoding} (byte 0x{data[error.start]:02x}): save it as UTF-8, or say --encoding"
        ) from error


def read_csv(text: str, default_site: str) -> Sheet:
    """Read CSV with a header; columns as CSV_COLUMNS, of which only `local` is needed.

    The header says what separates the fields: commas, semicolons or tabs.  An empty field is one that is not given.

    Raises:
        UnreadableFile: not CSV, no header, or one without `local`; names the line.
    """
    header = text.partition("\n")[0]
    delimiter = next((mark for mark in DELIMITERS if mark in header), DELIMITERS[0])
    lines = numbered(text, delimiter)
    columns = [name.strip().casefold() for name in next(lines, (1, []))[1]]
    if "local" not in columns:
        raise UnreadableFile(f"the first line must name the columns: {','.join(CSV_COLUMNS)}; `local` is missing")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise UnreadableFile(f"the first line names columns twice: {', '.join(twice)}")
    sheet = Sheet()
    extra = [column for column in columns if column not in CSV_COLUMNS]
    if extra:
        sheet.warnings.append(f"ignored columns: {', '.join(extra)}")
    for number, fields in lines:
        values = dict(zip(columns, fields, strict=False))
        local = values["local"].strip() if "local" in values else ""
        if len(fields) > len(columns):
            sheet.errors.append((number, local, "more fields than the header has columns"))
        elif not local:
            sheet.errors.append((number, "", "no local part"))
        else:
            site = values.get("site", "").strip() or default_site
            name = values.get("display_name", "").strip() or None
            sheet.rows.append(Row(number, local, site, values.get("password", ""), name))
    return sheet


def numbered(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield (line, fields) of what is not empty; raise UnreadableFile where the text stops being CSV."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise UnreadableFile(f"line {number}: not CSV: {error}") from error
        if fields is None:
            return
        if any(fields):
            yield number, fields


def read_ldif(text: str, default_site: str) -> Sheet:
    """Read the people of an LDIF export (RFC 2849): entries with `uid`, or else with `mail`.

    `displayName` or `cn` becomes the display name, a clear-text `userPassword` the password.

    Raises:
        UnreadableFile: not LDIF; names the line.
    """
    sheet = Sheet()
    skipped = hashed = 0
    try:
        for number, entry in records(StringIO(text, newline="")):
            local = first(entry, "uid").strip() or first(entry, "mail").partition("@")[0].strip()
            name = first(entry, "displayname").strip() or first(entry, "cn").strip() or None
            passwords = [value for value in entry.get("userpassword", ()) if not HASHED.match(value)]
            if not local:
                skipped += 1
                continue
            hashed += "userpassword" in entry and not passwords
            row = Row(number, local, default_site, passwords[0] if passwords else "", name)
            if is_text(f"{local}{row.password}{name}"):
                sheet.rows.append(row)
            else:
                sheet.errors.append((number, "", "a base64 value of its name or password is not UTF-8"))
    except MalformedLDIF as error:
        raise UnreadableFile(str(error)) from error
    if skipped:
        sheet.warnings.append(f"skipped entries without uid and mail: {skipped}")
    if hashed:
        sheet.warnings.append(f"passwords that are hashed, and so of no use: {hashed}")
    return sheet


def first(entry: Entry, attribute: str) -> str:
    """Return the attribute's first value; empty when it has none."""
    return entry.get(attribute, [""])[0]


def is_text(value: str) -> bool:
    """Whether a value of LDIF is UTF-8 (`chappe.administration.ldif.parsed` escapes what is not)."""
    return not any("\udc80" <= character <= "\udcff" for character in value)
