"""The client's side, as conversations.  Each is also held one byte at a time."""

import base64
from collections.abc import Callable

import pytest

from tests.support.playbook import Playbook
from tests.support.streams import ANNA, ENCRYPTED, PLAINTEXT, POOL, UNBOUND, client_settings
from xmpp.acknowledgement import HandledCountTooHigh, QueueFull
from xmpp.client_stream import ClientSettings, ClientStream
from xmpp.errors import SASLCondition, SASLFailure, StreamCondition, StreamError
from xmpp.events import (
    Acknowledged,
    AuthenticationFailed,
    BindingFailed,
    ManagementEnabled,
    ManagementRefused,
    Online,
    Redirected,
    Resumed,
    ResumptionRefused,
    StreamClosed,
    TLSRequested,
)
from xmpp.framing import TcpFraming, WebSocketFraming
from xmpp.sasl import TransportFacts
from xmpp.sasl.client import Login
from xmpp.stanza import Stanza
from xmpp.transitions import StreamMisuse, StreamState

Client = Playbook[ClientStream]
Begin = Callable[..., Client]

OURS = (
    b'<?xml version=\'1.0\'?><stream:stream to="corp.example" version="1.0" xml:lang="en"'
    b' xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">'
)
HEADER = (
    b'<stream:stream from="corp.example" id="s1" version="1.0" xmlns="jabber:client"'
    b' xmlns:stream="http://etherx.jabber.org/streams">'
)
END = b"</stream:stream>"
STARTTLS = b'<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
PROCEED = b'<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
PLAIN = b'<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>PLAIN</mechanism></mechanisms>'
SCRAM = PLAIN.replace(b"PLAIN", b"SCRAM-SHA-1")
AUTH = b'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">AGFubmEAZGVtbw==</auth>'
ABORT = b'<abort xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'
SUCCESS = b'<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'
BIND = b'<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>'
MANAGEMENT = b'<sm xmlns="urn:xmpp:sm:3"/>'
ASK = b'<iq type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>desk</resource></bind></iq>'
BOUND = (
    b'<iq type="result" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">'
    b"<jid>anna@corp.example/desk</jid></bind></iq>"
)
ENABLE = b'<enable xmlns="urn:xmpp:sm:3" resume="true"/>'
ENABLED = b'<enabled xmlns="urn:xmpp:sm:3" id="sm-1" resume="true" max="300"/>'
FAILED = b'<failed xmlns="urn:xmpp:sm:3" h="7"/>'
REQUEST = b'<r xmlns="urn:xmpp:sm:3"/>'
MESSAGE = b'<message type="chat" id="m"><body>hi</body></message>'
DESK = ANNA.with_resource("desk")


def features(*elements: bytes) -> bytes:
    return b"<stream:features>%b</stream:features>" % b"".join(elements)


def answer(h: int) -> bytes:
    return b'<a xmlns="urn:xmpp:sm:3" h="%d"/>' % h


def challenge(data: bytes) -> bytes:
    return b'<challenge xmlns="urn:ietf:params:xml:ns:xmpp-sasl">%b</challenge>' % base64.b64encode(data)


def message() -> Stanza:
    return Stanza("message", "chat", "m", payloads=("{jabber:client}body",), inner=b"<body>hi</body>")


def failed(condition: SASLCondition, text: str = "") -> AuthenticationFailed:
    return AuthenticationFailed(SASLFailure(condition, text))


@pytest.fixture(params=[None, 1], ids=["whole", "byte by byte"])
def begin(request: pytest.FixtureRequest) -> Begin:
    """A client stream at its very beginning, which has sent its header."""

    def make(facts: TransportFacts = UNBOUND, settings: ClientSettings | None = None) -> Client:
        stream = ClientStream(settings or client_settings(), TcpFraming(), POOL, facts)
        return Playbook(stream, request.param).says(OURS)

    return make


@pytest.fixture
def authenticated(begin: Begin) -> Begin:
    """A client stream that has read the header of the authenticated stream."""

    def make(settings: ClientSettings | None = None) -> Client:
        client = begin(UNBOUND, settings).hears(HEADER).hears(features(PLAIN)).says(AUTH)
        return client.hears(SUCCESS).says(OURS).hears(HEADER).says().reports()

    return make


@pytest.fixture
def online(authenticated: Begin) -> Begin:
    """A client stream that is bound, with or without stream management."""

    def make(settings: ClientSettings | None = None, *, managed: bool = True) -> Client:
        client = authenticated(settings).hears(features(BIND, *([MANAGEMENT] if managed else [])))
        client.hears(BOUND + (ENABLED if managed else b""))
        client.stream.data_to_send()
        client.stream.events_received()
        return client

    return make


# --- TLS ---------------------------------------------------------------------


def test_tls_is_started_whenever_it_is_offered(begin: Begin) -> None:
    client = begin(PLAINTEXT, client_settings(requires_tls=False))
    client.hears(HEADER).hears(features(STARTTLS, SCRAM)).says(STARTTLS).reports()
    client.hears(PROCEED).says().reports(TLSRequested())
    client.stream.tls_established(ENCRYPTED)
    client.says(OURS).hears(HEADER).hears(features(STARTTLS, PLAIN)).says(AUTH)


@pytest.mark.parametrize("smuggled", [b"<", features(PLAIN)])
def test_nothing_may_follow_proceed_in_the_clear(begin: Begin, smuggled: bytes) -> None:
    client = Playbook(begin(PLAINTEXT).hears(HEADER).hears(features(STARTTLS)).says(STARTTLS).stream)
    client.hears(PROCEED + smuggled)
    (event,) = client.stream.events_received()
    assert isinstance(event, StreamClosed)
    assert client.stream.is_closed


def test_a_server_that_cannot_start_tls_is_left(begin: Begin) -> None:
    client = begin(PLAINTEXT).hears(HEADER).hears(features(STARTTLS)).says(STARTTLS)
    client.hears(PROCEED.replace(b"proceed", b"failure")).says(END)
    client.reports(failed(SASLCondition.ENCRYPTION_REQUIRED, "the server cannot start TLS"))


def test_a_server_without_tls_is_left(begin: Begin) -> None:
    client = begin(PLAINTEXT).hears(HEADER).hears(features(SCRAM)).says(END)
    client.reports(failed(SASLCondition.ENCRYPTION_REQUIRED, "the server offers no TLS"))


def test_tls_that_was_not_asked_for_is_our_own_mistake(begin: Begin) -> None:
    with pytest.raises(StreamMisuse):
        begin().stream.tls_established(ENCRYPTED)


def test_tls_that_comes_too_late_is_ignored(begin: Begin) -> None:
    client = begin()
    client.stream.receive_eof()
    client.stream.tls_established(ENCRYPTED)
    client.says().reports(StreamClosed(None, is_clean=False))


# --- SASL --------------------------------------------------------------------


def test_a_password_is_never_sent_in_the_clear(begin: Begin) -> None:
    client = begin(PLAINTEXT, client_settings(requires_tls=False)).hears(HEADER).hears(features(PLAIN)).says(END)
    client.reports(failed(SASLCondition.INVALID_MECHANISM, "no mechanism in common"))


def test_a_failure_ends_the_stream(begin: Begin) -> None:
    client = begin().hears(HEADER).hears(features(PLAIN)).says(AUTH)
    client.hears(b'<failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><account-disabled/></failure>')
    client.says(END).reports(failed(SASLCondition.ACCOUNT_DISABLED))


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        (challenge(b"r=x"), SASLCondition.MALFORMED_REQUEST),
        (challenge(b"x").replace(b"eA==", b"?"), SASLCondition.INCORRECT_ENCODING),
    ],
)
def test_a_challenge_that_makes_no_sense_is_aborted(begin: Begin, said: bytes, condition: SASLCondition) -> None:
    client = begin().hears(HEADER).hears(features(SCRAM))
    client.stream.data_to_send()
    client.hears(said).says(ABORT, END)
    (event,) = client.stream.events_received()
    assert isinstance(event, AuthenticationFailed)
    assert event.failure.condition is condition


def test_a_server_that_does_not_know_the_password_is_left(begin: Begin) -> None:
    client = begin().hears(HEADER).hears(features(SCRAM))
    client.stream.data_to_send()
    client.hears(SUCCESS).says(END).reports(failed(SASLCondition.NOT_AUTHORIZED, "the server's signature is wrong"))


def test_nothing_may_follow_success(begin: Begin) -> None:
    client = Playbook(begin().hears(HEADER).hears(features(PLAIN)).says(AUTH).stream)
    client.hears(SUCCESS + MESSAGE)
    (event,) = client.stream.events_received()
    assert isinstance(event, StreamClosed)


# --- binding -----------------------------------------------------------------


def test_a_resource_is_bound(authenticated: Begin) -> None:
    client = authenticated().hears(features(BIND)).says(ASK).hears(BOUND).says().reports(Online(DESK))
    assert client.stream.jid == DESK


def test_the_server_may_choose_the_resource(authenticated: Begin) -> None:
    client = authenticated(client_settings(resource=None)).hears(features(BIND))
    client.says(b'<iq type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>')


@pytest.mark.parametrize(
    "answered",
    [
        BOUND.replace(b"result", b"error"),
        BOUND.replace(b"<jid>anna@corp.example/desk</jid>", b""),
        BOUND.replace(b"anna@", b"@"),
        b'<iq type="result" id="bind"/>',
    ],
)
def test_a_binding_that_failed_ends_the_stream(authenticated: Begin, answered: bytes) -> None:
    client = authenticated().hears(features(BIND)).says(ASK).hears(answered).says(END)
    (event,) = client.stream.events_received()
    assert isinstance(event, BindingFailed)
    assert event.stanza.id == "bind"


@pytest.mark.parametrize("early", [MESSAGE, BOUND.replace(b'"bind"', b'"other"')])
def test_no_stanza_is_accepted_before_binding(authenticated: Begin, early: bytes) -> None:
    client = authenticated().hears(features(BIND)).says(ASK).hears(early)
    client.reports(StreamClosed(StreamError(StreamCondition.NOT_AUTHORIZED), is_clean=False))


def test_nothing_can_be_sent_before_binding(authenticated: Begin) -> None:
    with pytest.raises(StreamMisuse):
        authenticated().stream.send(message())


# --- stanzas and stream management -------------------------------------------


def test_stanzas_go_both_ways(online: Begin) -> None:
    client = online(managed=False)
    client.stream.send(message())
    client.stream.send_rendered(MESSAGE)
    client.says(MESSAGE, MESSAGE)
    client.hears(MESSAGE + MESSAGE).reports(message(), message())
    assert client.stream.unacknowledged == 0
    assert client.stream.resumption is None
    with pytest.raises(StreamMisuse):
        client.stream.request_acknowledgement()


def test_management_is_enabled_behind_binding(authenticated: Begin) -> None:
    client = authenticated().hears(features(BIND, MANAGEMENT)).says(ASK).hears(BOUND)
    client.says(ENABLE).reports(Online(DESK))
    client.hears(MESSAGE + ENABLED + MESSAGE)
    client.reports(message(), ManagementEnabled("sm-1", 300), message())
    assert client.stream.received == 1, "only what follows <enabled/> counts"


def test_management_can_be_left_alone(authenticated: Begin) -> None:
    client = authenticated(client_settings(wants_management=False)).hears(features(BIND, MANAGEMENT))
    client.says(ASK).hears(BOUND).says().reports(Online(DESK))


def test_management_that_fails_is_forgotten(authenticated: Begin) -> None:
    client = authenticated().hears(features(BIND, MANAGEMENT)).hears(BOUND)
    client.stream.send(message())
    assert client.stream.unacknowledged == 1
    client.hears(FAILED).reports(Online(DESK), ManagementRefused())
    assert client.stream.unacknowledged == 0


def test_management_without_resumption_leaves_nothing_to_resume(authenticated: Begin) -> None:
    client = authenticated().hears(features(BIND, MANAGEMENT)).hears(BOUND + b'<enabled xmlns="urn:xmpp:sm:3" id="x"/>')
    client.reports(Online(DESK), ManagementEnabled(None, None))
    assert client.stream.resumption is None


def test_what_is_sent_is_kept_until_it_is_acknowledged(online: Begin) -> None:
    client = online()
    client.stream.send(message())
    client.stream.send(message())
    client.stream.request_acknowledgement()
    client.says(MESSAGE, MESSAGE, REQUEST)
    client.hears(answer(1)).reports(Acknowledged(1))
    assert client.stream.unacknowledged == 1


def test_what_is_not_acknowledged_is_bounded(online: Begin) -> None:
    client = online(client_settings(unacknowledged_max=1))
    client.stream.send(message())
    with pytest.raises(QueueFull):
        client.stream.send(message())
    client.says(MESSAGE)


def test_a_request_is_answered_with_what_was_received(online: Begin) -> None:
    online().hears(MESSAGE + MESSAGE + REQUEST).says(answer(2))


def test_an_acknowledgement_of_what_was_never_sent_ends_the_stream(online: Begin) -> None:
    client = online().hears(answer(3)).reports(StreamClosed(HandledCountTooHigh(3, 0), is_clean=False))
    assert b"handled-count-too-high" in client.stream.data_to_send()


@pytest.mark.parametrize("managed", [True, False])
def test_an_acknowledgement_that_makes_no_sense_ends_the_stream(online: Begin, managed: bool) -> None:
    said = b'<a xmlns="urn:xmpp:sm:3" h="x"/>' if managed else answer(0)
    client = online(managed=managed).hears(said)
    client.reports(StreamClosed(StreamError(StreamCondition.INVALID_XML), is_clean=False))


# --- resumption --------------------------------------------------------------


def broken(online: Begin) -> ClientSettings:
    """Settings that resume a stream which broke with two stanzas out and one in."""
    client = online()
    client.stream.send(Stanza("message", id="1"))
    client.stream.send(Stanza("message", id="2"))
    client.hears(MESSAGE)
    client.stream.receive_eof()
    assert client.stream.resumption is not None
    return client_settings(resumption=client.stream.resumption)


RESUME = b'<resume xmlns="urn:xmpp:sm:3" previd="sm-1" h="1"/>'
RESUMED = b'<resumed xmlns="urn:xmpp:sm:3" previd="sm-1" h="1"/>'


def test_a_broken_stream_goes_on(authenticated: Begin, online: Begin) -> None:
    client = authenticated(broken(online)).hears(features(BIND, MANAGEMENT)).says(RESUME)
    client.hears(RESUMED).says(b'<message id="2"/>').reports(Resumed(DESK))
    client.hears(MESSAGE + REQUEST).says(answer(2))
    client.hears(answer(2)).reports(message(), Acknowledged(2))
    assert client.stream.jid == DESK


def test_a_lost_stream_is_replaced(authenticated: Begin, online: Begin) -> None:
    settings = broken(online)
    client = authenticated(settings).hears(features(BIND, MANAGEMENT)).says(RESUME)
    client.hears(FAILED).says(ASK).reports(ResumptionRefused(7))
    client.hears(BOUND).says(ENABLE).reports(Online(DESK))
    assert settings.resumption is not None
    assert len(settings.resumption.queue) == 2, "the former queue is the caller's to look at"


def test_without_management_a_resource_is_bound(authenticated: Begin, online: Begin) -> None:
    authenticated(broken(online)).hears(features(BIND)).says(ASK)


@pytest.mark.parametrize("wrong", [RESUMED.replace(b"sm-1", b"sm-2"), RESUMED.replace(b' h="1"', b"")])
def test_a_resumption_of_something_else_ends_the_stream(authenticated: Begin, online: Begin, wrong: bytes) -> None:
    client = authenticated(broken(online)).hears(features(BIND, MANAGEMENT)).says(RESUME).hears(wrong)
    client.reports(StreamClosed(StreamError(StreamCondition.INVALID_XML), is_clean=False))


def test_a_resumption_that_handled_too_much_ends_the_stream(authenticated: Begin, online: Begin) -> None:
    client = authenticated(broken(online)).hears(features(BIND, MANAGEMENT)).says(RESUME)
    client.hears(RESUMED.replace(b'h="1"', b'h="3"'))
    client.reports(StreamClosed(HandledCountTooHigh(3, 2), is_clean=False))


# --- what a server may not do, and the end -----------------------------------


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        (HEADER.replace(b' version="1.0"', b""), StreamCondition.UNSUPPORTED_VERSION),
        (HEADER.replace(b"1.0", b"0.9"), StreamCondition.UNSUPPORTED_VERSION),
        (HEADER + b"<x xmlns='y'/>", StreamCondition.UNSUPPORTED_STANZA_TYPE),
        (HEADER + features(PLAIN) + features(PLAIN), StreamCondition.UNSUPPORTED_STANZA_TYPE),
    ],
)
def test_a_server_that_makes_no_sense_is_left(begin: Begin, said: bytes, condition: StreamCondition) -> None:
    begin().hears(said).reports(StreamClosed(StreamError(condition), is_clean=False))


def test_a_client_is_sent_home(begin: Begin) -> None:
    said = (
        b'<stream:error><see-other-host xmlns="urn:ietf:params:xml:ns:xmpp-streams">lyon.corp.example:5322'
        b"</see-other-host></stream:error>"
    )
    problem = StreamError(StreamCondition.SEE_OTHER_HOST, address="lyon.corp.example:5322")
    client = begin().hears(HEADER).hears(features(PLAIN)).says(AUTH).hears(said + END).says(END)
    client.reports(Redirected("lyon.corp.example", 5322), StreamClosed(problem, is_clean=False))


def test_a_server_may_end_the_stream_with_an_error(online: Begin) -> None:
    said = (
        b'<stream:error><system-shutdown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error></stream:stream>'
    )
    problem = StreamError(StreamCondition.SYSTEM_SHUTDOWN)
    online().hears(said).says(END).reports(StreamClosed(problem, is_clean=False))


def test_a_server_may_end_the_stream(online: Begin) -> None:
    online().hears(END).says(END).reports(StreamClosed(None, is_clean=True))


def test_leaving_acknowledges_what_has_arrived(online: Begin) -> None:
    client = online().hears(MESSAGE).reports(message())
    client.stream.close()
    client.says(answer(1), END).hears(END).reports(StreamClosed(None, is_clean=True))


def test_leaving_before_being_online_is_simple(begin: Begin, online: Begin) -> None:
    client = begin()
    client.stream.close()
    client.says(END)
    assert client.stream.state is StreamState.CLOSING
    client = online(managed=False)
    client.stream.close()
    client.says(END)


def test_a_second_websocket_header_ends_the_stream() -> None:
    opening = b'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" version="1.0"/>'
    stream = ClientStream(client_settings(), WebSocketFraming(), POOL, UNBOUND)
    Playbook(stream).hears(opening).hears(opening).reports(
        StreamClosed(StreamError(StreamCondition.BAD_FORMAT), is_clean=False)
    )


def test_a_login_without_a_cache_derives_its_keys() -> None:
    stream = ClientStream(client_settings(login=Login(username="anna", password="demo")), TcpFraming(), POOL, UNBOUND)
    client = Playbook(stream).hears(HEADER).hears(features(SCRAM))
    stream.data_to_send()
    client.hears(challenge(b"r=c1s1,s=c2FsdA==,i=4096"))
    assert stream.data_to_send().startswith(b"<response ")
