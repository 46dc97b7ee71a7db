"""Who may connect, and who may try to log in."""

import pytest

from edge_node.listeners.admission import PROXIES, Admission, Throttle, network_of
from edge_node.listeners.settings import ListenerSettings, NegotiationSettings


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("no:address", "no:address"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def admission(connections: int = 10, negotiating: int = 5, of_one: int = 2) -> Admission:
    bounds = NegotiationSettings(connections_max=negotiating, connections_per_address_max=of_one)
    return Admission(ListenerSettings(connections_max=connections, negotiation=bounds))


def test_one_address_has_its_share_until_it_has_logged_in() -> None:
    counts = admission()
    assert [counts.admit("a") for _ in range(3)] == [True, True, False]
    assert counts.admit("b")
    counts.settled("a")
    assert counts.admit("a")
    assert (counts.connections, counts.negotiating) == (4, 3)


def test_all_that_negotiate_have_a_bound_and_all_connections_have_one() -> None:
    counts = admission(connections=6)
    assert [counts.admit(name) for name in "abcdef"] == [True] * 5 + [False]
    for name in "abcde":
        counts.settled(name)
    assert counts.admit("f")
    assert not counts.admit("g")
    counts.gone()
    assert counts.admit("g")


def test_behind_a_proxy_the_share_is_the_clients() -> None:
    counts = admission(of_one=1)
    assert counts.admit(PROXIES)
    assert counts.admit(PROXIES)
    assert counts.move(PROXIES, "a")
    assert not counts.move(PROXIES, "a")
    assert counts.move("a", "a")
    counts.settled("a")
    assert counts.move(PROXIES, "a")


def test_failures_of_an_address_and_of_an_account_are_counted_and_forgotten() -> None:
    bounds = NegotiationSettings(failures_per_address_max=3, failures_per_account_max=2, failure_seconds=10)
    throttle = Throttle(bounds)
    assert throttle.allows("anna", "a", 0.0)
    throttle.failed("anna", "a", 0.0)
    throttle.failed("anna", "b", 0.1)
    assert not throttle.allows("anna", "c", 0.2)
    assert throttle.allows("bruno", "a", 0.2)
    throttle.failed("bruno", "a", 0.2)
    throttle.failed("chloe", "a", 0.2)
    assert not throttle.allows("david", "a", 0.3)
    assert throttle.allows("anna", "c", 21.0)
    assert throttle.allows("david", "a", 31.0)


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle(NegotiationSettings(failures_remembered_max=3, failures_per_account_max=1))
    for name in ("anna", "bruno", "chloe"):
        throttle.failed(name, "a", 0.0)
    assert throttle.allows("anna", "x", 0.0)
    assert not throttle.allows("chloe", "x", 0.0)
