"""Errors are values: each becomes an element and is read back from it."""

import pytest

from xmpp import namespaces
from xmpp.element import Element, serialize
from xmpp.errors import (
    ErrorType,
    SASLCondition,
    SASLFailure,
    StanzaCondition,
    StanzaError,
    StreamCondition,
    StreamError,
)

APPLICATION = Element("{urn:example}too-many-parameters")


def test_every_condition_of_the_specification_is_there() -> None:
    assert (len(StreamCondition), len(StanzaCondition), len(SASLCondition)) == (25, 22, 11)
    assert all("_" not in each for kind in (StreamCondition, StanzaCondition, SASLCondition) for each in kind)


@pytest.mark.parametrize(
    ("condition", "type_"),
    [  # RFC 6120, section 8.3.3
        (StanzaCondition.BAD_REQUEST, "modify"),
        (StanzaCondition.FORBIDDEN, "auth"),
        (StanzaCondition.ITEM_NOT_FOUND, "cancel"),
        (StanzaCondition.JID_MALFORMED, "modify"),
        (StanzaCondition.NOT_ACCEPTABLE, "modify"),
        (StanzaCondition.NOT_ALLOWED, "cancel"),
        (StanzaCondition.RECIPIENT_UNAVAILABLE, "wait"),
        (StanzaCondition.REMOTE_SERVER_NOT_FOUND, "cancel"),
        (StanzaCondition.REMOTE_SERVER_TIMEOUT, "wait"),
        (StanzaCondition.RESOURCE_CONSTRAINT, "wait"),
        (StanzaCondition.SERVICE_UNAVAILABLE, "cancel"),
        (StanzaCondition.UNEXPECTED_REQUEST, "wait"),
    ],
)
def test_default_types(condition: StanzaCondition, type_: str) -> None:
    assert StanzaError(condition).type == type_
    assert condition == condition.value


@pytest.mark.parametrize("condition", StreamCondition)
@pytest.mark.parametrize("application", [None, APPLICATION])
def test_stream_errors_are_read_back(condition: StreamCondition, application: Element | None) -> None:
    error = StreamError(condition, "why", "lyon.example:5322", application)
    assert StreamError.from_element(error.element()) == error


@pytest.mark.parametrize("condition", StanzaCondition)
@pytest.mark.parametrize("application", [None, APPLICATION])
def test_stanza_errors_are_read_back(condition: StanzaCondition, application: Element | None) -> None:
    error = StanzaError(condition, ErrorType.CONTINUE, "why", application, "xmpp:b@x")
    assert StanzaError.from_element(error.element()) == error


@pytest.mark.parametrize("condition", SASLCondition)
def test_sasl_failures_are_read_back(condition: SASLCondition) -> None:
    failure = SASLFailure(condition, "why")
    assert SASLFailure.from_element(failure.element()) == failure


def test_what_is_written() -> None:
    see = StreamError(StreamCondition.SEE_OTHER_HOST, address="lyon.example")
    assert serialize(see.element(), namespaces.CLIENT, {namespaces.STREAMS: "stream"}) == (
        b'<stream:error><see-other-host xmlns="urn:ietf:params:xml:ns:xmpp-streams">lyon.example</see-other-host>'
        b"</stream:error>"
    )
    error = StanzaError(StanzaCondition.NOT_ALLOWED, text="no", application=APPLICATION)
    assert serialize(error.element(), namespaces.CLIENT) == (
        b'<error type="cancel"><not-allowed xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>'
        b'<text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="en">no</text>'
        b'<too-many-parameters xmlns="urn:example"/></error>'
    )


def test_what_is_not_known_is_read_as_undefined() -> None:
    future = f"{{{namespaces.STANZA_ERRORS}}}future"
    error = Element(f"{{{namespaces.CLIENT}}}error", {"type": "later"}, (Element(future), Element(future + "2")))
    assert StanzaError.from_element(error) == StanzaError(StanzaCondition.UNDEFINED_CONDITION)
    empty = Element(f"{{{namespaces.CLIENT}}}error")
    assert StanzaError.from_element(empty) == StanzaError(StanzaCondition.UNDEFINED_CONDITION)
    stream = Element(f"{{{namespaces.STREAMS}}}error", children=(Element(f"{{{namespaces.STREAM_ERRORS}}}future"),))
    assert StreamError.from_element(stream) == StreamError(StreamCondition.UNDEFINED_CONDITION)
    failure = Element(f"{{{namespaces.SASL}}}failure", children=(Element(f"{{{namespaces.SASL}}}bad-auth"),))
    assert SASLFailure.from_element(failure) == SASLFailure(SASLCondition.NOT_AUTHORIZED)


def test_errors_are_compared_by_what_they_say() -> None:
    assert StreamError(StreamCondition.CONFLICT) != StreamError(StreamCondition.CONFLICT, "text")
    assert StreamError(StreamCondition.NOT_AUTHORIZED) != SASLFailure(SASLCondition.NOT_AUTHORIZED)
    assert StreamError(StreamCondition.CONFLICT) != "conflict"
    assert len({StreamError(StreamCondition.CONFLICT), StreamError(StreamCondition.CONFLICT)}) == 1
    assert str(StreamError(StreamCondition.CONFLICT, "newer")) == "conflict: newer"
