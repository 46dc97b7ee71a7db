"""Many rows to the hub, and what became of them."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice

import click

from cascade.v1 import administration_pb2 as messages
from cascade.v1.administration_pb2_grpc import AdministrationStub
from chappe.administration.confirmation import await_held
from chappe.administration.connection import SomeRowsRefused
from chappe.administration.rows import Row

ROWS_PER_MESSAGE = 500
ERRORS_SHOWN_MAX = 50


def requests(rows: Sequence[Row], options: messages.PutOptions) -> Iterator[messages.PutAccountsRequest]:
    """Yield the messages of one call: the options, then the rows in batches."""
    yield messages.PutAccountsRequest(options=options)
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_PER_MESSAGE)):
        yield messages.PutAccountsRequest(rows=[row_message(row) for row in batch])


def row_message(row: Row) -> messages.AccountRow:
    """Write one row."""
    return messages.AccountRow(
        row=row.number, local=row.local, site=row.site, password=row.password, display_name=row.display_name
    )


def wait_for(hub: AdministrationStub, answer: messages.PutAccountsResponse, seconds: float | None) -> None:
    """Wait for the home sites' confirmations, if that is wished."""
    if seconds is not None:
        await_held(hub, answer.versions, seconds)


def report(
    answer: messages.PutAccountsResponse,
    unread: Sequence[tuple[int, str, str]],
    *,
    source: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Say what became of the rows; raise SomeRowsRefused if not all were taken.

    Args:
        answer: of the hub.
        unread: (line, local part, reason) of rows that were not even sent.
        source: the file's name.
        dry_run: nothing was changed.
        as_json: write one JSON object instead of lines.
    """
    errors = sorted([*unread, *((error.row, error.local, error.reason) for error in answer.errors)])
    refused = answer.refused + len(unread)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "created": answer.created,
                    "updated": answer.updated,
                    "refused": refused,
                    "dry_run": dry_run,
                    "errors": [{"row": row, "local": local, "reason": reason} for row, local, reason in errors],
                },
                ensure_ascii=False,
            )
        )
    else:
        for row, local, reason in errors[:ERRORS_SHOWN_MAX]:
            click.echo(f"{source}:{row}: {local or '(no name)'}: {reason}", err=True)
        prefix = "would be " if dry_run else ""
        click.echo(f"{prefix}created {answer.created}, {prefix}updated {answer.updated}, refused {refused}")
    if refused:
        raise SomeRowsRefused(f"{refused} of {refused + answer.created + answer.updated} rows were refused")
