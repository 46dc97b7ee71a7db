"""The directory's store in SQLite."""

import sqlite3
from collections.abc import Sequence

import msgspec

from central_hub.adapters.sqlite.database import Database
from central_hub.directory.accounts import Account, AccountRecord
from central_hub.directory.changes import AccountEdit, Edited, Refused, applied, check
from central_hub.directory.sites import Site
from central_hub.directory.store import GAPS_MAX, Contents, Gap
from xmpp.sasl import ScramVerifier

INSERT_SITE = """
    INSERT INTO sites (name, client_host, client_port, base_version, version) VALUES (?1, ?2, ?3, ?4, ?4)
    ON CONFLICT (name) DO UPDATE SET client_host = ?2, client_port = ?3
    RETURNING base_version
"""
SELECT_SITES = "SELECT name, client_host, client_port, base_version, version FROM sites ORDER BY name"
ADD_GAPS = "INSERT INTO gaps (site, after, before) SELECT name, version, max(version + 1, ?) FROM sites"
ADVANCE = "UPDATE sites SET version = max(version + 1, ?)"
OLD_GAPS = """
    SELECT site, after, before FROM (
        SELECT site, after, before, row_number() OVER (PARTITION BY site ORDER BY after DESC) AS age FROM gaps
    ) WHERE age > ? ORDER BY after
"""
FORGET_GAP = "DELETE FROM gaps WHERE site = ? AND after = ?"
RAISE_BASE = "UPDATE sites SET base_version = ? WHERE name = ?"
SELECT_GAPS = "SELECT site, after, before FROM gaps ORDER BY after"
SELECT_INDEX = "SELECT local, site, version, disabled, display_name FROM accounts"
SELECT_ACCOUNT = "SELECT local, site, version, disabled, display_name, verifiers FROM accounts WHERE local = ?"
SELECT_AFTER = """
    SELECT local, site, version, disabled, display_name, verifiers FROM accounts
    WHERE site = ? AND version > ? ORDER BY version LIMIT ?
"""
NEXT_VERSION = "UPDATE sites SET version = version + 1 WHERE name = ? RETURNING version"
REPLACE_ACCOUNT = """
    INSERT INTO accounts (local, site, version, disabled, display_name, verifiers) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (local) DO UPDATE SET version = excluded.version, disabled = excluded.disabled,
        display_name = excluded.display_name, verifiers = excluded.verifiers
"""

AccountRow = tuple[str, str, int, int, str]


class SQLiteDirectory:
    """Implements DirectoryStore."""

    def __init__(self, database: Database) -> None:
        """Use `database`, whose migrations hold this table."""
        self._database = database

    async def begin(self, now_us: int) -> None:
        await self._database.write(lambda connection: begin(connection, now_us))

    async def load(self) -> Contents:
        return await self._database.read(load)

    async def put_site(self, site: Site) -> Site:
        return await self._database.write(lambda connection: put_site(connection, site))

    async def edit_accounts(self, edits: Sequence[AccountEdit]) -> list[Edited | Refused]:
        return await self._database.write(lambda connection: [edit_account(connection, edit) for edit in edits])

    async def accounts_after(self, site: str, version: int, limit: int) -> Sequence[AccountRecord]:
        return await self._database.read(
            lambda connection: [record(*row) for row in connection.execute(SELECT_AFTER, (site, version, limit))]
        )


def begin(connection: sqlite3.Connection, now_us: int) -> None:
    """Have every site's versions go on at `now_us`, and note the gaps."""
    connection.execute(ADD_GAPS, (now_us,))
    connection.execute(ADVANCE, (now_us,))
    for site, after, before in connection.execute(OLD_GAPS, (GAPS_MAX,)).fetchall():
        connection.execute(FORGET_GAP, (site, after))
        connection.execute(RAISE_BASE, (before, site))


def load(connection: sqlite3.Connection) -> Contents:
    """Read the index."""
    rows = connection.execute(SELECT_SITES).fetchall()
    gaps: dict[str, list[Gap]] = {}
    for site, after, before in connection.execute(SELECT_GAPS):
        gaps.setdefault(site, []).append(Gap(after, before))
    return Contents(
        tuple(Site(*row[:4]) for row in rows),
        {row[0]: row[4] for row in rows},
        gaps,
        [account(row) for row in connection.execute(SELECT_INDEX)],
    )


def put_site(connection: sqlite3.Connection, site: Site) -> Site:
    """Insert or update; return what is stored now."""
    row = (site.name, site.client_host, site.client_port, site.base_version)
    (base_version,) = connection.execute(INSERT_SITE, row).fetchone()
    return Site(site.name, site.client_host, site.client_port, base_version)


def edit_account(connection: sqlite3.Connection, edit: AccountEdit) -> Edited | Refused:
    """Check and apply one edit inside the transaction that is open."""
    row = connection.execute(SELECT_ACCOUNT, (edit.local,)).fetchone()
    current = None if row is None else record(*row)
    refused = check(edit, None if current is None else current.account)
    if refused is not None:
        return refused
    site = edit.site if current is None else current.account.site
    versions = connection.execute(NEXT_VERSION, (site,)).fetchall()
    if not versions:
        return Refused.UNKNOWN_SITE
    changed = applied(edit, current, versions[0][0])
    new = changed.account
    connection.execute(
        REPLACE_ACCOUNT,
        (new.local, new.site, new.version, new.disabled, new.display_name, packed(changed.verifiers)),
    )
    return Edited(new, current is None)


def account(row: AccountRow) -> Account:
    """Make an index entry of a row of the index."""
    local, site, version, disabled, display_name = row
    return Account(local, site, version, bool(disabled), display_name)


def record(*row: *tuple[str, str, int, int, str, bytes]) -> AccountRecord:
    """Make a record of a full row."""
    return AccountRecord(account(row[:5]), unpacked(row[5]))


def packed(verifiers: tuple[ScramVerifier, ...]) -> bytes:
    """Encode verifiers for their column: a msgpack array of arrays, in the order of the class's fields."""
    return msgspec.msgpack.encode([(v.hash_name, v.salt, v.iterations, v.stored_key, v.server_key) for v in verifiers])


VERIFIERS = msgspec.msgpack.Decoder(list[tuple[str, bytes, int, bytes, bytes]])


def unpacked(column: bytes) -> tuple[ScramVerifier, ...]:
    """Decode what `packed` made."""
    return tuple(ScramVerifier(*fields) for fields in VERIFIERS.decode(column))
