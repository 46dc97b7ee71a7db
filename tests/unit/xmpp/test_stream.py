"""Both roles against each other, on every path, and every conversation cut at every offset."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.streams import (
    ANNA,
    ENCRYPTED,
    KEYS,
    PLAINTEXT,
    POOL,
    UNBOUND,
    ServerShell,
    StreamPair,
    Tokens,
    client_settings,
    credentials_of,
    server_policy,
    server_settings,
)
from xmpp.acknowledgement import AckQueue
from xmpp.client_stream import ClientStream, Resumption
from xmpp.errors import SASLCondition, SASLFailure, StanzaCondition, StanzaError, StreamCondition
from xmpp.events import (
    Acknowledged,
    Authenticated,
    AuthenticationFailed,
    BindingFailed,
    ManagementEnabled,
    Online,
    Redirected,
    Resumed,
    ResumptionRefused,
    StreamClosed,
    TLSRequested,
)
from xmpp.framing import TcpFraming, WebSocketFraming
from xmpp.sasl import ScramKeys, TransportFacts
from xmpp.sasl.client import Login
from xmpp.sasl.server import ServerPolicy
from xmpp.server_stream import ServerStream
from xmpp.stanza import Stanza
from xmpp.stream import Stream
from xmpp.transitions import StreamState

DESK = ANNA.with_resource("desk")
BOTH_ONLINE = (StreamState.ONLINE, StreamState.ONLINE)
BOTH_CLOSED = (StreamState.CLOSED, StreamState.CLOSED)


def test_a_client_comes_online_through_starttls() -> None:
    pair = StreamPair().run()
    assert pair.client.events == [TLSRequested(), Online(DESK), ManagementEnabled("sm-1", 300)]
    assert Authenticated("anna") in pair.server.events
    assert pair.states == BOTH_ONLINE


@pytest.mark.parametrize("framing", [TcpFraming(), WebSocketFraming()], ids=["TCP", "WebSocket"])
@pytest.mark.parametrize("facts", [ENCRYPTED, UNBOUND], ids=["with bindings", "without"])
@pytest.mark.parametrize(
    ("hash_names", "scram"), [(("SHA-256",), "SCRAM-SHA-256"), (("SHA-1",), "SCRAM-SHA-1"), ((), "PLAIN")]
)
def test_every_mechanism_over_every_framing(
    framing: TcpFraming | WebSocketFraming, facts: TransportFacts, hash_names: tuple[str, ...], scram: str
) -> None:
    settings = server_settings(authentication=server_policy(hash_names=hash_names))
    pair = StreamPair(server=settings, framing=framing, facts=facts).run()
    assert pair.states == BOTH_ONLINE
    mechanism = f"{scram}-PLUS" if hash_names and facts is ENCRYPTED else scram
    assert f'mechanism="{mechanism}"'.encode() in b"".join(pair.to_server)


def test_without_tls_scram_still_works_where_it_is_allowed() -> None:
    server = server_settings(requires_tls=False, has_tls=False)
    assert StreamPair(client_settings(requires_tls=False), server).run().states == BOTH_ONLINE


@pytest.mark.parametrize("hash_names", [("SHA-256",), ()], ids=["SCRAM", "PLAIN"])
@pytest.mark.parametrize(("username", "password"), [("anna", "wrong"), ("nobody", "demo")])
def test_a_wrong_login_fails_alike_whatever_is_wrong(hash_names: tuple[str, ...], username: str, password: str) -> None:
    server = server_settings(authentication=server_policy(hash_names=hash_names))
    pair = StreamPair(client_settings(username, password), server, facts=UNBOUND).run()
    assert pair.client.events == [
        AuthenticationFailed(SASLFailure(SASLCondition.NOT_AUTHORIZED)),
        StreamClosed(None, is_clean=True),
    ]
    assert pair.states == BOTH_CLOSED


def test_a_man_in_the_middle_with_another_certificate_is_noticed() -> None:
    other = TransportFacts(is_encrypted=True, bindings={"tls-exporter": b"other"})
    pair = StreamPair(client_facts_after_tls=other).run()
    assert AuthenticationFailed(SASLFailure(SASLCondition.NOT_AUTHORIZED)) in pair.client.events


@pytest.mark.parametrize("framing", [TcpFraming(), WebSocketFraming()], ids=["TCP", "WebSocket"])
def test_stanzas_and_acknowledgements_cross(framing: TcpFraming | WebSocketFraming) -> None:
    pair = StreamPair(framing=framing, facts=ENCRYPTED).run()
    hello = Stanza("message", "chat", "1", payloads=("{jabber:client}body",), inner=b"<body>hello</body>")
    pair.client.stream.send(hello)
    pair.client.stream.request_acknowledgement()
    pair.server.stream.send(hello)
    pair.run()
    hello.lang = "en"  # the streams'
    assert hello in pair.server.events
    assert hello in pair.client.events
    assert pair.client.events[-1] == Acknowledged(1)
    assert pair.client.stream.unacknowledged == 0


@pytest.mark.parametrize("framing", [TcpFraming(), WebSocketFraming()], ids=["TCP", "WebSocket"])
def test_a_client_leaves(framing: TcpFraming | WebSocketFraming) -> None:
    pair = StreamPair(framing=framing, facts=ENCRYPTED).run()
    pair.client.stream.close()
    pair.run()
    assert pair.client.events[-1] == StreamClosed(None, is_clean=True)
    assert pair.server.events[-1] == StreamClosed(None, is_clean=True)
    assert pair.states == BOTH_CLOSED


@pytest.mark.parametrize("framing", [TcpFraming(), WebSocketFraming()], ids=["TCP", "WebSocket"])
def test_a_server_ends_it(framing: TcpFraming | WebSocketFraming) -> None:
    pair = StreamPair(framing=framing, facts=ENCRYPTED).run()
    pair.server.stream.close()
    pair.run()
    assert pair.client.events[-1] == StreamClosed(None, is_clean=True)
    assert pair.server.events[-1] == StreamClosed(None, is_clean=True)


def test_a_client_is_sent_home() -> None:
    pair = StreamPair()
    pair.server.home = ("lyon.corp.example", 5322)
    pair.run()
    assert Redirected("lyon.corp.example", 5322) in pair.client.events
    (last,) = pair.client.events[-1:]
    assert isinstance(last, StreamClosed)
    assert last.error is not None
    assert last.error.condition is StreamCondition.SEE_OTHER_HOST


def test_a_binding_is_refused() -> None:
    pair = StreamPair()
    pair.server.binding_error = StanzaError(StanzaCondition.RESOURCE_CONSTRAINT)
    pair.run()
    refused = [event for event in pair.client.events if isinstance(event, BindingFailed)]
    assert [StanzaError.from_element(event.stanza.elements()[-1]) for event in refused] == [pair.server.binding_error]


def former(sent: int) -> Resumption:
    queue: AckQueue[bytes] = AckQueue(100)
    for number in range(1, sent + 1):
        queue.push(Stanza("message", id=str(number)).render())
    return Resumption("sm-1", DESK, 4, queue)


@pytest.mark.parametrize("framing", [TcpFraming(), WebSocketFraming()], ids=["TCP", "WebSocket"])
def test_a_broken_stream_goes_on_with_what_was_lost(framing: TcpFraming | WebSocketFraming) -> None:
    pair = StreamPair(client_settings(resumption=former(sent=3)), framing=framing, facts=ENCRYPTED)
    pair.server.former = ("sm-1", 1, DESK)
    pair.run()
    assert pair.client.events[-1] == Resumed(DESK)
    assert [event.id for event in pair.server.events if isinstance(event, Stanza)] == ["2", "3"]
    pair.client.stream.request_acknowledgement()
    pair.run()
    assert pair.client.events[-1] == Acknowledged(3)


def test_a_stream_that_is_gone_is_replaced() -> None:
    pair = StreamPair(client_settings(resumption=former(sent=3)), facts=ENCRYPTED).run()
    assert pair.client.events == [ResumptionRefused(7), Online(DESK), ManagementEnabled("sm-1", 300)]


# --- however it is cut -------------------------------------------------------


@dataclass
class Conversation:
    """How a whole conversation comes about."""

    client: Callable[[], object] = client_settings
    facts: TransportFacts = PLAINTEXT
    policy: ServerPolicy = field(default_factory=server_policy)
    resumable: bool = False

    def pair(self, piece_bytes: int | None = None) -> StreamPair:
        server = server_settings(authentication=self.policy, token=Tokens("s"))
        pair = StreamPair(self.client(), server, facts=self.facts, piece_bytes=piece_bytes)  # type: ignore[arg-type]
        self.prepare(pair.server)
        return pair

    def prepare(self, shell: ServerShell) -> None:
        if self.resumable:
            shell.former = ("sm-1", 1, DESK)

    def held(self, piece_bytes: int | None = None) -> StreamPair:
        """A login, some talk and the end."""
        pair = self.pair(piece_bytes).run()
        if pair.client.stream.state is StreamState.ONLINE:
            pair.client.stream.send(Stanza("message", "chat", "é", inner="<body>été &amp; 🎉</body>".encode()))
            pair.client.stream.send(Stanza("presence"))
            pair.client.stream.request_acknowledgement()
            pair.server.stream.send(Stanza("message", id="2"))
            pair.run()
        pair.client.stream.close()
        return pair.run()


CONVERSATIONS = [
    pytest.param(Conversation(), id="STARTTLS, SCRAM-PLUS"),
    pytest.param(Conversation(facts=UNBOUND, policy=server_policy(hash_names=())), id="direct TLS, PLAIN"),
    pytest.param(Conversation(lambda: client_settings("anna", "wrong"), UNBOUND), id="wrong password"),
    pytest.param(
        Conversation(lambda: client_settings(resumption=former(3)), ENCRYPTED, resumable=True), id="resumption"
    ),
]


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7])
def test_pieces_change_nothing(conversation: Conversation, piece_bytes: int) -> None:
    whole, pieces = conversation.held(), conversation.held(piece_bytes)
    assert pieces.to_server == whole.to_server
    assert b"".join(pieces.to_client) == b"".join(whole.to_client)
    assert pieces.server.events == whole.server.events
    assert pieces.client.events == whole.client.events


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_cut_at_any_offset_changes_nothing(conversation: Conversation) -> None:
    whole = conversation.held()
    for number, message in enumerate(whole.to_server):
        for offset in range(1, len(message)):
            pieces = [*whole.to_server[:number], message[:offset], message[offset:], *whole.to_server[number + 1 :]]
            server = server_settings(authentication=conversation.policy, token=Tokens("s"))
            shell = ServerShell(ServerStream(server, TcpFraming(), POOL, conversation.facts))
            conversation.prepare(shell)
            for piece in pieces:
                shell.receive(piece)
            assert shell.events == whole.server.events


# --- whatever comes ----------------------------------------------------------

SCRAPS = [
    b"<stream:stream to='corp.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubmEAZGVtbw==</auth>",
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1hbm5hLHI9Qw==</auth>",
    b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AGFubmEAZGVtbw==</response>",
    b"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    b"<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>",
    b"<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    b"<enable xmlns='urn:xmpp:sm:3' resume='1'/>",
    b"<resume xmlns='urn:xmpp:sm:3' previd='sm-1' h='0'/>",
    b"<r xmlns='urn:xmpp:sm:3'/>",
    b"<a xmlns='urn:xmpp:sm:3' h='0'/>",
    b"<message to='@'><body/></message>",
    b"<stream:error/>",
    b"</stream:stream>",
    b" ",
]


@given(
    scraps=st.lists(st.one_of(st.sampled_from(SCRAPS), st.binary(max_size=20)), max_size=14),
    answers=st.booleans(),
    is_encrypted=st.booleans(),
)
def test_no_client_can_make_a_server_stream_raise(scraps: list[bytes], answers: bool, is_encrypted: bool) -> None:
    facts = ENCRYPTED if is_encrypted else PLAINTEXT
    stream = ServerStream(server_settings(requires_tls=False), TcpFraming(), POOL, facts)
    shell = ServerShell(stream, answers=answers, former=("sm-1", 0, DESK))
    for scrap in scraps:
        shell.receive(scrap)
    stream.receive_eof()
    shell.settle()
    assert sum(isinstance(event, StreamClosed) for event in shell.events) == 1
    assert stream.is_closed


@given(scraps=st.lists(st.one_of(st.sampled_from(SCRAPS), st.binary(max_size=20)), max_size=14))
def test_no_server_can_make_a_client_stream_raise(scraps: list[bytes]) -> None:
    stream = ClientStream(client_settings(requires_tls=False), TcpFraming(), POOL, UNBOUND)
    for scrap in scraps:
        stream.receive_data(scrap)
    stream.receive_eof()
    assert sum(isinstance(event, StreamClosed) for event in stream.events_received()) == 1


# --- the common part ---------------------------------------------------------


def test_data_and_messages_are_handed_over_once() -> None:
    pair = StreamPair(facts=ENCRYPTED).run()
    stream: Stream[object] = pair.server.stream  # type: ignore[assignment]
    stream.send(Stanza("presence"))
    stream.send(Stanza("message"))
    assert stream.data_to_send() == b"<presence/><message/>"
    assert stream.data_to_send() == b""
    assert not stream.messages_to_send()
    assert stream.events_received() == []


def test_the_load_generators_logins_derive_keys_once() -> None:
    calls = []

    def derive_keys(password: str, salt: bytes, iterations: int, hash_name: str) -> ScramKeys:
        calls.append((password, salt, iterations, hash_name))
        return KEYS.derive_keys(password, salt, iterations, hash_name)

    login = Login(username="anna", password="demo", derive_keys=derive_keys)
    assert StreamPair(client_settings(login=login), facts=UNBOUND).run().states == BOTH_ONLINE
    salt = credentials_of("demo").verifiers["SHA-256"].salt
    assert calls == [("demo", salt, 4096, "SHA-256")]
