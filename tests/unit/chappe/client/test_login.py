"""What failures mean; how a login goes is tested through `Client`."""

import pytest

from chappe.client import Account, Endpoint, LoginRefused, Unreachable
from chappe.client.login import authentication_refusal, closing, home_at, left_of
from xmpp.acknowledgement import AckQueue
from xmpp.client_stream import Resumption
from xmpp.errors import SASLCondition, SASLFailure, StreamCondition, StreamError
from xmpp.jid import JID

PLACE = Endpoint("localhost", 5222)
ACCOUNT = Account(jid=JID.parse("anna@corp.example"), password="demo", endpoint=PLACE)


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (SASLCondition.NOT_AUTHORIZED, LoginRefused),
        (SASLCondition.ENCRYPTION_REQUIRED, LoginRefused),
        (SASLCondition.TEMPORARY_AUTH_FAILURE, Unreachable),
    ],
)
def test_failed_attempts(condition: SASLCondition, kind: type[Exception]) -> None:
    assert isinstance(authentication_refusal(SASLFailure(condition), ACCOUNT), kind)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, Unreachable),
        (StreamError(StreamCondition.SYSTEM_SHUTDOWN), Unreachable),
        (StreamError(StreamCondition.CONFLICT, "replaced"), LoginRefused),
        (StreamError(StreamCondition.HOST_UNKNOWN), LoginRefused),
    ],
)
def test_ends_of_streams(error: StreamError | None, kind: type[Exception]) -> None:
    meant = closing(PLACE, error)
    assert isinstance(meant, kind)
    assert error is None or str(error.condition) in str(meant)


def former() -> Resumption:
    queue: AckQueue[bytes] = AckQueue(10)
    for number in range(3):
        queue.push(b"%d" % number)
    return Resumption("id", JID.parse("anna@corp.example/desk"), 0, queue)


@pytest.mark.parametrize(("h", "left"), [(None, [b"0", b"1", b"2"]), (2, [b"2"]), (3, []), (9, [])])
def test_what_is_left_of_a_lost_session(h: int | None, left: list[bytes]) -> None:
    assert left_of(former(), h) == left


def test_nothing_is_left_of_nothing() -> None:
    assert left_of(None, 1) == []


def test_a_redirection_leads_to_the_port_it_names_or_to_that_of_starttls() -> None:
    assert home_at("paris.corp.example", 5322) == Endpoint("paris.corp.example", 5322)
    assert home_at("paris.corp.example", None) == Endpoint("paris.corp.example", 5222)
