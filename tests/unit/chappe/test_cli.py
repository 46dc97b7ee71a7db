import click
import pytest
from click.testing import CliRunner

from chappe.cli import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_and_helps(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}")


def test_help_lists_the_table() -> None:
    output = CliRunner().invoke(main, ["--help"]).output
    assert [name for name in COMMANDS if name in output] == list(COMMANDS)


def test_unknown_command() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == click.UsageError.exit_code
