"""Settings of the ports where clients connect."""

import pytest

from edge_node.listeners.settings import HTTPSettings, TCPSettings


@pytest.mark.parametrize("port", ["port", "tls_port"])
def test_a_port_for_tcp_can_be_closed(port: str) -> None:
    assert getattr(TCPSettings.model_validate({port: "none"}), port) is None


def test_the_port_for_http_can_be_closed() -> None:
    assert HTTPSettings.model_validate({"port": "none"}).port is None


def test_other_words_are_no_ports() -> None:
    with pytest.raises(ValueError, match="port"):
        TCPSettings.model_validate({"port": "off"})
