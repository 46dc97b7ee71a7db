import asyncio
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry

from cascade.custody import Custody, Routing
from cascade.envelope import Envelope
from cascade.spool import MemorySpoolStore
from central_hub.links.dispatcher import Dispatcher
from central_hub.links.metrics import ExchangeMetrics
from central_hub.spool.measured import MeasuredSpool, Stock
from central_hub.spool.settings import SpoolSettings
from central_hub.storage import StoreUnavailable
from chassis.clock import ManualClock

ROUTING = Routing({"lyon": ("chloe@c",)})


class FailingSpool(MemorySpoolStore):
    """A spool that can't commit for a while."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def append(
        self, destination: str, envelopes: Sequence[Envelope], done: Callable[[Sequence[int] | Exception], None]
    ) -> None:
        if self.failures:
            self.failures -= 1
            done(StoreUnavailable("disk full"))
            return
        super().append(destination, envelopes, done)


def envelope(sequence: int) -> Envelope:
    return Envelope(
        origin="paris", epoch=7, sequence=sequence, sender="anna@c", recipients=("chloe@c",), kind="message"
    )


async def test_failed_append_is_tried_again_and_nothing_is_acknowledged_before() -> None:
    store = FailingSpool(failures=2)
    registry = CollectorRegistry()
    custody = Custody({}, envelopes_max=10, refusals_max=10)
    spool = MeasuredSpool(store, {}, SpoolSettings(), ManualClock())
    dispatcher = Dispatcher(custody, spool, ExchangeMetrics(registry), retry_seconds=0.001)
    acknowledged = asyncio.Event()

    def wake(site: str) -> None:
        if site == "paris" and custody.ledger("paris").acknowledged == 2:
            acknowledged.set()

    dispatcher.wakes(wake)
    ledger = custody.ledger("paris")
    ledger.resume(7, 0)
    for sequence in (1, 2):
        assert ledger.receive(sequence)
        dispatcher.serve(dispatcher.accept(envelope(sequence), ROUTING))
    assert (ledger.acknowledged, dispatcher.is_storing) == (0, False)
    async with asyncio.timeout(5):
        await acknowledged.wait()
    assert dispatcher.is_storing
    assert registry.get_sample_value("hub_store_failures_total") == 2
    assert spool.usage("lyon")[0] == 2


async def test_full_spool_refuses_its_part_alone() -> None:
    custody = Custody({}, envelopes_max=10, refusals_max=10)
    spool = MeasuredSpool(MemorySpoolStore(), {}, SpoolSettings(envelopes_max=1), ManualClock())
    dispatcher = Dispatcher(custody, spool, ExchangeMetrics(CollectorRegistry()), retry_seconds=1)
    ledger = custody.ledger("paris")
    ledger.resume(7, 0)
    routing = Routing({"lyon": ("chloe@c",), "nice": ("emil@c",)})
    ledger.receive(1)
    dispatcher.serve(dispatcher.accept(envelope(1), ROUTING))
    ledger.receive(2)
    dispatcher.serve(dispatcher.accept(envelope(2), routing))
    acknowledgement = ledger.take_acknowledgement()
    assert acknowledgement is not None
    assert acknowledgement.up_to == 2
    assert [(r.condition, r.recipients) for r in acknowledgement.refusals] == [("resource-constraint", ("chloe@c",))]
    assert spool.usage("nice")[0] == 1


async def test_what_a_full_spool_has_already_is_not_refused() -> None:
    """It was stored, the hub died before it answered, and it will be delivered."""
    store = MemorySpoolStore()
    store.append("lyon", [envelope(1)], lambda _: None)
    spool = MeasuredSpool(store, {"lyon": Stock(1, 100, 0, 1)}, SpoolSettings(envelopes_max=1), ManualClock())
    custody = Custody(spool.extents(), envelopes_max=10, refusals_max=10)
    dispatcher = Dispatcher(custody, spool, ExchangeMetrics(CollectorRegistry()), retry_seconds=1)
    ledger = custody.ledger("paris")
    ledger.resume(7, 0)
    for sequence in (1, 2):
        ledger.receive(sequence)
        dispatcher.serve(dispatcher.accept(envelope(sequence), ROUTING))
    acknowledgement = ledger.take_acknowledgement()
    assert acknowledgement is not None
    assert (acknowledgement.up_to, [refusal.sequence for refusal in acknowledgement.refusals]) == (2, [2])
    assert spool.usage("lyon")[0] == 1
