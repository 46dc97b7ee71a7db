"""XML that XMPP does not allow: the right stream error, before and after somebody has logged in, on each transport."""

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.conftest import Connect
from tests.integration.abuse.offender import Way

MESSAGE_BYTES_MAX = 262_144

FORBIDDEN: dict[str, tuple[str | bytes, str]] = {
    "a comment": ("<message><!-- hidden --></message>", "restricted-xml"),
    "an instruction": ("<message><?php echo 1 ?></message>", "restricted-xml"),
    "a DTD": ("<!DOCTYPE message [<!ENTITY a 'b'>]><message/>", "restricted-xml"),
    "an entity of its own": ("<message><body>&lol;</body></message>", "restricted-xml"),
    "an entity in an attribute": ("<message id='&lol;'/>", "restricted-xml"),
    "an undeclared prefix": ("<message><x:y/></message>", "bad-namespace-prefix"),
    "an undeclared prefix of an attribute": ("<message><y x:z='1'/></message>", "bad-namespace-prefix"),
    "the prefix of the stream": ("<message><stream:features/></message>", "bad-namespace-prefix"),
    "a prefix that was declared to the header": ("<message><own:x/></message>", "bad-namespace-prefix"),
    "xml bound to something else": ("<message xmlns:xml='urn:x'/>", "bad-namespace-prefix"),
    "two prefixes": ("<message><a:b:c xmlns:a='urn:a'/></message>", "not-well-formed"),
    "tags that do not match": ("<message><a></b></message>", "not-well-formed"),
    "an attribute twice": ("<message id='1' id='2'/>", "not-well-formed"),
    "a naked <": ("<message id='<'/>", "not-well-formed"),
    "a naked &": ("<message><body>Q & A</body></message>", "not-well-formed"),
    "a reference to NUL": ("<message><body>&#0;</body></message>", "not-well-formed"),
    "a control character": ("<message><body>\x1b[2J</body></message>", "not-well-formed"),
    "NUL": ("<message><body>\x00</body></message>", "not-well-formed"),
    "a byte that is never UTF-8": (b"<message><body>\xff</body></message>", "not-well-formed"),
    "an overlong form": (b"<message><body>\xc0\xbc</body></message>", "not-well-formed"),
    "half a surrogate pair": (b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
    "half a character": (b"<message><body>\xe2\x82</body></message>", "not-well-formed"),
    "deep nesting": (f"<message>{'<a>' * 100}{'</a>' * 100}</message>", "policy-violation"),
}
ATTRIBUTES = " ".join(f"a{number}='1'" for number in range(60_000))
TOO_MUCH: dict[str, tuple[str | bytes, str]] = {
    "a stanza that is too long": (f"<message><body>{'x' * 300_000}</body></message>", "policy-violation"),
    "a stanza that does not end": (f"<message><body>{'x' * 300_000}", "policy-violation"),
    "a tag that does not end": (f"<message id='{'x' * 300_000}", "policy-violation"),
    "an attribute that is too long": (f"<message id='{'x' * 300_000}'/>", "policy-violation"),
    "too many attributes": (f"<message {ATTRIBUTES}/>", "policy-violation"),
    "too many elements": (f"<message>{'<a/>' * 60_000}</message>", "policy-violation"),
}
ONLY_ONLINE: dict[str, tuple[str | bytes, str]] = {
    "a stanza of another namespace": ("<message xmlns='urn:x'/>", "unsupported-stanza-type"),
    "an unknown element": ("<letter xmlns='jabber:client'/>", "unsupported-stanza-type"),
    "a second login": (
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYQ==</auth>",
        "unsupported-stanza-type",
    ),
    "a late starttls": ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "unsupported-stanza-type"),
    "text between stanzas": ("hello", "bad-format"),
}
HEADER = "to='corp.example' version='1.0' xmlns:own='urn:own'"


def cases(*tables: dict[str, tuple[str | bytes, str]]) -> pytest.MarkDecorator:
    named = {name: case for table in tables for name, case in table.items()}
    return pytest.mark.parametrize(("data", "condition"), named.values(), ids=named.keys())


def raw(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def expected(condition: str, data: str | bytes, way: Way) -> str:
    """What says that something is too long, where a whole message shows it in its head."""
    return "message too big" if way is Way.WEBSOCKET and len(raw(data)) > MESSAGE_BYTES_MAX else condition


def as_sent(data: str | bytes, way: Way) -> bytes:
    """Over WebSocket a stanza declares its namespace."""
    text = raw(data)
    return text.replace(b"<message", b"<message xmlns='jabber:client'", 1) if way is Way.WEBSOCKET else text


@pytest.mark.parametrize("way", Way)
@cases(FORBIDDEN, TOO_MUCH)
async def test_of_somebody_unknown(
    bystanders: Bystanders, connect: Connect, way: Way, data: str | bytes, condition: str
) -> None:
    offender = await connect(way)
    offender.open(HEADER)
    await offender.read_until(b"</stream:features>")
    offender.send(as_sent(data, way))
    assert await offender.verdict() == expected(condition, data, way)
    await bystanders.talk()


@pytest.mark.parametrize("way", Way)
@cases(FORBIDDEN, TOO_MUCH, ONLY_ONLINE)
async def test_of_a_colleague(
    bystanders: Bystanders, connect: Connect, way: Way, data: str | bytes, condition: str
) -> None:
    offender = await (await connect(way)).log_in()
    offender.send(raw(data) if "xmlns='urn:x'" in str(data) else as_sent(data, way))
    assert await offender.verdict() == expected(condition, data, way)
    await bystanders.talk()


HEADER_START = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
HEADERS: dict[str, tuple[bytes, str]] = {
    "another domain": (
        HEADER_START + b"to='example.org' version='1.0'>",
        "host-unknown",
    ),
    "no version": (
        HEADER_START + b"to='corp.example'>",
        "unsupported-version",
    ),
    "another protocol": (
        b"<stream:stream xmlns='jabber:client' xmlns:stream='urn:x' to='corp.example' version='1.0'>",
        "invalid-namespace",
    ),
    "a server's stream": (
        HEADER_START.replace(b"client", b"server") + b"to='corp.example' version='1.0'>",
        "invalid-namespace",
    ),
    "no stream": (b"<html xmlns='http://www.w3.org/1999/xhtml'>", "invalid-namespace"),
    "a DTD": (
        b"<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;&lol;'>]>",
        "restricted-xml",
    ),
    "an external DTD": (b"<!DOCTYPE s SYSTEM 'file:///etc/passwd'>", "restricted-xml"),
    "a comment": (b"<!-- hello --><stream:stream>", "restricted-xml"),
    "an instruction": (b"<?php 1 ?>", "restricted-xml"),
    "a declared Latin-1": (b"<?xml version='1.0' encoding='iso-8859-1'?>", "unsupported-encoding"),
    "UTF-16": ("\ufeff<stream:stream>".encode("utf-16-le"), "unsupported-encoding"),
    "an undeclared prefix": (b"<stream:stream xmlns='jabber:client' to='corp.example'>", "bad-namespace-prefix"),
    "junk": (bytes(range(1, 32)) * 8, "not-well-formed"),
    "text": (b"HELO corp.example\r\n", "not-well-formed"),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: corp.example\r\n\r\n", "not-well-formed"),
    "a header that does not end": (b"<stream:stream " + b"a" * 60_000, "policy-violation"),
}


@pytest.mark.parametrize("way", [Way.TCP, Way.TLS])
@pytest.mark.parametrize(("data", "condition"), HEADERS.values(), ids=HEADERS.keys())
async def test_instead_of_a_header(
    bystanders: Bystanders, connect: Connect, way: Way, data: bytes, condition: str
) -> None:
    offender = await connect(way)
    offender.write(data)
    assert await offender.verdict() == condition
    await bystanders.talk()


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("stanza", ["<message to='anna@corp.example'/>", "<presence/>", "<iq type='get' id='1'/>"])
async def test_a_stanza_of_somebody_unknown(bystanders: Bystanders, connect: Connect, way: Way, stanza: str) -> None:
    offender = await connect(way)
    await offender.features()
    offender.send(offender.stanza(stanza))
    assert await offender.verdict() == "not-authorized"
    await bystanders.talk()
