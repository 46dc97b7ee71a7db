from collections.abc import AsyncIterator

import pytest

from tests.support.edge import Edge


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    """Anna, Bruno and Chloe are at home; Anna and Bruno see each other's presence."""
    async with Edge("anna", "bruno", "chloe") as edge:
        await edge.befriend(("anna", "bruno"))
        yield edge
        await edge.settle()
        assert edge.reports.failures == []
