"""Every contract runs against every adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_node.adapters.store import Store
from tests.contracts.edge.driver import open_memory, open_sqlite


@pytest.fixture(params=[open_memory, open_sqlite], ids=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened: Store = await request.param(tmp_path)
    yield opened
    await opened.close()
