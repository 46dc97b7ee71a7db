from pathlib import Path

import pytest
from click.testing import CliRunner

from chappe.demo.command import demo
from chappe.demo.layout import Layout
from chassis.lock import ProcessLock


@pytest.mark.parametrize("order", ["--cut", "--heal"])
def test_no_demo_runs(tmp_path: Path, order: str) -> None:
    result = CliRunner().invoke(demo, ["--folder", str(tmp_path), order, "lyon"])
    assert result.exit_code == 1
    assert "no demo runs" in result.output


def test_reset_forgets(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "demo")
    layout.folder.mkdir()
    layout.lock.touch()
    layout.people.touch()
    arguments = ["--folder", str(layout.folder), "--reset"]
    assert CliRunner().invoke(demo, arguments).exit_code == 0
    assert not layout.folder.exists()
    assert "nothing to forget" in CliRunner().invoke(demo, arguments).output


def test_reset_forgets_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    result = CliRunner().invoke(demo, ["--folder", str(tmp_path), "--reset"])
    assert result.exit_code == 1
    assert "no demo's folder" in result.output
    assert (tmp_path / "thesis.txt").exists()


def test_reset_waits_for_no_running_demo(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with ProcessLock(layout.lock):
        result = CliRunner().invoke(demo, ["--folder", str(tmp_path), "--reset"])
    assert result.exit_code == 1
    assert layout.lock.exists()
