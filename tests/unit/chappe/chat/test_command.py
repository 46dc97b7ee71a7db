from pathlib import Path

import pytest
from click.testing import CliRunner

from chappe.chat.command import chat
from chappe.chat.profile import PROFILE_VARIABLE


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner(env={PROFILE_VARIABLE: "", "CHAPPE_PASSWORD": ""})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["@"], "no address"),
        (["corp.example"], "names no account"),
        (["anna@corp.example"], "CHAPPE_PASSWORD"),
        (["anna@corp.example", "--server", "http://x"], "--server"),
        (["anna@corp.example", "--ca", "nothing.pem"], "nothing.pem"),
    ],
)
def test_wrong_command_lines(runner: CliRunner, arguments: list[str], words: str) -> None:
    result = runner.invoke(chat, arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_nobody_is_there(runner: CliRunner, unused_tcp_port: int) -> None:
    arguments = ["anna@corp.example", "--server", f"127.0.0.1:{unused_tcp_port}", "--password", "demo"]
    result = runner.invoke(chat, arguments)
    assert result.exit_code == 3
    assert str(unused_tcp_port) in result.output


@pytest.mark.parametrize("account", ["anna@corp.example", "anna"])
def test_a_profile_says_the_rest(runner: CliRunner, tmp_path: Path, unused_tcp_port: int, account: str) -> None:
    profile = f'domain = "corp.example"\nserver = "127.0.0.1:{unused_tcp_port}"\npassword = "demo"\n'
    (tmp_path / "profile.toml").write_text(profile)
    result = runner.invoke(chat, [account], env={PROFILE_VARIABLE: "profile.toml"})
    assert result.exit_code == 3
    assert str(unused_tcp_port) in result.output
