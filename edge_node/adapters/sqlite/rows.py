"""Acceptances as rows, and rows into tables; the hot path of the writer (tests/benchmarks/bench_custody.py)."""

import struct
from collections.abc import Iterable

from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.owners import Owners
from edge_node.custody.port import Acceptance, Entry, EntryFlag, StoreUnavailable, Watermark

ARCHIVED = int(EntryFlag.ARCHIVED)
OFFLINE = int(EntryFlag.OFFLINE)
OUTGOING = 256
REOPENED = 512
"""Bits of the column `flags` beside those of `EntryFlag`.  A reopened row waits whatever its account's position."""

KEPT_ARCHIVED = 1
KEPT_PASSING = 2
"""Bits of `message.kept`: it has entries that are archived; it has others, or none at all."""

RECENT_COLUMNS = ("row", "owner", "id", "peer", "flags", "deliveries")

Marks = dict[str, tuple[int, int]]
"""Origin to (epoch, sequence) of the highest envelope of it that is stored."""

_SIGN = 1 << 63
_WRAP = 1 << 64

_ROWS_OF_STATEMENTS = (128, 64, 32, 16, 8, 4, 2, 1)

_DELIVERY = struct.Struct("<QI")
_OWNERS = {count: struct.Struct(f"<{count}I") for count in range(17)}


class Insert:
    """Many rows in few statements.

    Each statement that the binding runs lets go of the interpreter and takes it back, which under a busy loop costs
    more than the row; so a statement carries many rows.
    """

    __slots__ = ("_columns", "_statements")

    def __init__(self, table: str, *columns: str) -> None:
        self._columns = len(columns)
        head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608 - names from this package
        row = f"({', '.join('?' * len(columns))})"
        self._statements = tuple((size, head + ", ".join([row] * size)) for size in _ROWS_OF_STATEMENTS)

    def run(self, connection: Connection, values: list[object]) -> None:
        """Insert rows, given as one flat list of their values."""
        start, left = 0, len(values) // self._columns
        for size, statement in self._statements:
            width = size * self._columns
            while left >= size:
                connection.execute(statement, values[start : start + width])
                start += width
                left -= size


class Rows:
    """Rows of a batch, as flat lists."""

    __slots__ = (
        "envelope_bytes",
        "envelopes",
        "last_id",
        "last_sequence",
        "messages",
        "recent",
        "refused",
        "watermarks",
    )

    def __init__(self) -> None:
        self.messages: list[object] = []
        self.recent: list[object] = []
        self.envelopes: list[object] = []
        self.envelope_bytes = 0
        self.watermarks: Marks = {}
        self.refused: dict[Acceptance, StoreUnavailable] = {}
        """Those that leave no rows, for they come after something that is not stored."""
        self.last_id = 0
        self.last_sequence = 0

    @property
    def recent_count(self) -> int:
        """How many rows of archives."""
        return len(self.recent) // len(RECENT_COLUMNS)

    def advance(self, acceptance: Acceptance, watermark: Watermark, marks: Marks) -> bool:
        """Move the mark of an origin; False, and the acceptance is refused, when it is not where it is to be."""
        origin, epoch, sequence, after = watermark
        if (self.watermarks.get(origin) or marks.get(origin, (0, 0))) != after:
            self.refused[acceptance] = StoreUnavailable(f"{origin}: an envelope before {sequence} is not stored")
            return False
        self.watermarks[origin] = (epoch, sequence)
        return True


def encode(
    acceptances: Iterable[Acceptance], owners: Owners, connection: Connection, marks: Marks, first_row: int
) -> Rows:
    """The rows that acceptances leave, those of archives numbered from `first_row` on.

    Accounts that are new get their numbers here, and all are told where their rows will be.
    Blobs are bytearrays: for each `bytes` the binding looks for an adapter, which costs more than to bind it.
    `marks` are the watermarks committed so far.
    """
    rows = Rows()
    recent, messages, known = rows.recent, rows.messages, owners.known
    row = first_row
    for acceptance in acceptances:
        watermark = acceptance.watermark
        if watermark is not None and not rows.advance(acceptance, watermark, marks):
            continue
        message_id, entries, kept = acceptance.id, acceptance.entries, 0
        if len(entries) > 1:
            entries = combined(entries)
        numbers = []
        for entry in entries:
            # An IntFlag computes and binds slowly: a plain number from here on.
            account, flags, deliveries = entry.account, int(entry.flags), entry.deliveries
            owner = known.get(account) or owners.find(connection, account)
            numbers.append(owner.number)
            kept |= KEPT_ARCHIVED if flags & ARCHIVED else KEPT_PASSING
            if entry.outgoing:
                flags |= OUTGOING
            recent += (row, owner.number, message_id, entry.peer, flags, bytearray(pack_deliveries(deliveries)))
            owners.add(owner, row)
            row += 1
        if numbers or acceptance.session:
            messages += (
                message_id,
                signed(acceptance.session),
                acceptance.number,
                kept or KEPT_PASSING,
                bytearray(pack_owners(numbers)),
                bytearray(acceptance.stanza if numbers else b""),
            )
            rows.last_id = message_id
        if acceptance.envelope is not None:
            sequence, envelope = acceptance.envelope
            rows.envelopes += (sequence, bytearray(envelope))
            rows.envelope_bytes += len(envelope)
            rows.last_sequence = max(rows.last_sequence, sequence)
    return rows


def combined(entries: list[Entry]) -> list[Entry]:
    """One entry per account: somebody who writes to himself has the message once."""
    if len(entries) == len({entry.account for entry in entries}):
        return entries
    by_account: dict[str, Entry] = {}
    for entry in entries:
        first = by_account.get(entry.account)
        by_account[entry.account] = (
            entry
            if first is None
            else Entry(
                entry.account,
                first.peer,
                outgoing=first.outgoing or entry.outgoing,
                flags=first.flags | entry.flags,
                deliveries=first.deliveries + entry.deliveries,
            )
        )
    return list(by_account.values())


def signed(key: int) -> int:
    """A session key, which is unsigned, as the database's signed 64-bit number."""
    return key if key < _SIGN else key - _WRAP


def unsigned(key: int) -> int:
    """The inverse of `signed`."""
    return key % _WRAP


def pack_deliveries(deliveries: tuple[tuple[int, int], ...]) -> bytes:
    """(session key, number) pairs as one blob."""
    if len(deliveries) == 1:
        return _DELIVERY.pack(*deliveries[0])
    return b"".join([_DELIVERY.pack(key, number) for key, number in deliveries])


def unpack_deliveries(blob: bytes) -> Iterable[tuple[int, int]]:
    """The inverse of `pack_deliveries`."""
    return _DELIVERY.iter_unpack(blob)


def pack_owners(numbers: list[int]) -> bytes:
    """Owners' numbers as one blob."""
    packer = _OWNERS.get(len(numbers)) or struct.Struct(f"<{len(numbers)}I")
    return packer.pack(*numbers)


def unpack_owners(blob: bytes) -> tuple[int, ...]:
    """The inverse of `pack_owners`."""
    return struct.unpack(f"<{len(blob) // 4}I", blob)
