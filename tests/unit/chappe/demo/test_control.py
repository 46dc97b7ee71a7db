import asyncio
from pathlib import Path

import pytest

from chappe.demo.control import order, serve
from chassis.errors import OperatorError


def obey(verb: str, site: str) -> str:
    if verb != "cut":
        raise OperatorError(f"no order {verb!r}")
    return f"{site} is cut"


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A folder whose name alone is longer than a socket's address may be."""
    folder = tmp_path / ("deep" * 40)
    folder.mkdir()
    (folder / "control.sock").touch()  # as a demo that was killed leaves it
    return folder / "control.sock"


async def test_orders_are_carried_out(deep: Path) -> None:
    server = await serve(deep, obey)
    assert await asyncio.to_thread(order, deep, "cut", "lyon") == "lyon is cut"
    with pytest.raises(OperatorError, match="no order 'dance'"):
        await asyncio.to_thread(order, deep, "dance", "lyon")
    with pytest.raises(OperatorError):
        await asyncio.to_thread(order, deep, "cut" * 100, "lyon")
    server.close()


@pytest.mark.parametrize("exists", [True, False])
def test_no_demo_runs(tmp_path: Path, *, exists: bool) -> None:
    path = tmp_path / "control.sock" if exists else tmp_path / "nowhere" / "control.sock"
    with pytest.raises(OperatorError, match="no demo runs"):
        order(path, "cut", "lyon")
