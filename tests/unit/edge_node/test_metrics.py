"""What the core shows of itself."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from edge_node.metrics import EdgeGauges
from edge_node.tasks import BoundedTasks
from tests.support.edge import Edge


async def test_the_outbox_is_measured(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    registry = CollectorRegistry()
    registry.register(EdgeGauges(edge.parts, edge.store, BoundedTasks(asyncio.TaskGroup(), 1), edge.clock))

    def figures() -> list[float | None]:
        names = ("envelopes", "bytes", "oldest_seconds")
        return [registry.get_sample_value(f"edge_outbox_{name}") for name in names]

    assert figures() == [0, 0, 0]
    anna.send('<message to="david@corp.example" type="chat"><body>hello</body></message>')
    await edge.settle()
    edge.hub.oldest_us = edge.hub.held[0].sent_us
    edge.clock.advance(90)
    assert figures() == [1, edge.store.outbox.size_bytes, pytest.approx(90, abs=0.1)]
    assert edge.store.outbox.size_bytes > 0
    edge.clock.jump(-1000)
    assert figures()[2] == 0, "no clock that was set back makes it negative"
    edge.store.outbox.trim(1)
    edge.hub.oldest_us = 0
    await edge.settle()
    assert figures() == [0, 0, 0]
