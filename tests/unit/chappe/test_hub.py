from pathlib import Path

import pytest
from click.testing import CliRunner

from chappe.hub import hub


def test_a_file_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = CliRunner().invoke(hub, ["--config", str(tmp_path / "hub.toml")])
    assert result.exit_code == 78
    assert "hub.toml: cannot be read" in capfd.readouterr().err


def test_the_option_is_needed() -> None:
    assert CliRunner().invoke(hub, []).exit_code == 2
