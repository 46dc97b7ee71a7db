"""Step 9 of a stanza's journey: carrying out what custody wants of the spool, and waking the links it concerns."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import structlog

from cascade.custody import Custody, Routing
from cascade.envelope import Envelope
from cascade.frame import Refusal
from cascade.spool import Spooled
from central_hub.links.metrics import ExchangeMetrics
from central_hub.spool.measured import MeasuredSpool
from xmpp.errors import StanzaCondition

log = structlog.get_logger()

SPOOL_FULL_TEXT = "too much waits for the recipient's site already"


class Dispatcher:
    """Custody with its spool.  Rule: after whatever changes custody, `serve` the sites that it names."""

    def __init__(
        self, custody: Custody, spool: MeasuredSpool, metrics: ExchangeMetrics, *, retry_seconds: float
    ) -> None:
        """Serve `custody`, which was made from the extents of `spool`.

        Args:
            custody: who waits for an answer about what.
            spool: durable.
            metrics: counted here.
            retry_seconds: how long to wait before a spool that failed is asked again.
        """
        self.custody = custody
        self._spool = spool
        self._metrics = metrics
        self._retry_seconds = retry_seconds
        self._wake: Callable[[str], None] = log_nobody_to_wake
        self.is_storing = True
        """Whether the spool's last answer was a success."""

    def wakes(self, wake: Callable[[str], None]) -> None:
        """Have `wake` called with each site whose link may have something to send."""
        self._wake = wake

    def accept(self, envelope: Envelope, routing: Routing) -> Iterable[str]:
        """Take a held envelope that is new; return the sites to serve.  A full spool refuses its part."""
        full = [
            site
            for site in routing.parts
            if self._spool.is_full(site) and not self.custody.forwarding(site).is_spooled(envelope)
        ]
        if full:
            refusals = tuple(
                Refusal(envelope.sequence, StanzaCondition.RESOURCE_CONSTRAINT, SPOOL_FULL_TEXT, routing.parts[site])
                for site in full
            )
            for refusal in refusals:
                self._metrics.refused.labels(refusal.condition).inc(len(refusal.recipients))
            parts = {site: recipients for site, recipients in routing.parts.items() if site not in full}
            routing = Routing(parts, routing.refusals + refusals)
        return self.custody.accept(envelope, routing)

    def serve(self, sites: Iterable[str]) -> None:
        """Start what the ways to these sites want, and let their links look for frames."""
        for site in sites:
            forwarding = self.custody.forwarding(site)
            append = forwarding.wanted_append()
            if append is not None:
                self._spool.append(site, append, lambda answer, site=site: self._appended(site, answer))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            read = forwarding.wanted_read()
            if read is not None:
                after, limit = read.after_sequence, read.limit
                self._spool.read(site, after, limit, lambda answer, site=site: self._loaded(site, answer))  # type: ignore[misc]  # as above
            trim = forwarding.wanted_trim()
            if trim is not None:
                self._spool.trim(site, trim)
            self._wake(site)

    def _appended(self, site: str, answer: Sequence[int] | Exception) -> None:
        if isinstance(answer, Exception):
            self._failed(site, answer, self.custody.forwarding(site).append_failed)
            return
        self.is_storing = True
        self.serve({site, *self.custody.appended(site, answer)})

    def _loaded(self, site: str, answer: Sequence[Spooled] | Exception) -> None:
        forwarding = self.custody.forwarding(site)
        if isinstance(answer, Exception):
            self._failed(site, answer, forwarding.read_failed)
            return
        forwarding.loaded(answer)
        self.serve((site,))

    def _failed(self, site: str, error: Exception, again: Callable[[], None]) -> None:
        """Ask again after a while: what failed counts as outstanding till then, so nothing overtakes it."""
        self.is_storing = False
        self._metrics.store_failures.inc()
        log.error("spool_unavailable", site=site, reason=str(error))

        def retry() -> None:
            again()
            self.serve((site,))

        asyncio.get_running_loop().call_later(self._retry_seconds, retry)


def log_nobody_to_wake(site: str) -> None:
    """Stand in until links are served: what is owed then is offered when the site links."""
    log.debug("nobody_to_wake", site=site)
