"""A client core and a server core with a pretend wire between them, and the smallest shells around each.

Everything is deterministic: tokens are counted, accounts are few, and no time passes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count

from xmpp.client_stream import ClientSettings, ClientStream
from xmpp.errors import StanzaError
from xmpp.events import (
    Authenticated,
    ClientEvent,
    CredentialsRequested,
    ManagementRequested,
    PasswordPresented,
    ResourceRequested,
    ResumptionRequested,
    ServerEvent,
    TLSRequested,
)
from xmpp.framing import Framing, TcpFraming
from xmpp.jid import JID
from xmpp.negotiation import ServerSettings
from xmpp.parser import ParserPool
from xmpp.sasl import Credentials, KeyCache, TransportFacts, derive
from xmpp.sasl.client import Login
from xmpp.sasl.server import ServerPolicy
from xmpp.server_stream import ServerStream
from xmpp.stanza import Stanza
from xmpp.transitions import StreamState

DOMAIN = "corp.example"
ANNA = JID.parse("anna@corp.example")
PASSWORD = "demo"
BINDINGS = {"tls-exporter": b"exported", "tls-server-end-point": b"end point"}
PLAINTEXT = TransportFacts()
ENCRYPTED = TransportFacts(is_encrypted=True, bindings=BINDINGS)
UNBOUND = TransportFacts(is_encrypted=True)
KEYS = KeyCache(64)
POOL = ParserPool()


class Tokens:
    """Counted instead of random, so that a conversation can be repeated."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = count(1)

    def __call__(self) -> str:
        return f"{self._prefix}{next(self._numbers)}"


@cache
def credentials_of(password: str) -> Credentials:
    return Credentials(
        {name: derive(password, b"salt of " + name.encode(), 4096, name) for name in ("SHA-256", "SHA-1")}
    )


def server_policy(**changes: object) -> ServerPolicy:
    policy = ServerPolicy(domain=DOMAIN, secret=b"secret", fake_iterations=4096)
    return replace(policy, **changes)  # type: ignore[arg-type]


def server_settings(**changes: object) -> ServerSettings:
    settings = ServerSettings(authentication=server_policy(), token=Tokens("s"))
    return replace(settings, **changes)  # type: ignore[arg-type]


def client_settings(username: str = "anna", password: str = PASSWORD, **changes: object) -> ClientSettings:
    login = Login(username=username, password=password, derive_keys=KEYS.derive_keys)
    settings = ClientSettings(domain=DOMAIN, login=login, token=Tokens("c"), resource="desk")
    return replace(settings, **changes)  # type: ignore[arg-type]


@dataclass
class ServerShell:
    """Answers what a server stream asks, as a listener and its core would."""

    stream: ServerStream
    facts_after_tls: TransportFacts = ENCRYPTED
    passwords: dict[str, str] = field(default_factory=lambda: {"anna": PASSWORD})
    answers: bool = True
    """Whether questions are answered at once; otherwise the test does it."""

    handles: bool = True
    """Whether stanzas are handled at once."""

    home: tuple[str, int] | None = None
    binding_error: StanzaError | None = None
    former: tuple[str, int, JID] | None = None
    """previous id, h and JID of a session that can be resumed."""

    account: str = ""
    events: list[ServerEvent] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def receive(self, data: bytes) -> None:
        self.stream.receive_data(data)
        self.settle()

    def settle(self) -> None:
        """Handle events until there are none, and collect what is to be sent."""
        while events := self.stream.events_received():
            for event in events:
                self.events.append(event)
                self._handle(event)
        self.sent += self.stream.messages_to_send()

    def take_sent(self) -> list[bytes]:
        sent, self.sent = self.sent, []
        return sent

    def _handle(self, event: ServerEvent) -> None:
        stream = self.stream
        if isinstance(event, TLSRequested):
            self.sent += stream.messages_to_send()
            stream.tls_established(self.facts_after_tls)
        elif isinstance(event, Stanza):
            if self.handles:
                stream.stanza_handled(stream.received)
        elif isinstance(event, Authenticated):
            self.account = event.account
        elif self.answers:
            self._answer(event)

    def _answer(self, event: ServerEvent) -> None:
        stream = self.stream
        if isinstance(event, (CredentialsRequested, PasswordPresented)) and self.home is not None:
            stream.redirect(*self.home)
        elif isinstance(event, CredentialsRequested):
            password = self.passwords.get(event.account)
            stream.credentials_found(None if password is None else credentials_of(password))
        elif isinstance(event, PasswordPresented):
            stream.password_checked(self.passwords.get(event.account) == event.password)
        elif isinstance(event, ResourceRequested):
            if self.binding_error is not None:
                stream.binding_refused(self.binding_error)
            else:
                stream.resource_bound(JID(self.account, DOMAIN, event.resource or "made-up"))
        elif isinstance(event, ManagementRequested):
            stream.management_enabled("sm-1" if event.can_resume else None, 300)
        elif isinstance(event, ResumptionRequested):
            if self.former is not None and self.former[0] == event.previous_id:
                stream.resumed(event.previous_id, self.former[1])
            else:
                stream.resumption_refused(7)


@dataclass
class ClientShell:
    """Does what a client stream asks."""

    stream: ClientStream
    facts_after_tls: TransportFacts = ENCRYPTED
    events: list[ClientEvent] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def receive(self, data: bytes) -> None:
        self.stream.receive_data(data)
        self.settle()

    def settle(self) -> None:
        """Handle events until there are none, and collect what is to be sent."""
        while events := self.stream.events_received():
            for event in events:
                self.events.append(event)
                if isinstance(event, TLSRequested):
                    self.sent += self.stream.messages_to_send()
                    self.stream.tls_established(self.facts_after_tls)
        self.sent += self.stream.messages_to_send()

    def take_sent(self) -> list[bytes]:
        sent, self.sent = self.sent, []
        return sent


class StreamPair:
    """Both cores, connected; `run` carries bytes until nobody has anything to say."""

    def __init__(
        self,
        client: ClientSettings | None = None,
        server: ServerSettings | None = None,
        *,
        framing: Framing | None = None,
        facts: TransportFacts = PLAINTEXT,
        client_facts: TransportFacts | None = None,
        client_facts_after_tls: TransportFacts = ENCRYPTED,
        piece_bytes: int | None = None,
    ) -> None:
        framing = framing or TcpFraming()
        self.server = ServerShell(ServerStream(server or server_settings(), framing, POOL, facts))
        client_stream = ClientStream(client or client_settings(), framing, POOL, client_facts or facts)
        self.client = ClientShell(client_stream, client_facts_after_tls)
        self.piece_bytes = piece_bytes
        self.to_server: list[bytes] = []
        """Everything the client said, message by message."""
        self.to_client: list[bytes] = []

    def run(self) -> "StreamPair":
        self.client.settle()
        self.server.settle()
        while True:
            from_client, from_server = self.client.take_sent(), self.server.take_sent()
            if not from_client and not from_server:
                return self
            self.to_server += from_client
            self.to_client += from_server
            for piece in self._pieces(from_client):
                self.server.receive(piece)
            for piece in self._pieces(from_server):
                self.client.receive(piece)

    def _pieces(self, messages: Sequence[bytes]) -> Iterable[bytes]:
        for message in messages:
            size = self.piece_bytes or len(message)
            yield from (message[start : start + size] for start in range(0, len(message), size))

    @property
    def states(self) -> tuple[StreamState, StreamState]:
        return self.client.stream.state, self.server.stream.state
