"""A site whose disk is lost, and whose store is restored from a copy that is older than what the hub has met."""

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tests.support.cluster import SiteProcess, cluster
from tests.support.persons import Person
from tests.support.processes import ROOT


def backed_up(site: SiteProcess, copy: Path) -> int:
    """What `.backup` of SQLite's shell does, while the site runs; how many envelopes the copy's outbox holds."""
    with closing(sqlite3.connect(site.folder / "edge.sqlite")) as store, closing(sqlite3.connect(copy)) as backup:
        store.backup(backup)
        (held,) = backup.execute("SELECT count(*) FROM outbox").fetchone()
        return int(held)


def restored(site: SiteProcess, copy: Path) -> None:
    """The disk is new, and has the copy."""
    for path in site.folder.glob("edge.sqlite*"):
        path.unlink()
    (site.folder / "edge.sqlite").write_bytes(copy.read_bytes())


async def begin_epoch(site: SiteProcess) -> tuple[int | None, str]:
    """The operator's command: its exit code, and what it says."""
    arguments = ("-m", "chappe", "edge", "new-epoch", "--config", str(site.config))
    command = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await command.communicate()
    return command.returncode, output.decode()


async def test_a_site_goes_on_from_a_copy_in_a_new_epoch(tmp_path: Path) -> None:
    async with cluster("paris", "lyon") as company:
        await company.add_people({"paris": ["anna"], "lyon": ["chloe"]})
        paris, copy = company["paris"], tmp_path / "copy.sqlite"
        async with Person(company.account("chloe", company["lyon"], "home")) as chloe:
            async with Person(company.account("anna", paris, "desk")) as anna:
                anna.say("chloe@corp.example", "before the copy")
                await chloe.hears("before the copy")
                paris.wire.cut()
                anna.say("chloe@corp.example", "in the copy's outbox")
                await anna.taken()
                held = backed_up(paris, copy)
                paris.wire.heal()
                for number in range(20):
                    anna.say("chloe@corp.example", f"after the copy {number}")
                await chloe.hears("after the copy 19")
            code, text = await begin_epoch(paris)
            assert (code, "is running on this folder; end it first" in text) == (os.EX_CONFIG, True), text

            await paris.kill()
            restored(paris, copy)
            await paris.start()
            down = await paris.core.logged("link_down", reason="regressed")
            assert "chappe edge new-epoch" in down["text"]
            await paris.kill()
            code, text = await begin_epoch(paris)
            assert (code, f"; {held} envelopes of the outbox will be sent (again)" in text) == (0, True), text
            await paris.start()
            await paris.linked()

            async with Person(company.account("anna", paris, "desk")) as anna:
                anna.say("chloe@corp.example", "in the new epoch")
                await chloe.hears("in the new epoch")
                chloe.say("anna@corp.example", "welcome back")
                await anna.hears("welcome back")
                assert not anna.errors
            before = ["before the copy", "in the copy's outbox"]
            after = [f"after the copy {number}" for number in range(20)]
            # The copy cannot know that what its outbox holds had crossed.
            assert chloe.bodies == [*before, *after, *before[-held:], "in the new epoch"]
