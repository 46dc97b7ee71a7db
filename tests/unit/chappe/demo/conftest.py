import random
import socket
from pathlib import Path

import pytest

from chappe.demo.layout import Layout

OFFSETS = range(1_000, 25_000, 10)
"""Below the ports that the kernel chooses by itself, for listeners on port 0 and for connections."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Ports that nobody uses at the moment: the demo's are fixed, so they can only be shifted."""
    for offset in random.Random().sample(OFFSETS, len(OFFSETS)):
        shifted = Layout(tmp_path / "demo", offset)
        if all(is_free(port) for port in shifted.ports()):
            return shifted
    raise AssertionError("no free ports")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
