"""The spool with a measure and a bound: what waits for each site, and when that is too much (law 4)."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cascade.codec import encode_envelope
from cascade.envelope import Envelope
from cascade.spool import Extent, Spooled, SpoolStore
from central_hub.spool.settings import SpoolSettings
from chassis.clock import MICROSECONDS, Clock

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Stock:
    """Envelopes that were stored together, or that were found at the start."""

    envelopes: int
    size_bytes: int
    oldest_us: int
    last_position: int


class MeasuredSpool:
    """Passes on to `store`, counting.

    The measure is an upper bound: of what was stored together, a part that is trimmed counts until all of it is.
    """

    def __init__(self, store: SpoolStore, stocks: Mapping[str, Stock], settings: SpoolSettings, clock: Clock) -> None:
        """Count from `stocks`, what `store` held for each destination at the start."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._stocks = {site: deque((stock,)) for site, stock in stocks.items()}
        self._totals = {site: (stock.envelopes, stock.size_bytes) for site, stock in stocks.items()}

    def usage(self, site: str) -> tuple[int, int]:
        """(envelopes, bytes) that wait for `site`."""
        return self._totals.get(site, (0, 0))

    def is_full(self, site: str) -> bool:
        """Whether nothing more may be promised to `site`: too many, too much, or waiting for too long."""
        envelopes, size_bytes = self.usage(site)
        settings = self._settings
        return (
            envelopes >= settings.envelopes_max
            or size_bytes >= settings.bytes_max
            or self.age_seconds(site) >= settings.age_hours_max * SECONDS_PER_HOUR
        )

    def age_seconds(self, site: str) -> float:
        """How long the oldest of them has waited; 0 if none does."""
        stocks = self._stocks.get(site)
        return max(0.0, (self._clock.now_us() - stocks[0].oldest_us) / MICROSECONDS) if stocks else 0.0

    def extents(self) -> Mapping[str, Extent]:
        return self._store.extents()

    def append(
        self, destination: str, envelopes: Sequence[Envelope], done: Callable[[Sequence[int] | Exception], None]
    ) -> None:
        size_bytes = sum(len(encode_envelope(envelope)) for envelope in envelopes)
        now_us = self._clock.now_us()

        def count(answer: Sequence[int] | Exception) -> None:
            if not isinstance(answer, Exception):
                self._add(destination, Stock(len(answer), size_bytes, now_us, answer[-1]))
            done(answer)

        self._store.append(destination, envelopes, count)

    def read(
        self,
        destination: str,
        after_position: int,
        limit: int,
        done: Callable[[Sequence[Spooled] | Exception], None],
    ) -> None:
        self._store.read(destination, after_position, limit, done)

    def trim(self, destination: str, up_to_position: int) -> None:
        stocks = self._stocks.get(destination)
        while stocks and stocks[0].last_position <= up_to_position:
            gone = stocks.popleft()
            envelopes, size_bytes = self._totals[destination]
            self._totals[destination] = (envelopes - gone.envelopes, size_bytes - gone.size_bytes)
        self._store.trim(destination, up_to_position)

    def _add(self, site: str, stock: Stock) -> None:
        envelopes, size_bytes = self._totals.get(site, (0, 0))
        self._totals[site] = (envelopes + stock.envelopes, size_bytes + stock.size_bytes)
        self._stocks.setdefault(site, deque()).append(stock)
