"""Addresses: RFC 7622 with its own table of examples, and what peers are known to send."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmpp import jid as jid_module
from xmpp.jid import JID, InvalidJID

VALID = [  # RFC 7622, section 3.5, table 1
    ("juliet@example.com", ("juliet", "example.com", None)),
    ("juliet@example.com/foo", ("juliet", "example.com", "foo")),
    ("juliet@example.com/foo bar", ("juliet", "example.com", "foo bar")),
    ("juliet@example.com/foo@bar", ("juliet", "example.com", "foo@bar")),
    ("foo\\20bar@example.com", ("foo\\20bar", "example.com", None)),
    ("fussball@example.com", ("fussball", "example.com", None)),
    ("fu\xdfball@example.com", ("fu\xdfball", "example.com", None)),
    ("\u03c0@example.com", ("\u03c0", "example.com", None)),
    ("\u03a3@example.com/foo", ("\u03c3", "example.com", "foo")),
    ("\u03c3@example.com/foo", ("\u03c3", "example.com", "foo")),
    ("\u03c2@example.com/foo", ("\u03c2", "example.com", "foo")),
    ("king@example.com/\u265a", ("king", "example.com", "\u265a")),
    ("example.com", (None, "example.com", None)),
    ("example.com/foobar", (None, "example.com", "foobar")),
    ("a.example.com/b@example.net", (None, "a.example.com", "b@example.net")),
    # and what the text of the RFC says
    ("AnNa@Corp.EXAMPLE/PC", ("anna", "corp.example", "PC")),
    ("anna@corp.example.", ("anna", "corp.example", None)),
    ("\uff41nna@corp.example", ("anna", "corp.example", None)),
    ("a@\uff45\uff58.com", ("a", "ex.com", None)),
    ("a@M\xfcller.de", ("a", "m\xfcller.de", None)),
    ("a@xn--mller-kva.de", ("a", "m\xfcller.de", None)),
    ("a@xn--fuball-cta.example", ("a", "fu\xdfball.example", None)),
    ("a@example\u3002com", ("a", "example.com", None)),
    ("a@x/\u00a0b", ("a", "x", " b")),
    ("a@x/\u212b", ("a", "x", "\xc5")),
    ("a@x/b/c@d", ("a", "x", "b/c@d")),
    ("a@127.0.0.1", ("a", "127.0.0.1", None)),
    ("a@[::1]", ("a", "[::1]", None)),
    ("a@[FE80:0::0001]/r", ("a", "[fe80::1]", "r")),
    ("a" * 1023 + "@" + "a." * 509 + "a.com/" + "r" * 1023, ("a" * 1023, "a." * 509 + "a.com", "r" * 1023)),
]

INVALID = [
    '"juliet"@example.com',  # RFC 7622, section 3.5, table 2
    "foo bar@example.com",
    "juliet@example.com/",
    "@example.com/",
    "henry\u2163@example.com",
    "\u265a@example.com",
    "juliet@",
    "/foobar",
    "",
    "@",
    "@example.com",
    "a@b@c",
    "a&b@x",
    "a'b@x",
    "a:b@x",
    "a<b@x",
    "a>b@x",
    "\uff1ca@x",  # a full-width '<' becomes a plain one
    "a\x7f@x",
    "a\u200d@x",
    "\xadab@x",
    "\u0635a@x",  # directions mixed
    "a@x/\0",
    "a@x/\n",
    "a@x/\ud800",
    "a@.",
    "a@example..com",
    "a@.example.com",
    "a@-x.com",
    "a@x-.com",
    "a@my_host",
    "a@x:5222",
    "a@" + "b" * 64,
    "a@xn--",
    "a@b\xfccher.xn--zzzz--",
    "a@::1",
    "a@[::1",
    "a@[::]1]",
    "a@[::1%eth0]",
    "a@[1.2.3.4]",
    "a" * 1024 + "@x",
    "\xe4" * 512 + "@x",
    "a@x/" + "r" * 1024,
    "a@x/" + "\u265a" * 342,
    "a@" + "a." * 509 + "aa.com",
    "a@" + ("\xe4" * 20 + ".") * 25 + "com",
]


@pytest.mark.parametrize(("text", "parts"), VALID)
def test_valid_addresses(text: str, parts: tuple[str | None, str, str | None]) -> None:
    address = JID.parse(text)
    assert (address.local, address.domain, address.resource) == parts
    assert JID.parse(address.full) == address


@pytest.mark.parametrize("text", INVALID)
def test_invalid_addresses(text: str) -> None:
    with pytest.raises(InvalidJID):
        JID.parse(text)


def test_forms() -> None:
    anna = JID.parse("Anna@corp.example/PC")
    assert (anna.bare, anna.full, str(anna), repr(anna)) == (
        "anna@corp.example",
        "anna@corp.example/PC",
        "anna@corp.example/PC",
        "JID('anna@corp.example/PC')",
    )
    assert not anna.is_bare
    assert anna.bare_jid == JID.parse("anna@corp.example")
    assert anna.bare_jid.is_bare
    assert anna.bare_jid.bare_jid is anna.bare_jid
    assert anna.bare_jid.full == anna.bare


def test_a_resource_is_checked_when_it_is_added() -> None:
    anna = JID.parse("anna@corp.example")
    assert anna.with_resource("PC").full == "anna@corp.example/PC"
    assert anna.with_resource("PC").with_resource("phone").full == "anna@corp.example/phone"
    for resource in ("", "\0", "r" * 1024):
        with pytest.raises(InvalidJID):
            anna.with_resource(resource)


def test_the_form_for_xml_is_escaped() -> None:
    assert JID.parse("a@x/<\"&'>").escaped == "a@x/&lt;&quot;&amp;&apos;&gt;"


def test_equality_and_hash_follow_the_full_form() -> None:
    assert JID.parse("A@x/r") == JID("a", "X", "r")
    assert hash(JID.parse("A@x/r")) == hash(JID("a", "X", "r"))
    assert JID.parse("a@x/r") != JID.parse("a@x/R")
    assert JID.parse("a@x") != "a@x"


def test_copied_and_pickled() -> None:
    anna = JID.parse("anna@corp.example/PC")
    assert copy.copy(anna) is anna
    assert copy.deepcopy(anna) is anna
    assert pickle.loads(pickle.dumps(anna)) == anna  # noqa: S301  our own bytes


def test_only_short_addresses_are_cached() -> None:
    assert JID.parse("anna@corp.example/PC") is JID.parse("anna@corp.example/PC")
    long = "a@x/" + "r" * jid_module.CACHED_LENGTH_MAX
    assert JID.parse(long) is not JID.parse(long)


def test_a_text_without_a_stable_form_is_refused() -> None:
    class Growing:
        """As RFC 8264 section 7 warns of; the profiles that are used know no such text today."""

        def enforce(self, text: str) -> str:
            return text + "x"

    with pytest.raises(InvalidJID, match="stable"):
        jid_module._enforce(Growing(), "\u265a", "resource")  # type: ignore[arg-type]  # noqa: SLF001


@given(st.text(max_size=30))
def test_any_text_is_refused_or_has_one_canonical_form(text: str) -> None:
    try:
        address = JID.parse(text)
    except InvalidJID:
        return
    assert JID.parse(str(address)) == address
    assert JID(address.local, address.domain, address.resource) == address


@given(
    st.none() | st.text(min_size=1, max_size=10),
    st.from_regex(r"[a-zA-Z0-9\u00e0-\u00f6]{1,10}(\.[a-z]{2,5})?", fullmatch=True),
    st.none() | st.text(min_size=1, max_size=10),
)
def test_any_parts_are_refused_or_stable(local: str | None, domain: str, resource: str | None) -> None:
    try:
        address = JID(local, domain, resource)
    except InvalidJID:
        return
    assert JID.parse(address.full) == address
    assert len(address.full.encode()) <= 3 * 1023 + 2
