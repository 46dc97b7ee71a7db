from pathlib import Path

import click
import pytest

from chappe.chat.profile import PROFILE_VARIABLE, Profile, find_profile, profile_of, read_profile

TEXT = 'domain = "corp.example"\nserver = "localhost:5222"\nca = "ca.pem"\npassword = "demo"\n'


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "profile.toml").write_text(TEXT)
    return tmp_path


def test_the_demo_is_found_from_below(demo: Path) -> None:
    expected = Profile("corp.example", "localhost:5222", demo / ".demo" / "ca.pem", "demo", {})
    below = demo / "docs" / "adr"
    below.mkdir(parents=True)
    assert find_profile({}, below) == expected
    assert find_profile({PROFILE_VARIABLE: str(demo / ".demo" / "profile.toml")}, Path("/")) == expected


def test_there_is_none(tmp_path: Path) -> None:
    assert find_profile({}, tmp_path) is None


def test_it_is_for_its_domain_only(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    monkeypatch.delenv(PROFILE_VARIABLE, raising=False)
    assert profile_of("corp.example") is not None
    assert profile_of("elsewhere.example") is None


def test_who_is_at_home_elsewhere_logs_in_there(tmp_path: Path) -> None:
    file = tmp_path / "profile.toml"
    file.write_text(TEXT + '[homes]\nchloe = "localhost:5322"\n')
    profile = read_profile(file)
    assert profile.server_of("chloe") == "localhost:5322"
    assert profile.server_of("anna") == "localhost:5222"


@pytest.mark.parametrize(
    "text",
    [
        'domain = "d"',
        TEXT + "port = 5\n",
        TEXT + 'colour = "red"\n',
        TEXT + 'homes = "lyon"\n',
        TEXT + "homes.chloe = 5322\n",
        "domain",
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "profile.toml"
    file.write_text(text)
    with pytest.raises(click.UsageError, match=r"profile\.toml"):
        read_profile(file)


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="No such file"):
        read_profile(tmp_path / "nothing.toml")
