"""Stream headers: whole, byte by byte, and with everything that may be wrong with them."""

import pytest

from xmpp.cutter import Limits
from xmpp.errors import StreamCondition, StreamError
from xmpp.header import HeaderReader
from xmpp.items import StreamHeader

NAMES = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
TAG = f"<stream:stream {NAMES}>"

ACCEPTED = [
    ("", TAG, {}),
    ("<?xml version='1.0'?>", TAG, {}),
    ("<?xml version='1.0' encoding='UTF-8'?>\n", TAG, {}),
    ('<?xml version="1.0" encoding="utf-8" standalone="yes"?>', TAG, {}),
    ("\ufeff<?xml version='1.0'?>", TAG, {}),
    ("\ufeff", TAG, {}),
    ("\n ", TAG, {}),
    (
        "",
        f"<stream:stream  to='corp.example'\n from='a@x' id='>&lt;' version='1.0' xml:lang='de' {NAMES} >",
        {"to": "corp.example", "sender": "a@x", "id": "><", "version": "1.0", "lang": "de"},
    ),
]

REFUSED = [
    (b"GET / HTTP/1.1\r\n\r\n", StreamCondition.NOT_WELL_FORMED),
    (b"\x16\x03\x01\x02\x00\x01", StreamCondition.NOT_WELL_FORMED),  # TLS on a plain port
    (b"<s\0", StreamCondition.NOT_WELL_FORMED),
    (b"\0\0", StreamCondition.UNSUPPORTED_ENCODING),
    (b" \0", StreamCondition.UNSUPPORTED_ENCODING),
    (b"<stream:stream \xff>", StreamCondition.NOT_WELL_FORMED),
    (b" <?xml version='1.0'?>", StreamCondition.NOT_WELL_FORMED),
    (b"<?xml version='1.1'?>", StreamCondition.NOT_WELL_FORMED),
    (b"<?xml version='1.0' encoding='ISO-8859-1'?>", StreamCondition.UNSUPPORTED_ENCODING),
    (b"<?xml version='1.0' encoding='UTF-16'?>", StreamCondition.UNSUPPORTED_ENCODING),
    (TAG.encode("utf-16"), StreamCondition.UNSUPPORTED_ENCODING),
    (TAG.encode("utf-16-le"), StreamCondition.UNSUPPORTED_ENCODING),
    (TAG.encode("utf-16-be"), StreamCondition.UNSUPPORTED_ENCODING),
    (b"<!-- --><a/>", StreamCondition.RESTRICTED_XML),
    (b"<?php ?><a/>", StreamCondition.RESTRICTED_XML),
    (b"<!DOCTYPE stream:stream><a/>", StreamCondition.RESTRICTED_XML),
    (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", StreamCondition.RESTRICTED_XML),
    (b"<stream:stream xmlns='jabber:client'>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (TAG.replace("stream:", "s:").replace(":stream=", ":s=").encode(), StreamCondition.BAD_NAMESPACE_PREFIX),
    (b"<stream xmlns='http://etherx.jabber.org/streams'>", StreamCondition.BAD_NAMESPACE_PREFIX),
    (TAG.replace("etherx", "example").encode(), StreamCondition.INVALID_NAMESPACE),
    (b"<stream:stream xmlns='jabber:client' xmlns:stream='urn:x'>", StreamCondition.INVALID_NAMESPACE),
    (TAG.replace("jabber:client", "jabber:server").encode(), StreamCondition.INVALID_NAMESPACE),
    (TAG.replace("xmlns='jabber:client'", "").encode(), StreamCondition.INVALID_NAMESPACE),
    (b"<message/>", StreamCondition.INVALID_NAMESPACE),
    (b"<stream>", StreamCondition.INVALID_NAMESPACE),
    (TAG.replace("stream:stream", "stream:features").encode(), StreamCondition.BAD_FORMAT),
    (TAG.replace(">", "/>").encode(), StreamCondition.BAD_FORMAT),
    (b"<stream:stream to='" + b"x" * 500, StreamCondition.POLICY_VIOLATION),
    (b" " * 500, StreamCondition.POLICY_VIOLATION),
]


def feed_bytewise(header: HeaderReader, data: bytes) -> list[StreamHeader | None]:
    return [header.feed(data[index : index + 1]) for index in range(len(data))]


def reader() -> HeaderReader:
    return HeaderReader(Limits(tag_size_bytes_max=300))


@pytest.mark.parametrize(("before", "tag", "values"), ACCEPTED)
def test_what_is_accepted(before: str, tag: str, values: dict[str, str]) -> None:
    header = StreamHeader(**values, raw=tag.encode())
    data = (before + tag).encode()
    whole = reader()
    assert whole.feed(data + b" <iq/><") == header
    assert whole.rest == b" <iq/><"
    bytewise = reader()
    assert feed_bytewise(bytewise, data) == [None] * (len(data) - 1) + [header]
    assert bytewise.rest == b""
    for cut in range(len(data)):
        halves = reader()
        assert halves.is_untouched
        assert halves.feed(data[:cut]) is None
        assert halves.is_untouched == (cut == 0)
        assert halves.feed(data[cut:]) == header


@pytest.mark.parametrize(("data", "condition"), REFUSED)
def test_what_is_refused(data: bytes, condition: StreamCondition) -> None:
    with pytest.raises(StreamError) as whole:
        reader().feed(data)
    assert whole.value.condition == condition
    with pytest.raises(StreamError) as bytewise:
        feed_bytewise(reader(), data)
    assert bytewise.value.condition == condition
