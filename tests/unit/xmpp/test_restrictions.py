"""What XMPP takes away from XML, and how expat's complaints are told to a peer."""

from typing import NamedTuple
from xml.parsers import expat

import pytest

from xmpp import restrictions
from xmpp.errors import StreamCondition, StreamError
from xmpp.restrictions import restricted_parser, stream_error


@pytest.mark.parametrize("data", [b"<!-- -->", b"<?p i?>", b"<!DOCTYPE a>", b"<!DOCTYPE a SYSTEM 'file:///x'>"])
def test_restricted(data: bytes) -> None:
    with pytest.raises(StreamError) as refusal:
        restricted_parser().Parse(data)
    assert refusal.value.condition == StreamCondition.RESTRICTED_XML


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"<a>", StreamCondition.NOT_WELL_FORMED),
        (b"<p:a/>", StreamCondition.BAD_NAMESPACE_PREFIX),
        (b"<a>&e;</a>", StreamCondition.RESTRICTED_XML),
        (b"<a xmlns='http://www.w3.org/2000/xmlns/'/>", StreamCondition.INVALID_NAMESPACE),
    ],
)
def test_conditions(data: bytes, condition: StreamCondition) -> None:
    with pytest.raises(expat.ExpatError) as refusal:
        restricted_parser().Parse(data, True)
    assert stream_error(refusal.value).condition == condition
    assert stream_error(refusal.value).text


def test_a_declaration_inside_a_stream_is_a_dtd() -> None:
    with pytest.raises(expat.ExpatError) as refusal:
        restricted_parser().Parse(b"<a><!DOCTYPE b>")
    assert stream_error(refusal.value, b"<!D").condition == StreamCondition.RESTRICTED_XML
    assert stream_error(refusal.value, b"<!1").condition == StreamCondition.NOT_WELL_FORMED


def test_a_newer_expat_is_told_not_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expat 2.6 and later can sit on a complete stanza until more data come."""

    class NewerParser:
        deferral = True

        def SetReparseDeferralEnabled(self, enabled: bool) -> None:  # noqa: N802  expat's name
            self.deferral = enabled

    class Expat(NamedTuple):
        parser: NewerParser

        def ParserCreate(self, encoding: str, separator: str) -> NewerParser:  # noqa: N802  expat's name
            return self.parser

    parser = NewerParser()
    monkeypatch.setattr(restrictions, "expat", Expat(parser))
    restricted_parser()
    assert not parser.deferral
