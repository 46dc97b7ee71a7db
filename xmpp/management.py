"""The elements of XEP-0198, read and written for both roles; the counting is in `acknowledgement`."""

from typing import Final

from xmpp.acknowledgement import COUNT_MODULUS
from xmpp.element import Element
from xmpp.errors import StanzaCondition
from xmpp.namespaces import STANZA_ERRORS, STREAM_MANAGEMENT

ENABLE: Final = f"{{{STREAM_MANAGEMENT}}}enable"
ENABLED: Final = f"{{{STREAM_MANAGEMENT}}}enabled"
RESUME: Final = f"{{{STREAM_MANAGEMENT}}}resume"
RESUMED: Final = f"{{{STREAM_MANAGEMENT}}}resumed"
FAILED: Final = f"{{{STREAM_MANAGEMENT}}}failed"
REQUEST: Final = f"{{{STREAM_MANAGEMENT}}}r"
ANSWER: Final = f"{{{STREAM_MANAGEMENT}}}a"

ACKNOWLEDGEMENT_REQUEST: Final = b'<r xmlns="urn:xmpp:sm:3"/>'
"""`<r/>`, written."""


def enable(*, can_resume: bool, max_seconds: int | None) -> Element:
    """`<enable/>` (section 3)."""
    return Element(ENABLE, _resumption(can_resume, max_seconds))


def enabled(id: str | None, max_seconds: int | None) -> Element:
    """`<enabled/>`; None as id: the stream can't be resumed."""
    attributes = {} if id is None else {"id": id}
    return Element(ENABLED, attributes | _resumption(id is not None, max_seconds))


def _resumption(can_resume: bool, max_seconds: int | None) -> dict[str, str]:
    attributes = {"resume": "true"} if can_resume else {}
    if can_resume and max_seconds is not None:
        attributes["max"] = str(max_seconds)
    return attributes


def can_resume(element: Element) -> bool:
    """Whether `<enable/>` asks for, or `<enabled/>` grants, resumption."""
    return element.get("resume") in ("true", "1")


def max_seconds(element: Element) -> int | None:
    """The `max` of `<enable/>` or `<enabled/>`; None if there is none or it is no positive number."""
    return _number(element.get("max")) or None


def handled_count(element: Element) -> int | None:
    """The `h` of any of these elements; None if there is none or it is no unsigned 32-bit number."""
    return _number(element.get("h"))


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > len(str(COUNT_MODULUS)):
        return None
    number = int(text)
    return number if number < COUNT_MODULUS else None


def resume(previous_id: str, h: int) -> Element:
    """`<resume/>` (section 5)."""
    return Element(RESUME, {"previd": previous_id, "h": str(h)})


def resumed(previous_id: str, h: int) -> Element:
    """`<resumed/>` (section 5)."""
    return Element(RESUMED, {"previd": previous_id, "h": str(h)})


def failed(condition: StanzaCondition, h: int | None = None) -> Element:
    """`<failed/>`; `h` if a lost stream's count is still known (section 5)."""
    attributes = {} if h is None else {"h": str(h)}
    return Element(FAILED, attributes, (Element(f"{{{STANZA_ERRORS}}}{condition}"),))


def answer(h: int) -> bytes:
    """`<a/>` (section 4), written: alike in both framings, and the most frequent of all."""
    return b'<a xmlns="urn:xmpp:sm:3" h="%d"/>' % h
