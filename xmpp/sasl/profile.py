"""SASL messages as elements of a stream (RFC 6120 section 6.4), read and written for both roles."""

import base64
import binascii

from xmpp.element import Element
from xmpp.errors import SASLCondition, SASLFailure
from xmpp.namespaces import SASL

AUTH = f"{{{SASL}}}auth"
CHALLENGE = f"{{{SASL}}}challenge"
RESPONSE = f"{{{SASL}}}response"
SUCCESS = f"{{{SASL}}}success"
FAILURE = f"{{{SASL}}}failure"
ABORT = f"{{{SASL}}}abort"

_NO_DATA = "="


def authentication(mechanism: str, initial: bytes) -> Element:
    """Begin, with an initial response (section 6.4.2)."""
    text = base64.b64encode(initial).decode() or _NO_DATA
    return Element(AUTH, {"mechanism": mechanism}, (text,))


def message(name: str, data: bytes) -> Element:
    """Write a challenge, a response or a success."""
    return Element(name, {}, (base64.b64encode(data).decode(),) if data else ())


def initial_response(element: Element) -> bytes | None:
    """Read `<auth/>`: its data, or None if the client gave none.  Raises SASLFailure."""
    return data_of(element) if element.text else None


def data_of(element: Element) -> bytes:
    """Read any other message.  Raises SASLFailure (section 6.5.5)."""
    text = element.text
    if text == _NO_DATA:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SASLFailure(SASLCondition.INCORRECT_ENCODING) from error
