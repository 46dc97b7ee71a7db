from pathlib import Path

import click
import pytest

from chappe.administration.profile import Profile, resolve

NOTHING: dict[str, str | None] = {"hub": None, "ca": None, "cert": None, "key": None}


def test_options_lie_over_the_file_and_its_paths_are_its_own(tmp_path: Path) -> None:
    file = tmp_path / "admin.toml"
    file.write_text('hub = "hub:1"\nca = "ca.pem"\ncert = "/abs/cert.pem"\nkey = "key.pem"\n')
    assert resolve(file, NOTHING | {"hub": "other:2"}) == Profile(
        "other:2", tmp_path / "ca.pem", Path("/abs/cert.pem"), tmp_path / "key.pem"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('hub = "hub:1"', "missing --ca, --cert, --key"),
        ('hup = "hub:1"', "unknown key 'hup'"),
        ("hub = 1", "hub must be a text"),
        ("hub =", "Invalid value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "admin.toml"
    file.write_text(content)
    with pytest.raises(click.UsageError, match=message):
        resolve(file, NOTHING)


def test_no_file_there(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="No such file"):
        resolve(tmp_path / "none.toml", NOTHING)
    with pytest.raises(click.UsageError, match=r"none\.pem: No such file"):
        Profile("hub:1", tmp_path / "none.pem", tmp_path, tmp_path).read()
