from pathlib import Path

import pytest

from chassis.settings import SettingsError, load
from edge_node.settings import EdgeSettings

UPLINK = '[uplink]\nhub = "hub:1"\nauthority = "a"\ncertificate = "c"\nkey = "k"\n'


def loaded(folder: Path, uplink: str) -> EdgeSettings:
    file = folder / "edge.toml"
    file.write_text(f'domain = "corp.example"\nsite = "paris"\n{UPLINK}{uplink}\n[listeners]\n')
    return load(EdgeSettings, file, {})


def test_a_link_that_is_well_is_not_given_up(tmp_path: Path) -> None:
    uplink = loaded(tmp_path, "heartbeat_seconds = 5\ndead_seconds = 10").uplink
    assert uplink is not None
    assert (uplink.heartbeat_seconds, uplink.dead_seconds) == (5, 10)
    with pytest.raises(SettingsError, match=r"uplink\.dead_seconds.*less than two heartbeats of 30 s"):
        loaded(tmp_path, "heartbeat_seconds = 30\ndead_seconds = 45")
