"""The server's side, as conversations.  Each is also held one byte at a time."""

import base64
from collections.abc import Callable

import pytest

from tests.support.playbook import Playbook
from tests.support.streams import (
    ANNA,
    DOMAIN,
    ENCRYPTED,
    PLAINTEXT,
    POOL,
    UNBOUND,
    credentials_of,
    server_policy,
    server_settings,
)
from xmpp import namespaces
from xmpp.acknowledgement import HandledCountTooHigh
from xmpp.element import Element, serialize
from xmpp.errors import StanzaCondition, StanzaError, StreamCondition, StreamError
from xmpp.events import (
    Acknowledged,
    Authenticated,
    CredentialsRequested,
    ManagementRequested,
    PasswordPresented,
    ResourceRequested,
    ResumptionRequested,
    StreamClosed,
    TLSRequested,
)
from xmpp.framing import TcpFraming, WebSocketFraming
from xmpp.negotiation import Progress, features_of
from xmpp.parser import StreamReader
from xmpp.sasl import TransportFacts
from xmpp.server_stream import ServerStream
from xmpp.stanza import Stanza
from xmpp.transitions import StreamMisuse, StreamState

Server = Playbook[ServerStream]
Begin = Callable[..., Server]

HEADER = (
    b'<stream:stream to="corp.example" version="1.0" xml:lang="fr" xmlns="jabber:client"'
    b' xmlns:stream="http://etherx.jabber.org/streams">'
)
END = b"</stream:stream>"
STARTTLS = b'<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
PROCEED = b'<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
TLS_FAILURE = b'<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
ABORT = b'<abort xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'
CHALLENGE = b'<challenge xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'
SUCCESS = b'<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'
BIND = b'<iq type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>'
SESSION = b'<iq type="set" id="s"><session xmlns="urn:ietf:params:xml:ns:xmpp-session"/></iq>'
MESSAGE = b'<message type="chat" id="m" to="bruno@corp.example"><body>hi</body></message>'
ENABLE = b'<enable xmlns="urn:xmpp:sm:3" resume="true" max="60"/>'
REQUEST = b'<r xmlns="urn:xmpp:sm:3"/>'
DESK = ANNA.with_resource("desk")


def auth(data: bytes | None, mechanism: str = "PLAIN") -> bytes:
    text = b"" if data is None else base64.b64encode(data) or b"="
    return b'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="%b">%b</auth>' % (mechanism.encode(), text)


def response(data: bytes) -> bytes:
    return b'<response xmlns="urn:ietf:params:xml:ns:xmpp-sasl">%b</response>' % base64.b64encode(data)


def challenge(data: bytes) -> bytes:
    return b'<challenge xmlns="urn:ietf:params:xml:ns:xmpp-sasl">%b</challenge>' % base64.b64encode(data)


def failure(condition: str) -> bytes:
    return b'<failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><%b/></failure>' % condition.encode()


def header(number: int) -> bytes:
    return (
        b'<?xml version=\'1.0\'?><stream:stream from="corp.example" id="s%d" version="1.0" xml:lang="en"'
        b' xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">' % number
    )


def error(condition: StreamCondition, text: str = "", address: str = "") -> bytes:
    element = StreamError(condition, text, address).element()
    return serialize(element, namespaces.CLIENT, {namespaces.STREAMS: "stream"})


def failed(condition: str, h: int | None = None) -> bytes:
    attribute = b"" if h is None else b' h="%d"' % h
    inner = f'<{condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>'.encode()
    return b'<failed xmlns="urn:xmpp:sm:3"%b>%b</failed>' % (attribute, inner)


def answer(h: int) -> bytes:
    return b'<a xmlns="urn:xmpp:sm:3" h="%d"/>' % h


def closed(condition: StreamCondition, text: str = "", address: str = "") -> StreamClosed:
    return StreamClosed(StreamError(condition, text, address), is_clean=False)


def stanza(data: bytes) -> Stanza:
    _, item = StreamReader(POOL).receive(HEADER + data)
    assert isinstance(item, Stanza)
    return item


@pytest.fixture(params=[None, 1], ids=["whole", "byte by byte"])
def begin(request: pytest.FixtureRequest) -> Begin:
    """A server stream at its very beginning."""

    def make(facts: TransportFacts = PLAINTEXT, **changes: object) -> Server:
        return Playbook(ServerStream(server_settings(**changes), TcpFraming(), POOL, facts), request.param)

    return make


@pytest.fixture
def opened(begin: Begin) -> Begin:
    """A server stream whose features have been sent."""

    def make(facts: TransportFacts = UNBOUND, **changes: object) -> Server:
        server = begin(facts, **changes).hears(HEADER)
        server.stream.data_to_send()
        return server

    return make


@pytest.fixture
def authenticated(opened: Begin) -> Begin:
    """A server stream that awaits binding or resumption."""

    def make(**changes: object) -> Server:
        server = opened(**changes).hears(auth(b"\0anna\0demo"))
        server.stream.password_checked(True)
        server.hears(HEADER)
        server.stream.data_to_send()
        server.stream.events_received()
        return server

    return make


@pytest.fixture
def bound(authenticated: Begin) -> Begin:
    """A server stream right after binding."""

    def make(**changes: object) -> Server:
        server = authenticated(**changes).hears(BIND)
        server.stream.resource_bound(DESK)
        server.stream.data_to_send()
        server.stream.events_received()
        return server

    return make


@pytest.fixture
def managed(bound: Begin) -> Begin:
    """A server stream that counts stanzas."""

    def make(**changes: object) -> Server:
        server = bound(**changes).hears(ENABLE)
        server.stream.management_enabled("sm-1", 300)
        server.stream.data_to_send()
        server.stream.events_received()
        return server

    return make


# --- header and features -----------------------------------------------------


def features(facts: TransportFacts, progress: str = "NOTHING", **changes: object) -> bytes:
    children = features_of(server_settings(**changes), facts, Progress[progress], has_starttls=True)
    element = Element(f"{{{namespaces.STREAMS}}}features", {}, children)
    return serialize(element, namespaces.CLIENT, {namespaces.STREAMS: "stream"})


def test_a_header_is_answered_with_a_header_and_features(begin: Begin) -> None:
    begin().hears(HEADER).says(header(1), features(PLAINTEXT)).reports()


def test_a_valid_sender_is_addressed(begin: Begin) -> None:
    server = begin().hears(HEADER.replace(b"to=", b'from="Anna@corp.example" to='))
    assert b' to="anna@corp.example"' in server.stream.data_to_send()
    server = begin().hears(HEADER.replace(b"to=", b'from="@" to='))
    assert b" to=" not in server.stream.data_to_send()


def test_without_an_address_our_domain_is_meant(begin: Begin) -> None:
    begin().hears(HEADER.replace(b' to="corp.example"', b"")).says(header(1), features(PLAINTEXT))


@pytest.mark.parametrize(
    ("wrong", "condition"),
    [
        (HEADER.replace(b"corp", b"other"), StreamCondition.HOST_UNKNOWN),
        (HEADER.replace(b"1.0", b"0.9"), StreamCondition.UNSUPPORTED_VERSION),
        (HEADER.replace(b' version="1.0"', b""), StreamCondition.UNSUPPORTED_VERSION),
    ],
)
def test_a_header_for_somebody_else_is_refused(begin: Begin, wrong: bytes, condition: StreamCondition) -> None:
    begin().hears(wrong).says(header(1), error(condition), END).reports(closed(condition))


def test_what_is_no_stream_gets_a_header_before_the_error(begin: Begin) -> None:
    server = begin().hears(b"<html/>")
    said = server.stream.messages_to_send()
    assert said[0] == header(1)
    assert b"invalid-namespace" in said[1]
    assert said[2:] == [END]
    assert server.stream.is_closed


def test_where_tls_is_required_but_impossible_the_stream_ends(begin: Begin) -> None:
    text = "TLS is required"
    begin(has_tls=False).hears(HEADER).says(header(1), error(StreamCondition.POLICY_VIOLATION, text), END).reports(
        closed(StreamCondition.POLICY_VIOLATION, text)
    )


# --- STARTTLS ----------------------------------------------------------------


def test_the_stream_begins_anew_after_starttls(begin: Begin) -> None:
    server = begin().hears(HEADER).says(header(1), features(PLAINTEXT))
    server.hears(STARTTLS).says(PROCEED).reports(TLSRequested())
    server.stream.tls_established(ENCRYPTED)
    assert server.stream.state is StreamState.OPENING
    server.hears(HEADER).says(header(2), features(ENCRYPTED, "ENCRYPTED"))


@pytest.mark.parametrize("smuggled", [MESSAGE, b"<", HEADER[:5]])
def test_nothing_may_follow_starttls_in_the_clear(opened: Begin, smuggled: bytes) -> None:
    server = Playbook(opened(PLAINTEXT).stream)
    text = "nothing may follow <starttls/>"
    server.hears(STARTTLS + smuggled).says(error(StreamCondition.POLICY_VIOLATION, text), END)
    server.reports(closed(StreamCondition.POLICY_VIOLATION, text))


def test_nothing_may_arrive_during_the_handshake(opened: Begin) -> None:
    server = opened(PLAINTEXT).hears(STARTTLS).says(PROCEED).reports(TLSRequested())
    server.hears(MESSAGE).says().reports(closed(StreamCondition.POLICY_VIOLATION))
    server.stream.tls_established(ENCRYPTED)
    assert server.stream.is_closed


@pytest.mark.parametrize(("facts", "changes"), [(UNBOUND, {}), (PLAINTEXT, {"has_tls": False, "requires_tls": False})])
def test_starttls_that_was_not_offered_fails(opened: Begin, facts: TransportFacts, changes: dict[str, object]) -> None:
    server = opened(facts, **changes).hears(STARTTLS).says(TLS_FAILURE, END).reports()
    server.hears(END).says().reports(StreamClosed(None, is_clean=True))


def test_an_answer_that_nobody_asked_for_is_our_own_mistake(opened: Begin) -> None:
    server = opened()
    with pytest.raises(StreamMisuse):
        server.stream.tls_established(ENCRYPTED)
    with pytest.raises(StreamMisuse):
        server.stream.resource_bound(DESK)


# --- SASL --------------------------------------------------------------------


def test_scram_step_by_step(opened: Begin) -> None:
    server = opened(authentication=server_policy(announces_offer=False))
    server.hears(auth(b"n,,n=anna,r=C", "SCRAM-SHA-1")).says().reports(CredentialsRequested("anna"))
    assert server.stream.is_paused
    server.stream.credentials_found(credentials_of("demo"))
    salt = base64.b64encode(b"salt of SHA-1")
    server.says(challenge(b"r=Cs2,s=%b,i=4096" % salt)).reports()
    proof = base64.b64encode(bytes(20))
    server.hears(response(b"c=biws,r=Cs2,p=%b" % proof)).says(failure("not-authorized")).reports()
    assert server.stream.state is StreamState.NEGOTIATING


def test_plain_is_checked_by_the_shell(opened: Begin) -> None:
    server = opened().hears(auth(b"\0anna\0demo")).says().reports(PasswordPresented("anna", "demo"))
    server.stream.password_checked(True)
    server.says(SUCCESS).reports(Authenticated("anna"))
    server.hears(HEADER).says(header(3), features(UNBOUND, "AUTHENTICATED"))


def test_a_missing_initial_response_is_asked_for(opened: Begin) -> None:
    server = opened().hears(auth(None)).says(CHALLENGE).reports()
    server.hears(response(b"\0anna\0demo")).says().reports(PasswordPresented("anna", "demo"))


def test_a_wrong_password_may_be_followed_by_another_attempt(opened: Begin) -> None:
    server = opened().hears(auth(b"\0anna\0wrong")).reports(PasswordPresented("anna", "wrong"))
    server.stream.password_checked(False)
    server.says(failure("not-authorized")).reports()
    server.hears(auth(b"\0anna\0demo")).says().reports(PasswordPresented("anna", "demo"))


def test_one_mechanism_after_the_other_may_be_tried(opened: Begin) -> None:
    """As clients do that know other channel bindings only: they come to the last one on the same stream."""
    server = opened(ENCRYPTED)
    for name in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"):
        server.hears(auth(b"p=tls-unique,,n=anna,r=C", name)).says(failure("malformed-request"))
    for name in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
        server.hears(auth(b"y,,n=anna,r=C", name)).says(failure("not-authorized"))
    server.hears(auth(b"\0anna\0demo")).says().reports(PasswordPresented("anna", "demo"))


def test_attempts_are_bounded(opened: Begin) -> None:
    server = opened(sasl_attempts_max=2).hears(auth(b"", "NONE")).says(failure("invalid-mechanism"))
    text = "too many failed attempts"
    server.hears(auth(b"", "NONE")).says(
        failure("invalid-mechanism"), error(StreamCondition.POLICY_VIOLATION, text), END
    ).reports(closed(StreamCondition.POLICY_VIOLATION, text))


@pytest.mark.parametrize(
    ("facts", "changes", "said", "condition"),
    [
        (UNBOUND, {}, auth(b"x", "EXTERNAL"), "invalid-mechanism"),
        (UNBOUND, {}, b'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>', "invalid-mechanism"),
        (UNBOUND, {}, auth(b"x").replace(b"eA==", b"?"), "incorrect-encoding"),
        (UNBOUND, {}, auth(b""), "malformed-request"),
        (UNBOUND, {}, auth(b"bruno@corp.example\0anna\0demo"), "invalid-authzid"),
        (PLAINTEXT, {}, auth(b"\0anna\0demo"), "encryption-required"),
        (PLAINTEXT, {"requires_tls": False}, auth(b"\0anna\0demo"), "invalid-mechanism"),
    ],
)
def test_bad_attempts_fail_with_their_condition(
    opened: Begin, facts: TransportFacts, changes: dict[str, object], said: bytes, condition: str
) -> None:
    opened(facts, **changes).hears(said).says(failure(condition)).reports()


def test_a_response_in_a_wrong_encoding_fails(opened: Begin) -> None:
    bad = response(b"x").replace(b"eA==", b"%")
    opened().hears(auth(None)).says(CHALLENGE).hears(bad).says(failure("incorrect-encoding"))


def test_a_client_may_give_up(opened: Begin) -> None:
    server = opened().hears(auth(None)).says(CHALLENGE)
    server.hears(ABORT).says(failure("aborted")).reports()


@pytest.mark.parametrize("behind", [MESSAGE, b"<", HEADER])
def test_nothing_may_be_sent_ahead_of_success(opened: Begin, behind: bytes) -> None:
    server = Playbook(opened().hears(auth(b"\0anna\0demo")).stream).hears(behind)
    server.stream.events_received()
    server.stream.password_checked(True)
    assert b"<success" not in server.stream.data_to_send()
    assert server.stream.is_closed


def test_credentials_are_no_answer_to_a_password_nor_the_reverse(opened: Begin) -> None:
    server = opened().hears(auth(b"\0anna\0demo"))
    with pytest.raises(StreamMisuse):
        server.stream.credentials_found(None)
    server = opened().hears(auth(b"n,,n=anna,r=C", "SCRAM-SHA-256"))
    with pytest.raises(StreamMisuse):
        server.stream.password_checked(True)


def test_an_account_at_home_elsewhere_is_sent_there(opened: Begin) -> None:
    server = opened().hears(auth(b"n,,n=anna,r=C", "SCRAM-SHA-256")).reports(CredentialsRequested("anna"))
    server.stream.redirect("::1", 5322)
    said = (StreamCondition.SEE_OTHER_HOST, "this account is served at [::1]:5322", "[::1]:5322")
    server.says(error(*said), END)
    server.reports(closed(*said))


def test_an_answer_that_comes_too_late_is_ignored(opened: Begin, authenticated: Begin, bound: Begin) -> None:
    server = opened().hears(auth(b"n,,n=anna,r=C", "SCRAM-SHA-256"))
    server.stream.receive_eof()
    server.reports(CredentialsRequested("anna"), StreamClosed(None, is_clean=False))
    server.stream.credentials_found(None)
    server.stream.password_checked(True)
    server.stream.resource_bound(DESK)
    server.stream.binding_refused(StanzaError(StanzaCondition.CONFLICT))
    server.stream.resumed("x", 0)
    server.stream.resumption_refused()
    server.stream.management_enabled("x")
    server.stream.management_refused()
    server.stream.redirect("lyon.corp.example", 5322)
    server.says().reports()


@pytest.mark.parametrize("early", [MESSAGE, BIND, REQUEST, answer(0), b"<x xmlns='y'/>", response(b"x"), b"<x/>"])
def test_nothing_but_negotiation_comes_before_authentication(opened: Begin, early: bytes) -> None:
    condition = StreamCondition.NOT_AUTHORIZED
    opened().hears(early).says(error(condition), END).reports(closed(condition))


@pytest.mark.parametrize("early", [MESSAGE, STARTTLS, auth(b"\0anna\0demo"), BIND.replace(b"set", b"get")])
def test_nothing_but_binding_comes_before_binding(authenticated: Begin, early: bytes) -> None:
    condition = StreamCondition.NOT_AUTHORIZED
    authenticated().hears(early).says(error(condition), END).reports(closed(condition))


def test_nothing_but_a_response_comes_within_an_attempt(opened: Begin) -> None:
    server = opened().hears(auth(None)).says(CHALLENGE)
    server.hears(auth(None)).says(error(StreamCondition.NOT_AUTHORIZED), END)


# --- binding -----------------------------------------------------------------


def test_binding_asks_the_shell_for_a_resource(authenticated: Begin) -> None:
    server = authenticated().hears(BIND).says().reports(ResourceRequested(None))
    assert server.stream.is_paused
    server.stream.resource_bound(DESK)
    server.says(
        b'<iq type="result" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">'
        b"<jid>anna@corp.example/desk</jid></bind></iq>"
    ).reports()


@pytest.mark.parametrize(
    ("inner", "resource"),
    [(b"<resource>desk</resource>", "desk"), (b"<resource/>", None), (b"<x xmlns='y'/>", None)],
)
def test_the_client_may_wish_for_a_resource(authenticated: Begin, inner: bytes, resource: str | None) -> None:
    wish = BIND.replace(b'bind"/>', b'bind">' + inner + b"</bind>")
    authenticated().hears(wish).reports(ResourceRequested(resource))


def test_a_refused_resource_may_be_followed_by_another_wish(authenticated: Begin) -> None:
    server = authenticated().hears(BIND).reports(ResourceRequested(None))
    server.stream.binding_refused(StanzaError(StanzaCondition.CONFLICT))
    server.says(
        b'<iq type="error" id="b" xml:lang="fr"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>'
        b'<error type="cancel"><conflict xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>'
    )
    server.hears(BIND).reports(ResourceRequested(None))


def test_what_is_sent_ahead_waits_for_the_answer(authenticated: Begin) -> None:
    server = authenticated().hears(BIND + ENABLE + MESSAGE).reports(ResourceRequested(None))
    server.stream.resource_bound(DESK)
    server.reports(ManagementRequested(can_resume=True, max_seconds=60), stanza(MESSAGE))
    assert server.stream.received == 1


def test_what_is_sent_ahead_is_bounded(authenticated: Begin) -> None:
    server = authenticated(pipelined_items_max=2).hears(BIND + MESSAGE * 2).reports(ResourceRequested(None))
    text = "too much was sent ahead"
    server.hears(MESSAGE).says(error(StreamCondition.POLICY_VIOLATION, text), END)
    server.reports(closed(StreamCondition.POLICY_VIOLATION, text))


def test_a_fault_sent_ahead_is_found_after_the_answer(authenticated: Begin) -> None:
    server = authenticated().hears(BIND + b"</x>").reports(ResourceRequested(None))
    server.stream.resource_bound(DESK)
    (event,) = server.stream.events_received()
    assert isinstance(event, StreamClosed)
    assert event.error is not None
    assert event.error.condition is StreamCondition.NOT_WELL_FORMED


def test_a_legacy_session_is_granted_right_after_binding(bound: Begin) -> None:
    server = bound().hears(SESSION).says(b'<iq type="result" id="s"/>').reports()
    server.hears(MESSAGE).says().reports(stanza(MESSAGE))
    assert server.stream.received == 1  # of what the core gets to see
    server.hears(SESSION).says().reports(stanza(SESSION))


def test_only_an_iq_binds_or_asks_for_a_session(authenticated: Begin, bound: Begin) -> None:
    bind = b'<message type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></message>'
    authenticated().hears(bind).says(error(StreamCondition.NOT_AUTHORIZED), END)
    session = b'<message type="set"><session xmlns="urn:ietf:params:xml:ns:xmpp-session"/></message>'
    bound().hears(session).says().reports(stanza(session))


# --- stanzas -----------------------------------------------------------------


def test_stanzas_are_events(bound: Begin) -> None:
    server = bound().hears(MESSAGE).hears(MESSAGE + SESSION).hears(b" ").hears(MESSAGE)
    assert server.stream.received == 4
    server.says().reports(stanza(MESSAGE), stanza(MESSAGE), stanza(SESSION), stanza(MESSAGE)).reports()


def test_the_server_sends_stanzas(bound: Begin) -> None:
    server = bound()
    server.stream.send(stanza(MESSAGE).copy(lang=None))
    assert server.stream.data_to_send() == MESSAGE
    server.says()


@pytest.mark.parametrize("strange", [STARTTLS, auth(None), b"<x xmlns='y'/>"])
def test_what_is_no_stanza_and_not_understood_ends_the_stream(bound: Begin, strange: bytes) -> None:
    condition = StreamCondition.UNSUPPORTED_STANZA_TYPE
    server = bound().hears(MESSAGE).hears(strange + MESSAGE)
    server.says(error(condition), END).reports(stanza(MESSAGE), closed(condition))


def test_negotiation_is_forgotten_once_bound(bound: Begin) -> None:
    assert bound().stream._negotiation is None  # noqa: SLF001 - thousands of idle streams depend on it


# --- stream management -------------------------------------------------------


def test_management_is_enabled_by_the_shell(bound: Begin) -> None:
    server = bound().hears(ENABLE).says().reports(ManagementRequested(can_resume=True, max_seconds=60))
    server.stream.management_enabled("sm-1", 300)
    server.says(b'<enabled xmlns="urn:xmpp:sm:3" id="sm-1" resume="true" max="300"/>')


def test_management_can_be_refused_by_the_shell(bound: Begin) -> None:
    server = bound().hears(ENABLE + REQUEST)
    server.stream.management_refused()
    server.says(failed("internal-server-error"))
    server.stream.events_received()
    server.hears(ENABLE).reports(ManagementRequested(can_resume=True, max_seconds=60))


@pytest.mark.parametrize("said", [ENABLE, b'<resume xmlns="urn:xmpp:sm:3" previd="x" h="0"/>'])
def test_management_out_of_turn_fails_and_the_stream_goes_on(
    opened: Begin, authenticated: Begin, managed: Begin, said: bytes
) -> None:
    opened().hears(said).says(failed("unexpected-request")).reports()
    managed().hears(said).says(failed("unexpected-request")).reports()
    if said is ENABLE:
        authenticated().hears(said).says(failed("unexpected-request")).reports()


def test_management_that_is_not_offered_fails(authenticated: Begin, bound: Begin) -> None:
    bound(has_management=False).hears(ENABLE).says(failed("feature-not-implemented")).reports()
    resume = b'<resume xmlns="urn:xmpp:sm:3" previd="x" h="0"/>'
    authenticated(has_management=False).hears(resume).says(failed("feature-not-implemented")).reports()


def test_a_request_is_answered_when_everything_before_it_is_handled(managed: Begin) -> None:
    server = managed().hears(REQUEST).says(answer(0))
    server.hears(MESSAGE + MESSAGE + REQUEST).says()
    server.stream.stanza_handled(1)
    server.says()
    server.stream.stanza_handled(2)
    server.says(answer(2))
    server.stream.stanza_handled(3)
    server.says()


def test_a_request_is_withheld_for_a_time_and_no_longer(managed: Begin) -> None:
    server = managed().hears(MESSAGE + MESSAGE + REQUEST)
    server.stream.stanza_handled(1)
    server.stream.answer_overdue()
    server.says()
    server.stream.answer_overdue()
    server.says(answer(1))
    server.stream.stanza_handled(2)
    server.says(answer(2))
    server.stream.answer_overdue()
    server.stream.answer_overdue()
    server.says()


def test_requests_and_acknowledgements_where_nothing_is_counted_mean_nothing(bound: Begin) -> None:
    server = bound().hears(REQUEST + answer(5) + MESSAGE).says().reports(stanza(MESSAGE))
    server.hears(REQUEST + ENABLE).says().reports(ManagementRequested(can_resume=True, max_seconds=60))


def test_stanzas_before_enable_do_not_count(bound: Begin) -> None:
    server = bound().hears(MESSAGE + MESSAGE)
    server.stream.stanza_handled(1)
    server.hears(ENABLE)
    server.stream.management_enabled(None)
    server.says(b'<enabled xmlns="urn:xmpp:sm:3"/>')
    server.hears(REQUEST).says()
    server.stream.stanza_handled(2)
    server.says(answer(0))
    server.hears(MESSAGE + REQUEST)
    server.stream.stanza_handled(3)
    server.says(answer(1))


def test_a_request_ahead_of_enabled_is_answered_behind_it(bound: Begin) -> None:
    server = bound().hears(ENABLE + REQUEST).says()
    server.stream.management_enabled(None)
    server.says(b'<enabled xmlns="urn:xmpp:sm:3"/>', answer(0))


def test_handling_without_management_says_nothing(bound: Begin) -> None:
    server = bound().hears(MESSAGE)
    server.stream.stanza_handled(1)
    server.says()


def test_handling_after_the_end_says_nothing(managed: Begin) -> None:
    server = managed().hears(MESSAGE + REQUEST + END).says(END)
    server.stream.stanza_handled(1)
    server.says()


def test_an_acknowledgement_is_an_event(managed: Begin) -> None:
    server = managed().hears(MESSAGE + answer(3) + MESSAGE)
    server.reports(stanza(MESSAGE), Acknowledged(3), stanza(MESSAGE))
    assert server.stream.received == 2


@pytest.mark.parametrize("h", [b"", b"-1", b"4294967296"])
def test_a_senseless_acknowledgement_ends_the_stream(managed: Begin, h: bytes) -> None:
    text = "h must be an unsigned 32-bit number"
    said = b'<a xmlns="urn:xmpp:sm:3" h="%b"/>' % h
    managed().hears(said).says(error(StreamCondition.INVALID_XML, text), END)


def test_an_acknowledgement_of_what_was_never_sent_ends_the_stream(managed: Begin) -> None:
    server = managed().hears(answer(10)).reports(Acknowledged(10))
    problem = HandledCountTooHigh(10, 8)
    server.stream.close(problem)
    assert b'<handled-count-too-high xmlns="urn:xmpp:sm:3" h="10" send-count="8"/>' in server.stream.data_to_send()
    server.reports(StreamClosed(problem, is_clean=False))


def test_a_stream_is_resumed_in_place_of_binding(authenticated: Begin) -> None:
    server = authenticated().hears(b'<resume xmlns="urn:xmpp:sm:3" previd="sm-1" h="5"/>')
    server.says().reports(ResumptionRequested("sm-1", 5))
    assert server.stream.is_paused
    server.hears(MESSAGE + REQUEST)
    server.stream.resumed("sm-1", 7)
    server.says(b'<resumed xmlns="urn:xmpp:sm:3" previd="sm-1" h="7"/>').reports(stanza(MESSAGE))
    assert server.stream.received == 8
    server.stream.stanza_handled(8)
    server.says(answer(8))


def test_a_refused_resumption_is_followed_by_binding(authenticated: Begin) -> None:
    server = authenticated().hears(b'<resume xmlns="urn:xmpp:sm:3" previd="sm-1" h="5"/>' + BIND)
    server.stream.resumption_refused(7)
    server.says(failed("item-not-found", 7)).reports(ResumptionRequested("sm-1", 5), ResourceRequested(None))


@pytest.mark.parametrize("attributes", [b'previd="x"', b'h="0"', b'previd="x" h="?"'])
def test_a_senseless_resumption_fails(authenticated: Begin, attributes: bytes) -> None:
    said = b'<resume xmlns="urn:xmpp:sm:3" %b/>' % attributes
    authenticated().hears(said).says(failed("bad-request")).reports()


# --- the end -----------------------------------------------------------------


def test_the_clients_end_is_answered(bound: Begin) -> None:
    server = bound().hears(MESSAGE + END + MESSAGE)
    server.says(END).reports(stanza(MESSAGE), StreamClosed(None, is_clean=True))
    server.hears(MESSAGE)
    server.stream.receive_eof()
    server.says().reports()


def test_our_own_end_waits_for_the_clients(bound: Begin) -> None:
    server = bound()
    server.stream.close()
    server.says(END).reports()
    server.stream.close()
    server.hears(MESSAGE).hears(END).says().reports(StreamClosed(None, is_clean=True))


def test_a_fault_while_closing_ends_it_silently(bound: Begin) -> None:
    server = bound()
    server.stream.close()
    server.says(END).hears(b"</x>").says()
    (event,) = server.stream.events_received()
    assert isinstance(event, StreamClosed)
    assert not event.is_clean


def test_a_broken_connection_is_no_clean_end(
    begin: Begin, opened: Begin, authenticated: Begin, bound: Begin, managed: Begin
) -> None:
    for make in (begin, opened, authenticated, bound, managed):
        server = make()
        server.stream.receive_eof()
        server.says().reports(StreamClosed(None, is_clean=False))
        assert server.stream.is_closed


def test_an_error_from_the_client_ends_the_stream(bound: Begin) -> None:
    server = bound().hears(error(StreamCondition.CONNECTION_TIMEOUT) + END)
    server.says(END).reports(closed(StreamCondition.CONNECTION_TIMEOUT))


def test_a_drain_can_end_a_stream_before_it_began(begin: Begin) -> None:
    problem = StreamError(StreamCondition.SYSTEM_SHUTDOWN)
    server = begin()
    server.stream.close(problem)
    server.says(header(1), error(StreamCondition.SYSTEM_SHUTDOWN), END).reports(StreamClosed(problem, is_clean=False))


def test_ending_during_the_handshake_says_nothing_in_the_clear(opened: Begin) -> None:
    server = opened(PLAINTEXT).hears(STARTTLS).says(PROCEED).reports(TLSRequested())
    server.stream.close()
    server.says().reports(StreamClosed(None, is_clean=False))


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        (b"<message></presence>", StreamCondition.NOT_WELL_FORMED),
        (b"<!-- x -->", StreamCondition.RESTRICTED_XML),
        (b"<message><body>&foo;</body></message>", StreamCondition.RESTRICTED_XML),
        (b"<x:message/>", StreamCondition.BAD_NAMESPACE_PREFIX),
        (b"<message>\xff</message>", StreamCondition.NOT_WELL_FORMED),
    ],
)
def test_bad_xml_ends_the_stream_and_spares_what_came_before(
    bound: Begin, said: bytes, condition: StreamCondition
) -> None:
    server = bound().hears(MESSAGE + said)
    first, last = server.stream.events_received()
    assert first == stanza(MESSAGE)
    assert isinstance(last, StreamClosed)
    assert last.error is not None
    assert last.error.condition is condition
    assert server.stream.data_to_send().endswith(END)


# --- WebSocket ---------------------------------------------------------------


OPEN = b'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="corp.example" version="1.0"/>'
CLOSE = b'<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>'


def websocket(facts: TransportFacts = UNBOUND, **changes: object) -> Server:
    return Playbook(ServerStream(server_settings(**changes), WebSocketFraming(), POOL, facts))


def test_a_websocket_stream_is_opened_by_an_element() -> None:
    server = websocket().hears(OPEN)
    opening, features_ = server.stream.messages_to_send()
    assert opening == (
        b'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="corp.example" id="s1" version="1.0" xml:lang="en"/>'
    )
    assert features_.startswith(b'<stream:features xmlns:stream="http://etherx.jabber.org/streams"><mechanisms xmlns=')


def test_a_websocket_offers_no_starttls_and_needs_tls_below() -> None:
    assert b"starttls" not in websocket(PLAINTEXT, requires_tls=False).hears(OPEN).stream.data_to_send()
    server = websocket(PLAINTEXT).hears(OPEN)
    assert server.stream.messages_to_send()[-1] == CLOSE
    server = websocket(PLAINTEXT, requires_tls=False).hears(OPEN)
    server.stream.data_to_send()
    server.hears(STARTTLS).says(TLS_FAILURE, CLOSE)


@pytest.mark.parametrize("said", [MESSAGE.replace(b"<message", b"<message xmlns='jabber:client'"), auth(None), HEADER])
def test_a_websocket_stream_must_be_opened_first(said: bytes) -> None:
    server = websocket().hears(said)
    said_by_us = server.stream.messages_to_send()
    assert said_by_us[0].startswith(b"<open ")
    assert said_by_us[1].startswith(b'<stream:error xmlns:stream="http://etherx.jabber.org/streams">')
    assert said_by_us[2:] == [CLOSE]


def test_a_websocket_stream_cannot_be_opened_twice() -> None:
    server = websocket().hears(OPEN)
    server.stream.data_to_send()
    server.hears(OPEN)
    (event,) = server.stream.events_received()
    assert event == closed(StreamCondition.NOT_AUTHORIZED)


def test_the_domain_is_the_policys() -> None:
    assert server_settings().authentication.domain == DOMAIN
