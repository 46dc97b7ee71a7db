"""Settings of the embedded store."""

from typing import Annotated

from pydantic import Field

from chassis.settings import Settings


class StoreSettings(Settings):
    """Bounds of the embedded store.  The defaults were measured: docs/adr/0007."""

    batch_acceptances_max: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Messages in one commit."""

    gather_seconds: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Least time from the start of one commit to the next: an idle store commits at once, a busy one gathers."""

    backlog_acceptances_max: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """Messages waiting for a commit; above it they are refused."""

    backlog_operations_max: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Other changes (roster items, preferences, accounts) waiting for a commit; above it they are refused."""

    backlog_reads_max: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Reads waiting for a reader; above it they are refused."""

    retained_writes_max: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    """Records of sessions and positions kept for another try while the store cannot commit."""

    retry_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    """After a failed commit, how long until what must not be lost is tried again, if nothing else is."""

    readers: Annotated[int, Field(ge=1, le=16)] = 2
    """Threads that read."""

    cache_bytes: Annotated[int, Field(ge=65_536, le=1 << 34)] = 16 << 20
    """Page cache of each connection."""

    recent_rows_max: Annotated[int, Field(ge=2, le=1_000_000)] = 65_536
    """Rows of archives written in order of arrival before they are sorted into their accounts."""

    checkpoint_pages: Annotated[int, Field(ge=100, le=1_000_000)] = 4_000
    """Pages of 4 KiB in the write-ahead log at which it is copied into the database."""

    idle_seconds: Annotated[float, Field(gt=0, le=60)] = 0.5
    """After so long without a commit, the writer sorts recent rows and empties the write-ahead log."""

    size_bytes_max: Annotated[int, Field(ge=1 << 20, le=1 << 46)] = 1 << 40
    """Size of the database at which the store is full, so that it need not be the disk that is."""

    count_rows_max: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    """How far the rows that an archive query selects are counted; a larger result gets no count."""

    delivered_rows_max: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """How many of an account's rows are looked at for what a resumed session has not had."""

    removals_remembered_max: Annotated[int, Field(ge=0, le=100_000)] = 100
    """Removed contacts remembered per roster, for clients that ask for what changed."""

    owners_cached_max: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    """Accounts whose number in the database the writer knows by heart."""
