import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from chappe.edge import edge
from chassis.lock import ProcessLock
from edge_node.adapters.sqlite import StoreSettings, open_store
from edge_node.app import LOCK_FILE, STORE_FILE


def test_a_file_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = CliRunner().invoke(edge, ["--config", str(tmp_path / "edge.toml")])
    assert result.exit_code == 78
    assert "edge.toml: cannot be read" in capfd.readouterr().err


def test_the_option_is_needed() -> None:
    assert CliRunner().invoke(edge, []).exit_code == 2


def settings(folder: Path) -> Path:
    path = folder / "edge.toml"
    path.write_text('domain = "corp.example"\nsite = "paris"\n[listeners]\nrequire_tls = false\n', encoding="utf-8")
    return path


async def test_a_new_epoch(tmp_path: Path) -> None:
    config = settings(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    await (await open_store(data / STORE_FILE, StoreSettings(), 5)).close()
    for arguments in (["new-epoch", "--config", str(config)], ["--config", str(config), "new-epoch", "--drop-outbox"]):
        result = CliRunner().invoke(edge, arguments)
        assert result.exit_code == 0
        fate = "are dropped" if "--drop-outbox" in arguments else "will be sent (again)"
        assert result.output.startswith("epoch 1")
        assert result.output.endswith(f"; 0 envelopes of the outbox {fate}\n")
    store = await open_store(data / STORE_FILE, StoreSettings(), 5)
    assert store.outbox.epoch > 5
    await store.close()


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(edge, ["new-epoch", *arguments])
    assert result.exit_code == os.EX_CONFIG
    (line,) = result.output.splitlines()
    return line


async def test_no_new_epoch_while_the_edge_runs(tmp_path: Path) -> None:
    config = settings(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    await (await open_store(data / STORE_FILE, StoreSettings(), 5)).close()
    with ProcessLock(data / LOCK_FILE):
        line = refused("--config", str(config))
    assert f"process {os.getpid()} is running on this folder; end it first" in line
    store = await open_store(data / STORE_FILE, StoreSettings(), 6)
    assert store.outbox.epoch == 5
    await store.close()


def test_no_new_epoch_without_a_store_or_settings(tmp_path: Path) -> None:
    assert "there is no store" in refused("--config", str(settings(tmp_path)))
    assert not (tmp_path / "data").exists()
    assert "cannot be read" in refused("--config", str(tmp_path / "nowhere.toml"))
    assert CliRunner().invoke(edge, ["new-epoch"]).exit_code == 2
