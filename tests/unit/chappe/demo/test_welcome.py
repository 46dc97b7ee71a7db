from pathlib import Path

import pytest

from chappe.demo.company import people
from chappe.demo.layout import Layout
from chappe.demo.welcome import own_command, welcome, wrapped


def test_everybody_and_every_port_is_named() -> None:
    text = welcome(Layout(Path(".demo"), 100))
    assert [each.local for each in people() if f" {each.local}" not in text] == []
    for word in ("5322", "5323", "5380", "5422", "5423", "5480", "'demo'", "chappe chat anna@corp.example", "ca.pem"):
        assert word in text
    assert "--folder" not in text


def test_another_folder_is_named_wherever_it_matters() -> None:
    text = welcome(Layout(Path("elsewhere")))
    assert "--folder elsewhere --cut lyon" in text
    assert "--folder elsewhere --reset" in text
    assert "CHAPPE_PROFILE=elsewhere/profile.toml chappe chat anna@" in text


def test_commands_are_those_that_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "chappe"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.argv", [str(program), "demo"])
    assert own_command() == str(program)
    assert f"{program} chat anna@" in welcome(Layout(Path(".demo")), own_command())
    monkeypatch.chdir(tmp_path)
    assert own_command() == "bin/chappe"
    monkeypatch.setenv("PATH", str(program.parent))
    assert own_command() == "chappe"
    monkeypatch.setattr("sys.argv", ["/lib/chappe/__main__.py", "demo"])
    assert own_command() == "chappe"


def test_lines_are_short() -> None:
    assert max(len(line) for line in wrapped(["name"] * 50).splitlines()) < 90
