"""Entity capabilities: XEP-0115 with its own two examples."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha1

from xmpp.element import Element
from xmpp.payloads.capabilities import Capabilities, verification_string
from xmpp.payloads.data_form import FORM_TYPE, Field, Form, of_type
from xmpp.payloads.disco import Identity, Info

FEATURES = (
    "http://jabber.org/protocol/muc",
    "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/caps",
)
EXODUS = Info((Identity("client", "pc", "Exodus 0.9.1"),), FEATURES)
SOFTWARE = of_type(
    "urn:xmpp:dataforms:softwareinfo",
    Field("software_version", ("0.11",)),
    Field("os", ("Mac",)),
    Field("ip_version", ("ipv6", "ipv4"), "text-multi"),
    Field("software", ("Psi",)),
    Field("os_version", ("10.5.1",)),
    type="result",
)
PSI = Info(
    (Identity("client", "pc", "Psi 0.11", "en"), Identity("client", "pc", "\u03a8 0.11", "el")), FEATURES, (SOFTWARE,)
)


def test_the_examples_of_the_specification() -> None:
    assert verification_string(EXODUS) == "QgayPKawpkPSDYmwT/WM94uAlu0="
    assert verification_string(PSI) == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_order_does_not_count() -> None:
    other = of_type("urn:a", Field("x", ("1",)), type="result")
    info = replace(PSI, forms=(SOFTWARE, other))
    reordered = Info(info.identities[::-1], info.features[::-1], info.forms[::-1])
    assert verification_string(reordered) == verification_string(info) != verification_string(PSI)


def test_forms_without_a_hidden_type_do_not_count() -> None:
    forms = (Form("result", (Field("a", ("1",)),)), Form("result", (Field(FORM_TYPE, ("urn:x",)),)))
    assert verification_string(replace(EXODUS, forms=forms)) == verification_string(EXODUS)


def test_identities_are_sorted_part_by_part() -> None:
    """Section 5.1: by category, then by type; as a text, `client-x/` would come before `client/`."""
    info = Info((Identity("client-x", "pc"), Identity("client", "web"), Identity("client", "phone")))
    said = "client/phone//<client/web//<client-x/pc//<"
    assert verification_string(info) == b64encode(sha1(said.encode(), usedforsecurity=False).digest()).decode()


def test_the_element() -> None:
    capabilities = Capabilities("http://code.google.com/p/exodus", "QgayPKawpkPSDYmwT/WM94uAlu0=")
    attributes = {"hash": "sha-1", "node": "http://code.google.com/p/exodus", "ver": "QgayPKawpkPSDYmwT/WM94uAlu0="}
    assert capabilities.element() == Element("{http://jabber.org/protocol/caps}c", attributes)
    assert capabilities.info_node == "http://code.google.com/p/exodus#QgayPKawpkPSDYmwT/WM94uAlu0="
