"""What was committed."""

from dataclasses import dataclass, field

from edge_node.accounts.store import Account
from edge_node.custody.port import Acceptance, EntryFlag
from edge_node.features.archive.store import Preferences
from edge_node.features.roster.store import RosterItem
from edge_node.sessions.store import SessionRecord


@dataclass(slots=True)
class StoredEntry:
    """One account's row for a message."""

    peer: str
    outgoing: bool
    flags: EntryFlag
    deliveries: tuple[tuple[int, int], ...]
    reopened: bool = False
    """Waits whatever its account's position."""


@dataclass(slots=True)
class Message:
    """What was taken in custody."""

    stanza: bytes
    session: int
    number: int


@dataclass(slots=True)
class StoredRoster:
    """A roster with its removals."""

    version: int = 0
    items: dict[str, tuple[int, RosterItem | None]] = field(default_factory=dict)
    """Contact to the version of its last change, and the item; None: removed."""


class Tables:
    """Every table of the store."""

    def __init__(self) -> None:
        self.last_id = 0
        self.fulfilled = 0
        self.messages: dict[int, Message] = {}
        self.entries: dict[str, dict[int, StoredEntry]] = {}
        """Account to id to row."""
        self.positions: dict[str, int] = {}
        self.preferences: dict[str, Preferences] = {}
        self.sessions: dict[int, SessionRecord] = {}
        self.departures: dict[str, int] = {}
        self.rosters: dict[str, StoredRoster] = {}
        self.accounts: dict[str, Account] = {}
        self.accounts_version = 0
        self.outbox: dict[int, bytes] = {}
        self.outbox_last = 0
        self.watermarks: dict[str, tuple[int, int]] = {}

    def accept(self, acceptance: Acceptance) -> None:
        """Keep everything of an acceptance, or raise ValueError and keep nothing."""
        watermark = acceptance.watermark
        if watermark is not None and self.watermarks.get(watermark.origin, (0, 0)) != watermark.after:
            raise ValueError(f"{watermark.origin}: an envelope before {watermark.sequence} is not stored")
        if acceptance.entries or acceptance.session:
            if acceptance.id in self.messages:
                raise ValueError(f"id {acceptance.id} is used already")
            stanza = acceptance.stanza if acceptance.entries else b""
            self.messages[acceptance.id] = Message(stanza, acceptance.session, acceptance.number)
            self.last_id = max(self.last_id, acceptance.id)
        for entry in acceptance.entries:
            rows = self.entries.setdefault(entry.account, {})
            row = rows.setdefault(acceptance.id, StoredEntry(entry.peer, False, EntryFlag(0), ()))
            row.outgoing |= entry.outgoing
            row.flags |= EntryFlag(entry.flags)
            row.deliveries += entry.deliveries
        if acceptance.envelope is not None:
            sequence, envelope = acceptance.envelope
            self.outbox[sequence] = envelope
            self.outbox_last = max(self.outbox_last, sequence)
        if watermark is not None:
            self.watermarks[watermark.origin] = (watermark.epoch, watermark.sequence)

    def archived(self, account: str) -> dict[int, StoredEntry]:
        """The rows of an account's archive, in the order of their ids."""
        rows = self.entries.get(account, {})
        return {row_id: rows[row_id] for row_id in sorted(rows) if EntryFlag.ARCHIVED in rows[row_id].flags}

    def is_waiting(self, account: str, row_id: int) -> bool:
        """Whether the row waits for the account to have a resource."""
        row = self.entries[account][row_id]
        return EntryFlag.OFFLINE in row.flags and (row.reopened or row_id > self.positions.get(account, 0))

    def owners(self, row_id: int) -> list[str]:
        """Who has a row for a message."""
        return [account for account, rows in self.entries.items() if row_id in rows]

    def remove_row(self, account: str, row_id: int) -> None:
        """Remove a row, and the message with its last row."""
        del self.entries[account][row_id]
        if not self.owners(row_id):
            del self.messages[row_id]
