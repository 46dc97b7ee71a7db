"""A store of its own for each test."""

from pathlib import Path

import pytest

from edge_node.adapters.sqlite.connection import Connection, open_writer
from edge_node.adapters.sqlite.migrations import migrate


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    path = tmp_path / "edge.sqlite"
    connection = open_writer(path, cache_bytes=1 << 20, checkpoint_pages=1_000, size_bytes_max=1 << 30)
    migrate(connection, path, 1)
    return connection
