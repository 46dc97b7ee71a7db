"""Entity capabilities: XEP-0115 with its own two examples."""

from dataclasses import replace

import pytest

from xmpp.element import Element
from xmpp.payloads.capabilities import NAME, Capabilities, is_well_formed, read, verification_string
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


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (EXODUS, True),
        (PSI, True),
        (replace(EXODUS, identities=EXODUS.identities * 2), False),
        (replace(EXODUS, features=(*FEATURES, FEATURES[0])), False),
        (replace(PSI, forms=(SOFTWARE, SOFTWARE)), False),
        (Info(forms=(Form("result", (Field(FORM_TYPE, ("urn:x", "urn:y"), "hidden"),)),)), False),
        (Info(forms=(Form("result", (Field("a", ("1", "2")),)),)), True),
    ],
)
def test_what_is_there_twice(info: Info, expected: bool) -> None:
    assert is_well_formed(info) is expected


def test_the_element() -> None:
    capabilities = Capabilities("http://code.google.com/p/exodus", "QgayPKawpkPSDYmwT/WM94uAlu0=")
    assert read(capabilities.element()) == capabilities
    assert capabilities.info_node == "http://code.google.com/p/exodus#QgayPKawpkPSDYmwT/WM94uAlu0="
    assert read(Element(NAME, {"node": "n", "ver": "1.0", "ext": "legacy"})) is None
