"""How people meet is tested with a real company in tests/integration/demo; here, that it ends."""

import pytest

from chappe.demo import acquaintance
from chappe.demo.acquaintance import introduce_everybody, jid_of
from chappe.demo.company import people
from chappe.demo.configuration import prepare
from chappe.demo.layout import Layout
from chassis.clock import SystemClock
from chassis.errors import OperatorError


def test_addresses() -> None:
    anna = next(people())
    assert jid_of(anna).full == "anna@corp.example"
    assert jid_of(anna, "desk").full == "anna@corp.example/desk"


async def test_nobody_is_there(layout: Layout) -> None:
    layout.folder.mkdir(parents=True)
    prepare(layout, SystemClock(), 0)
    with pytest.raises(OperatorError, match="refused"):
        await introduce_everybody(layout)


async def test_it_takes_no_longer_than_it_may(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.folder.mkdir(parents=True)
    prepare(layout, SystemClock(), 0)
    monkeypatch.setattr(acquaintance, "SECONDS_MAX", 0.0)
    with pytest.raises(OperatorError, match="did not get to know"):
        await introduce_everybody(layout)
