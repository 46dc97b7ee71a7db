import pytest

from xmpp.element import Element, serialize
from xmpp.errors import SASLCondition, SASLFailure
from xmpp.namespaces import SASL
from xmpp.sasl import profile


def test_an_authentication_carries_its_initial_response() -> None:
    written = serialize(profile.authentication("PLAIN", b"\0anna\0demo"), SASL)
    assert written == b'<auth mechanism="PLAIN">AGFubmEAZGVtbw==</auth>'


def test_an_empty_initial_response_is_written_as_an_equals_sign() -> None:
    element = profile.authentication("EXTERNAL", b"")
    assert element.text == "="
    assert profile.initial_response(element) == b""


def test_an_absent_initial_response_is_none() -> None:
    assert profile.initial_response(Element(profile.AUTH)) is None


@pytest.mark.parametrize("data", [b"", b"data", bytes(range(256))])
def test_a_message_can_be_read_back(data: bytes) -> None:
    assert profile.data_of(profile.message(profile.CHALLENGE, data)) == data


@pytest.mark.parametrize("text", ["?", "YQ", "Y Q==", "\n", "ä"])
def test_what_is_not_base64_is_an_incorrect_encoding(text: str) -> None:
    with pytest.raises(SASLFailure) as failure:
        profile.data_of(Element(profile.RESPONSE, {}, (text,)))
    assert failure.value.condition is SASLCondition.INCORRECT_ENCODING
