"""The schema, as numbered steps.  Rule: a step that has been released is never edited; add another."""

from typing import Final

DIRECTORY: Final = """
CREATE TABLE sites (
    name TEXT PRIMARY KEY,
    client_host TEXT NOT NULL,
    client_port INTEGER NOT NULL,
    base_version INTEGER NOT NULL,
    version INTEGER NOT NULL          -- newest of the site's accounts
) STRICT;
CREATE TABLE accounts (
    local TEXT PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (name),
    version INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    display_name TEXT NOT NULL,
    verifiers BLOB NOT NULL           -- msgpack, see adapters.sqlite.directory
) STRICT;
CREATE UNIQUE INDEX accounts_by_version ON accounts (site, version);
"""

SPOOL: Final = """
CREATE TABLE spool (
    site TEXT NOT NULL,               -- destination
    position INTEGER NOT NULL,        -- order of custody, per site
    spooled_us INTEGER NOT NULL,
    envelope BLOB NOT NULL,           -- see cascade.codec
    PRIMARY KEY (site, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE spool_extents (          -- outlives what the spool held: positions are never given out again
    site TEXT PRIMARY KEY,
    trimmed_to INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

GAPS: Final = """
CREATE TABLE gaps (                   -- versions that no life of the directory has given out
    site TEXT NOT NULL REFERENCES sites (name),
    after INTEGER NOT NULL,
    before INTEGER NOT NULL,
    PRIMARY KEY (site, after)
) STRICT, WITHOUT ROWID;
"""

SPOOL_MARKS: Final = """
CREATE TABLE spool_marks (            -- what was appended last, by origin: it may come again after a crash
    site TEXT NOT NULL,               -- destination
    origin TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (site, origin)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: Final = (DIRECTORY, SPOOL, GAPS, SPOOL_MARKS)
