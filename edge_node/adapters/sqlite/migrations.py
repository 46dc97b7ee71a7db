"""The schema and its history: numbered steps, forward only, each in one transaction with its number.

Rule: a step that has been released is never edited; a change of the schema is a new step at the end.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from chassis.errors import OperatorError
from edge_node.adapters.sqlite.connection import Connection, writing

Migration = Callable[[Connection, int], None]
"""Given the connection, inside a transaction, and the wall clock in microseconds."""


class StoreTooNew(OperatorError):
    """The store was written by a later version of Chappe."""


def migrate(connection: Connection, path: Path, now_us: int, migrations: Sequence[Migration] | None = None) -> None:
    """Bring the store to the newest version; a new file becomes a store.

    Args:
        connection: open for writing.
        path: named in the error.
        now_us: wall clock; the epoch of a store made now.
        migrations: the steps; the first makes version 1.

    Raises:
        StoreTooNew: the store's version is above the newest known.
    """
    steps = MIGRATIONS if migrations is None else migrations
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(steps):
        raise StoreTooNew(
            f"{path}: the store has version {version}, this program knows versions up to {len(steps)}: "
            "run the version of Chappe that wrote it, or a later one"
        )
    for number, step in enumerate(steps[version:], version + 1):
        with writing(connection):
            step(connection, now_us)
            connection.execute(f"PRAGMA user_version = {number}")


_VERSION_1 = """
    -- One row: what the store knows of itself.
    CREATE TABLE store (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch INTEGER NOT NULL,             -- microseconds of wall clock when the store was made
        last_id INTEGER NOT NULL DEFAULT 0, -- highest message id when one was last removed
        fulfilled INTEGER NOT NULL DEFAULT 0, -- messages up to this id have been handed on
        outbox_last INTEGER NOT NULL DEFAULT 0,
        accounts_version INTEGER NOT NULL DEFAULT 0
    );

    -- What was taken in custody, in order of arrival; the body stands here once, whoever has a row for it.
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,           -- the sender's session (as a signed number), 0 = none
        number INTEGER NOT NULL,
        kept INTEGER NOT NULL,              -- 1: has archived entries, 2: has others, or none
        owners BLOB NOT NULL,               -- owners of its entries, 32 bit each, little endian
        stanza BLOB NOT NULL
    );
    CREATE INDEX message_passing ON message (id) WHERE kept & 2;

    -- Accounts that have entries, as small numbers.
    CREATE TABLE owner (
        id INTEGER PRIMARY KEY,
        jid TEXT NOT NULL UNIQUE
    );

    -- Rows of the accounts' archives.  `recent` takes them in order of arrival, which costs a page or two in a
    -- commit; they are moved to `entry` many at a time, so that a page there takes several when it is written.
    CREATE TABLE recent (
        row INTEGER PRIMARY KEY,
        owner INTEGER NOT NULL,
        id INTEGER NOT NULL,
        peer TEXT NOT NULL,
        flags INTEGER NOT NULL,             -- 1: archived, 2: offline, 256: outgoing, 512: reopened
        deliveries BLOB NOT NULL            -- session (64 bit) and number (32 bit), little endian
    );
    CREATE TABLE entry (
        owner INTEGER NOT NULL,
        id INTEGER NOT NULL,
        peer TEXT NOT NULL,
        flags INTEGER NOT NULL,
        deliveries BLOB NOT NULL,
        PRIMARY KEY (owner, id)
    ) WITHOUT ROWID;
    CREATE INDEX entry_offline ON entry (owner, id) WHERE flags & 2;
    CREATE INDEX entry_reopened ON entry (owner, id) WHERE flags & 512;

    CREATE TABLE position (
        account TEXT PRIMARY KEY,
        id INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE preferences (
        account TEXT PRIMARY KEY,
        content BLOB NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE session (
        key INTEGER PRIMARY KEY,
        since INTEGER NOT NULL,             -- no message up to this id was delivered to it
        secret BLOB NOT NULL,
        account TEXT NOT NULL,
        resource TEXT NOT NULL,
        managed INTEGER NOT NULL,
        checkpoint BLOB NOT NULL,
        updated_us INTEGER NOT NULL
    );

    CREATE TABLE roster (
        account TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        forgotten INTEGER NOT NULL DEFAULT 0 -- removals up to this version are not remembered
    ) WITHOUT ROWID;
    CREATE TABLE contact (
        account TEXT NOT NULL,
        jid TEXT NOT NULL,
        version INTEGER NOT NULL,
        content BLOB,                       -- NULL: removed
        PRIMARY KEY (account, jid)
    ) WITHOUT ROWID;

    CREATE TABLE account (
        local TEXT PRIMARY KEY,
        content BLOB NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE outbox (
        sequence INTEGER PRIMARY KEY,
        envelope BLOB NOT NULL
    );
    CREATE TABLE watermark (
        origin TEXT PRIMARY KEY,
        epoch INTEGER NOT NULL,
        sequence INTEGER NOT NULL
    ) WITHOUT ROWID;
"""


def _version_1(connection: Connection, now_us: int) -> None:
    for statement in statements(_VERSION_1):
        connection.execute(statement)
    connection.execute("INSERT INTO store (one, epoch) VALUES (1, ?)", (now_us,))


def statements(script: str) -> list[str]:
    """The statements of a script; run one by one they commit nothing, unlike with the binding's own verb."""
    bare = "\n".join(line.partition("--")[0] for line in script.splitlines())
    return [each.strip() for each in bare.split(";") if each.strip()]


def _version_2(connection: Connection, now_us: int) -> None:  # noqa: ARG001 - a migration's arguments
    connection.execute("CREATE TABLE departure (account TEXT PRIMARY KEY, at_us INTEGER NOT NULL) WITHOUT ROWID")


MIGRATIONS: Sequence[Migration] = (_version_1, _version_2)
