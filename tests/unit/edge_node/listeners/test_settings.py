"""Settings of the ports where clients connect."""

import pytest
from annotated_types import Le

from edge_node.listeners.settings import ConnectionSettings, HTTPSettings, TCPSettings
from xmpp.parser import Limits, ParserPool, StreamReader
from xmpp.stanza import Stanza


@pytest.mark.parametrize("port", ["port", "tls_port"])
def test_a_port_for_tcp_can_be_closed(port: str) -> None:
    assert getattr(TCPSettings.model_validate({port: "none"}), port) is None


def test_the_port_for_http_can_be_closed() -> None:
    assert HTTPSettings.model_validate({"port": "none"}).port is None


def test_other_words_are_no_ports() -> None:
    with pytest.raises(ValueError, match="port"):
        TCPSettings.model_validate({"port": "off"})


def test_what_is_nested_as_deeply_as_may_be_set_can_be_written_again() -> None:
    (depth,) = (each.le for each in ConnectionSettings.model_fields["depth_max"].metadata if isinstance(each, Le))
    assert isinstance(depth, int)
    nested = b"<x xmlns='urn:x'>" * (depth - 1) + b"</x>" * (depth - 1)
    header = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    reader = StreamReader(ParserPool(Limits(depth_max=depth)))
    _, stanza = reader.receive(header + b"<message>" + nested + b"</message>")
    assert isinstance(stanza, Stanza)
    stanza.remove(lambda _: False)
    assert stanza.inner.count(b"<x") == depth - 1
