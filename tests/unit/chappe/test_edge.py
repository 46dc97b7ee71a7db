from pathlib import Path

import pytest
from click.testing import CliRunner

from chappe.edge import edge


def test_a_file_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = CliRunner().invoke(edge, ["--config", str(tmp_path / "edge.toml")])
    assert result.exit_code == 78
    assert "edge.toml: cannot be read" in capfd.readouterr().err


def test_the_option_is_needed() -> None:
    assert CliRunner().invoke(edge, []).exit_code == 2
