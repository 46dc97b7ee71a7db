"""Killed without warning: what was reported as done is there, whole, and nothing is there by halves."""

import asyncio
import signal
import sys
from pathlib import Path

from edge_node.adapters import sqlite
from edge_node.features.archive.store import PageRequest, Selection
from tests.contracts.edge.driver import ANNA, BRUNO, EPOCH, stanza

WRITER = """
import asyncio, os, sys
from pathlib import Path
from edge_node.adapters import sqlite
from edge_node.custody import Watermark
from tests.contracts.edge.driver import ANNA, BRUNO, EPOCH, message, row

async def main():
    settings = sqlite.StoreSettings(recent_rows_max=50, checkpoint_pages=100)
    store = await sqlite.open_store(Path(sys.argv[1]), settings, EPOCH)
    last = await store.deliveries.last_id()
    mark = (await store.inbox.watermarks()).get("lyon", (0, 0))
    def submit(number):
        nonlocal mark
        acceptance = message(number, row(ANNA, BRUNO, outgoing=True), row(BRUNO, ANNA), session=9, number=number)
        acceptance.envelope = (number, b"%d" % number)
        acceptance.watermark = Watermark("lyon", 1, number, mark)
        mark = (1, number)
        def done(error):
            os.write(1, b"%d\\n" % number)
            submit(number + 30)
        store.custody.accept(acceptance, done)
    for number in range(last + 1, last + 31):
        submit(number)
    await asyncio.Event().wait()

asyncio.run(main())
"""
ROOT = Path(__file__).parents[5]


async def run_and_kill(path: Path, reports: int) -> int:
    """Let a writer report `reports` more messages, kill it; the last that it reported."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(reports)]
    process.send_signal(signal.SIGKILL)
    rest = await process.stdout.read()
    await process.wait()
    reported = [int(line) for line in [*lines, *rest.splitlines()]]
    assert reported == list(range(reported[0], reported[-1] + 1))
    return reported[-1]


async def test_what_was_done_survives_a_kill_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite"
    for reports in (40, 333, 700):
        reported = await run_and_kill(path, reports)
        store = await sqlite.open_store(path, sqlite.StoreSettings(), EPOCH + 1)
        last = await store.deliveries.last_id()
        assert last >= reported
        for account, outgoing in ((ANNA, True), (BRUNO, False)):
            page = await store.archive.page(account, Selection(), PageRequest(1_000_000))
            found = [(each.id, each.stanza, each.outgoing) for each in page.rows]
            assert found == [(number, stanza(number), outgoing) for number in range(1, last + 1)]
        assert [number for number, _ in await store.outbox.read(0, 1_000_000)] == list(range(1, last + 1))
        assert store.outbox.last_sequence == last
        assert store.outbox.epoch == EPOCH
        assert await store.inbox.watermarks() == {"lyon": (1, last)}
        assert await store.deliveries.sessions_numbers(0) == {9: last}
        await store.close()
