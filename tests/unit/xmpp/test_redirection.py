import pytest

from xmpp.errors import StreamCondition
from xmpp.redirection import address, error, host_and_port


@pytest.mark.parametrize(
    ("host", "written"),
    [("lyon.corp.example", "lyon.corp.example:5322"), ("::1", "[::1]:5322"), ("[::1]", "[::1]:5322")],
)
def test_an_address_can_be_read_back(host: str, written: str) -> None:
    assert address(host, 5322) == written
    assert host_and_port(written) == (host.strip("[]"), 5322)


def test_who_is_sent_on_is_told_in_words_too() -> None:
    told = error("lyon:5322")
    assert (told.condition, told.address) == (StreamCondition.SEE_OTHER_HOST, "lyon:5322")
    assert "lyon:5322" in told.text


@pytest.mark.parametrize("port", ["0", "65536", "99999", "53220", "532201"])
def test_a_number_that_no_port_has_is_left_out(port: str) -> None:
    assert host_and_port(f"lyon:{port}") == ("lyon", 53220 if port == "53220" else None)


@pytest.mark.parametrize(
    ("text", "host"),
    [("lyon.corp.example", "lyon.corp.example"), ("[::1]", "::1"), ("::1", "::1"), ("lyon:x", "lyon:x"), (":1", ":1")],
)
def test_a_port_may_be_missing(text: str, host: str) -> None:
    assert host_and_port(text) == (host, None)
