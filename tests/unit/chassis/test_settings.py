"""Settings: what is read from where, and what an operator is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Le
from pydantic import ValidationError

from chassis.settings import SECRET_SIZE_BYTES_MAX, LocalPath, SecretFile, Settings, SettingsError, load


class Port(Settings):
    host: str = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535)] = 5222
    framing: Literal["tcp", "websocket"] = "tcp"


class Peer(Settings):
    name: str


class Service(Settings):
    domain: str
    data: LocalPath = Path("data")
    listener: Port = Port()
    peers: tuple[Peer, ...] = ()
    token: SecretFile | None = None
    limit: Annotated[float, Ge(0), Le(1)] | None = None


def loaded(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Service:
    path = folder / "service.toml"
    path.write_text(text, encoding="utf-8")
    return load(Service, path, environment or {})


def problems(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text, environment)
    assert caught.value.__cause__ is None
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_file_and_defaults(tmp_path: Path) -> None:
    service = loaded(tmp_path, 'domain = "corp.example"\n[listener]\nport = 5322\n[[peers]]\nname = "lyon"\n')
    assert service.domain == "corp.example"
    assert service.listener == Port(host="127.0.0.1", port=5322)
    assert service.peers == (Peer(name="lyon"),)
    assert service.token is None


def test_without_a_file(tmp_path: Path) -> None:
    assert load(Service, None, {"CHAPPE__DOMAIN": "corp.example"}).data == Path("data")


def test_environment_overrides_the_file(tmp_path: Path) -> None:
    environment = {
        "CHAPPE__LISTENER__PORT": "5323",
        "CHAPPE__PEERS": '[{ name = "paris" }]',
        "CHAPPE_HUB_SERVICE_HOST": "not a setting",
        "HOME": "/nowhere",
    }
    service = loaded(tmp_path, 'domain = "corp.example"\n[listener]\nport = 5322\nhost = "::1"\n', environment)
    assert service.listener == Port(host="::1", port=5323)
    assert service.peers == (Peer(name="paris"),)


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'domain = "d"').data == tmp_path / "data"
    assert loaded(tmp_path, 'domain = "d"\ndata = "/srv/chappe"').data == Path("/srv/chappe")


def test_settings_do_not_change(tmp_path: Path) -> None:
    service = loaded(tmp_path, 'domain = "d"')
    with pytest.raises(ValidationError, match="frozen"):
        service.domain = "e"  # type: ignore[misc]


def test_secret_is_what_the_file_holds(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n", encoding="utf-8")
    service = loaded(tmp_path, 'domain = "d"\ntoken = "token"')
    assert service.token is not None
    assert service.token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(service)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "must hold 1 to 65536 bytes"),
        (b"x" * (SECRET_SIZE_BYTES_MAX + 1), "must hold 1 to 65536 bytes"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_secret_that_cannot_be_read_is_not_shown(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "hunter2").write_bytes(content)
    (line,) = problems(tmp_path, 'domain = "d"\ntoken = "hunter2"')
    assert line.startswith("service.toml: token: the file of the secret")
    assert reason in line
    assert "hunter2" not in line


def test_every_problem_is_one_line_that_names_file_setting_and_range(tmp_path: Path) -> None:
    text = 'limit = 2\n[listener]\nport = 99999\nframing = "udp"\nhots = ""\n[[peers]]\nnamee = "x"\n'
    framings = '"tcp" or "websocket"'
    assert [line.removeprefix("service.toml: ") for line in problems(tmp_path, text)] == [
        "domain: is required; allowed: text",
        "listener.port: input should be less than or equal to 65535; allowed: whole number, 1 to 65535; given: 99999",
        f"listener.framing: input should be 'tcp' or 'websocket'; allowed: {framings}; given: 'udp'",
        "listener.hots: unknown setting; did you mean host?",
        "peers[0].name: is required; allowed: text",
        "peers[0].namee: unknown setting; did you mean name?",
        "limit: input should be less than or equal to 1; allowed: number, 0 to 1; given: 2",
    ]


def test_unknown_setting_without_a_similar_one(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, 'domain = "d"\n[listener]\nzzz = 1\n')
    assert line == "service.toml: listener.zzz: unknown setting; known here: framing, host, port"


def test_problem_of_the_environment_names_the_variable(tmp_path: Path) -> None:
    lines = problems(tmp_path, 'domain = "d"', {"CHAPPE__LISTENER__PORT": "many", "CHAPPE__LISTENR__PORT": "1"})
    assert lines[0].startswith("CHAPPE__LISTENER__PORT: listener.port: input should be a valid integer")
    assert lines[1] == "CHAPPE__LISTENR__PORT: listenr: unknown setting; did you mean listener?"


def test_environment_cannot_make_a_value_a_table(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, 'domain = "d"', {"CHAPPE__DOMAIN__NAME": "x"})
    assert line == "CHAPPE__DOMAIN__NAME: domain is a value in the file, not a table"


def test_environment_list_that_is_not_toml(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, 'domain = "d"', {"CHAPPE__PEERS": "[oops"})
    assert line.startswith("CHAPPE__PEERS: is not a TOML list or table")


def test_file_that_is_not_toml(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, "domain = \n")
    assert line.startswith("service.toml: is not TOML: ")
    assert "line 1" in line


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml: cannot be read: No such file or directory"):
        load(Service, tmp_path / "absent.toml", {})


def test_long_values_are_cut(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, f'domain = "d"\n[listener]\nport = "{"9" * 500}"\n')
    assert len(line) < 250
