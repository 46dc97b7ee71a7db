"""What a listener process reads of the edge's settings."""

from pathlib import Path

import pytest

from chassis.settings import SettingsError, load
from edge_node.listeners.process import ListenerConfiguration, load_tls, lock_path


def configuration(tmp_path: Path, text: str) -> ListenerConfiguration:
    path = tmp_path / "edge.toml"
    path.write_text(text)
    return load(ListenerConfiguration, path, {})


def test_what_is_the_cores_is_passed_over(tmp_path: Path) -> None:
    read = configuration(tmp_path, 'domain = "corp.example"\n[rosters]\nitems_max = 7\n[listeners]\nprocesses = 3\n')
    assert read.listeners.processes == 3
    assert lock_path(read.backplane, 2) == tmp_path / "backplane.sock.listener-2.lock"
    assert load_tls(read.listeners) is None


def test_what_is_the_listeners_is_checked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"listeners\.proceses.*did you mean processes"):
        configuration(tmp_path, "[listeners]\nproceses = 3\n")


@pytest.mark.parametrize(("port", "shown"), [("", None), ("operations_port = 9100", 9102), ("operations_port = 0", 0)])
def test_each_process_shows_its_figures_on_a_port_of_its_own(tmp_path: Path, port: str, shown: int | None) -> None:
    operations = configuration(tmp_path, f"[listeners]\n{port}\n").process(2).operations
    assert (None if operations is None else operations.port) == shown
