from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.cluster import Cluster, cluster


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company() -> AsyncIterator[Cluster]:
    """One cluster for the tests of a module that leave it whole; each has people of its own."""
    async with cluster("paris", "lyon") as started:
        yield started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that the tests have recorded."""
    for report in terminalreporter.getreports("passed"):
        if report.when == "call" and report.user_properties:
            figures = ", ".join(f"{name} {value}" for name, value in report.user_properties)
            terminalreporter.write_line(f"{report.nodeid.rpartition('/')[2]}: {figures}")
