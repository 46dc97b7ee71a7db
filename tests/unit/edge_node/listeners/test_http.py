"""Whose word is believed about who is behind a proxy."""

import pytest

from edge_node.listeners.http import TrustedProxies
from edge_node.listeners.settings import HTTPSettings

PROXIES = TrustedProxies(["10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("address", "is_proxy"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("2001:db8::7", True), ("192.0.2.7", False), ("nonsense", False)],
)
def test_who_is_a_proxy(address: str, is_proxy: bool) -> None:
    assert PROXIES.has(address) is is_proxy


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("", "10.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.3 , 10.0.0.2", "10.0.0.1"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db9::7]:4711", "2001:db9::7"),
        ("2001:db9::7, 10.0.0.2:4711", "2001:db9::7"),
        ("192.0.2.7, unknown", "10.0.0.1"),
        ("192.0.2.7, \udcff", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_whom_no_proxy_of_ours_is(forwarded: str, client: str) -> None:
    assert PROXIES.client_of("10.0.0.1", forwarded) == client


def test_a_network_that_is_none_is_named_by_the_settings() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.256"):
        HTTPSettings(trusted_proxies=("10.0.0.256",))
