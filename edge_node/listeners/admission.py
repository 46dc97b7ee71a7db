"""Who may connect, and who may try to log in: bounded counts, by address and by account.

Pure but for the time, which is given in.
"""

import ipaddress
from typing import Final

from edge_node.listeners.settings import ListenerSettings, NegotiationSettings

PROXIES: Final = "proxies"
"""Instead of an address: connections through trusted proxies whose clients are not known yet."""

_IPV6_NETWORK_BITS: Final = 64


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the 64-bit network that one IPv6 subscriber has."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, _IPV6_NETWORK_BITS), strict=False).network_address)


class Admission:
    """Counts connections, and those that have not logged in yet."""

    __slots__ = ("_by_network", "_settings", "connections", "negotiating")

    def __init__(self, settings: ListenerSettings) -> None:
        self._settings = settings
        self._by_network: dict[str, int] = {}  # no more entries than connections that negotiate
        self.connections = 0
        self.negotiating = 0

    def admit(self, network: str) -> bool:
        """Count a new connection; False: there is no room for it."""
        bounds = self._settings.negotiation
        count = self._by_network.get(network, 0)
        if (
            self.connections >= self._settings.connections_max
            or self.negotiating >= bounds.connections_max
            or (count >= bounds.connections_per_address_max and network != PROXIES)
        ):
            return False
        self.connections += 1
        self.negotiating += 1
        self._by_network[network] = count + 1
        return True

    def move(self, network: str, actual: str) -> bool:
        """It has turned out whose connection it is; False: there is no room for one more of those."""
        if network == actual:
            return True
        count = self._by_network.get(actual, 0)
        if count >= self._settings.negotiation.connections_per_address_max:
            return False
        self._by_network[actual] = count + 1
        self._leave(network)
        return True

    def settled(self, network: str) -> None:
        """One that negotiated has logged in, or has gone."""
        self.negotiating -= 1
        self._leave(network)

    def _leave(self, network: str) -> None:
        count = self._by_network[network] - 1
        if count:
            self._by_network[network] = count
        else:
            del self._by_network[network]

    def gone(self) -> None:
        """A connection has gone."""
        self.connections -= 1


class Throttle:
    """Remembers failed attempts to log in; each is forgotten after a while."""

    __slots__ = ("_failures", "_settings")

    def __init__(self, settings: NegotiationSettings) -> None:
        self._settings = settings
        self._failures: dict[tuple[str, str], tuple[float, float]] = {}  # -> number, as of when

    def allows(self, account: str, network: str, now: float) -> bool:
        """Whether another attempt may be made; `now` in seconds of a clock that does not go back."""
        bounds = self._settings
        return (
            self._count(("address", network), now) + 1 <= bounds.failures_per_address_max
            and self._count(("account", account), now) + 1 <= bounds.failures_per_account_max
        )

    def failed(self, account: str, network: str, now: float) -> None:
        """Count a failure of both."""
        for key in (("address", network), ("account", account)):
            count = self._count(key, now)
            self._failures.pop(key, None)
            if len(self._failures) >= self._settings.failures_remembered_max:
                del self._failures[next(iter(self._failures))]
            self._failures[key] = (count + 1, now)

    def _count(self, key: tuple[str, str], now: float) -> float:
        count, then = self._failures.get(key, (0.0, now))
        return max(0.0, count - (now - then) / self._settings.failure_seconds)
