import pytest

from chappe.client import Endpoint, Transport, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("localhost", Endpoint("localhost", 5222)),
        ("localhost:5322", Endpoint("localhost", 5322)),
        ("xmpps://chat.example", Endpoint("chat.example", 5223, Transport.TLS)),
        ("wss://chat.example/chat", Endpoint("chat.example", 443, Transport.WSS, "/chat")),
        ("ws://[::1]:5280", Endpoint("::1", 5280, Transport.WS)),
    ],
)
def test_what_people_write(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text) == endpoint
    assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize("text", ["", "http://chat.example", ":5222", "localhost:port", "localhost:99999"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_endpoint(text)
