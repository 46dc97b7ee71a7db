"""ClientStream: the client's side of a stream: for bots, terminals, tests and load generators.

It chooses by itself what a careful client chooses: TLS before anything else, the strongest mechanism, never a password
in the clear.  The shell connects, starts TLS when asked to, and carries bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from xmpp import management, namespaces
from xmpp.acknowledgement import COUNT_MODULUS, AckQueue, HandledCountTooHigh
from xmpp.element import LANG, Element
from xmpp.errors import SASLCondition, SASLFailure, StreamCondition, StreamError
from xmpp.events import (
    Acknowledged,
    AuthenticationFailed,
    BindingFailed,
    ClientEvent,
    ManagementEnabled,
    ManagementRefused,
    Online,
    Redirected,
    Resumed,
    ResumptionRefused,
    TLSRequested,
)
from xmpp.framing import Framing
from xmpp.items import StreamHeader
from xmpp.jid import JID, InvalidJID
from xmpp.negotiation import FeaturesSeen
from xmpp.parser import ParserPool
from xmpp.redirection import host_and_port
from xmpp.sasl import profile
from xmpp.sasl.client import ClientExchange, Login, choose
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.stanza import Stanza
from xmpp.stream import Stream
from xmpp.transitions import AWAITING_HEADER, CLIENT_TRANSITIONS, Fact, StreamMisuse, StreamState, Table

BIND: Final = f"{{{namespaces.BIND}}}bind"
_STARTTLS: Final = Element(f"{{{namespaces.TLS}}}starttls")
_BIND_ID: Final = "bind"


@dataclass(frozen=True, slots=True)
class Resumption:
    """What is left of a stream that broke, and may be resumed on another connection (XEP-0198 section 5)."""

    previous_id: str
    jid: JID
    received: int
    """How many stanzas of the server were handled."""

    queue: AckQueue[bytes]
    """What was sent, rendered, and is not known to be handled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What a client wants."""

    domain: str
    login: Login
    token: Callable[[], str]
    """Source of unguessable text, fresh at each call, printable ASCII without a comma."""

    resource: str | None = None
    requires_tls: bool = True
    wants_management: bool = True
    resumption: Resumption | None = None
    """A former stream to resume; if the server refuses, a resource is bound."""

    max_seconds: int | None = None
    """How long the server is asked to wait for a resumption."""

    unacknowledged_max: int = 10_000
    """How many stanzas may be sent without an acknowledgement; `send` then raises QueueFull."""

    language: str = "en"


_Expected = Mapping[str, Callable[["ClientStream", Element], None]]


class ClientStream(Stream[ClientEvent]):
    """One stream to a server; send what `data_to_send` gives as soon as the connection is there."""

    __slots__ = ("_exchange", "_facts", "_management_id", "_queue", "_seen", "_settings", "jid")

    TRANSITIONS: ClassVar[Table] = CLIENT_TRANSITIONS

    def __init__(
        self, settings: ClientSettings, framing: Framing, pool: ParserPool, facts: TransportFacts | None = None
    ) -> None:
        """Open the stream; `facts` describe the connection, if it is not a plain one."""
        super().__init__(framing, pool)
        self._settings = settings
        self._facts = facts or TransportFacts()
        self._exchange: ClientExchange | None = None
        self._seen: FeaturesSeen | None = None
        self._queue: AckQueue[bytes] | None = None
        self._management_id: str | None = None
        self.jid: JID | None = None
        """The full JID, once bound or resumed."""
        self._write_header()

    # --- what is sent --------------------------------------------------------

    def send(self, stanza: Stanza) -> None:
        """Send a stanza.  Raises QueueFull if the server acknowledges nothing, StreamMisuse unless online."""
        self.send_rendered(stanza.render())

    def send_rendered(self, rendered: bytes) -> None:
        """Send what `Stanza.render` returned: cheap enough to send the same many times."""
        if self.state is not StreamState.ONLINE:
            raise StreamMisuse(f"stanzas cannot be sent while {self.state.name}")
        if self._queue is not None:
            self._queue.push(rendered)
        self._outgoing.append(self._framing.stanza(rendered))

    def request_acknowledgement(self) -> None:
        """Ask the server how many stanzas it has handled; Acknowledged follows."""
        if self._queue is None:
            raise StreamMisuse("stanzas are not counted")
        self._outgoing.append(management.ACKNOWLEDGEMENT_REQUEST)

    def acknowledge(self) -> None:
        """Tell the server how many of its stanzas have been received."""
        self._outgoing.append(management.answer(self.received % COUNT_MODULUS))

    @property
    def unacknowledged(self) -> int:
        """How many stanzas the server has not acknowledged yet."""
        return 0 if self._queue is None else len(self._queue)

    @property
    def resumption(self) -> Resumption | None:
        """What the next stream needs to go on where this one broke; None if it cannot."""
        if self._management_id is None or self._queue is None or self.jid is None:
            return None
        return Resumption(self._management_id, self.jid, self.received, self._queue)

    def close(self, error: StreamError | None = None) -> None:
        """End the stream, and with it the session."""
        if self.state is StreamState.ONLINE and self._queue is not None:
            # So that the server does not deliver again what has arrived (XEP-0198 section 4).
            self.acknowledge()
        super().close(error)

    def tls_established(self, facts: TransportFacts) -> None:
        """Answer TLSRequested; the stream begins anew."""
        if self._awaits(StreamState.UPGRADING):
            self._become(Fact.TLS_ESTABLISHED)
            self._facts = facts
            self._reader.restart()
            self._write_header()

    def _write_header(self) -> None:
        attributes = {"to": self._settings.domain, "version": "1.0", LANG: self._settings.language}
        self._outgoing.append(self._framing.header(attributes))

    def _open_to_close(self) -> None:
        """Our header is always sent already."""

    # --- what arrives --------------------------------------------------------

    def _take(self, item: StreamHeader | Stanza | Element) -> None:
        if isinstance(item, Stanza):
            self._take_stanza(item)
        elif isinstance(item, StreamHeader):
            self._take_header(item)
        else:
            take = _EXPECTED.get(self.state, {}).get(item.name)
            if take is None:
                self._refuse(StreamCondition.UNSUPPORTED_STANZA_TYPE)
            else:
                take(self, item)

    def _take_stanza(self, stanza: Stanza) -> None:
        if self.state is StreamState.ONLINE:
            self.received += 1
            self._events.append(stanza)
        elif self.state is StreamState.BINDING and stanza.kind == "iq" and stanza.id == _BIND_ID:
            self._take_binding(stanza)
        else:
            self._refuse(StreamCondition.NOT_AUTHORIZED)

    def _take_header(self, header: StreamHeader) -> None:
        if self.state not in AWAITING_HEADER:
            self._refuse(StreamCondition.BAD_FORMAT)
        elif (header.version or "0").startswith("0"):
            self._refuse(StreamCondition.UNSUPPORTED_VERSION)
        else:
            self._become(Fact.HEADER_TAKEN)

    def _take_error(self, error: StreamError) -> None:
        if error.condition is StreamCondition.SEE_OTHER_HOST:
            host, port = host_and_port(error.address)
            self._report(Redirected(host, port))
        super()._take_error(error)

    # --- TLS and SASL --------------------------------------------------------

    def _take_features(self, element: Element) -> None:
        seen = FeaturesSeen.from_element(element)
        if not self._facts.is_encrypted and seen.has_starttls and self._framing.has_starttls:
            self._write(_STARTTLS)
            self._become(Fact.TLS_WANTED)
            return
        if self._settings.requires_tls and not self._facts.is_encrypted:
            self._give_up(SASLFailure(SASLCondition.ENCRYPTION_REQUIRED, "the server offers no TLS"))
            return
        try:
            exchange = choose(self._settings.login, seen.offer, self._facts, self._settings.token())
        except SASLFailure as failure:
            self._give_up(failure)
            return
        self._exchange = exchange
        self._write(profile.authentication(exchange.name, exchange.first_message()))
        self._become(Fact.MESSAGE_SENT)

    def _take_proceed(self, _element: Element) -> None:
        if self._has_more:
            # Bytes sent in the clear must never be read as if they had come through TLS.
            self._refuse(StreamCondition.POLICY_VIOLATION, "nothing may follow <proceed/>")
            return
        self._become(Fact.TLS_AGREED)
        self._report(TLSRequested())

    def _take_tls_failure(self, _element: Element) -> None:
        self._give_up(SASLFailure(SASLCondition.ENCRYPTION_REQUIRED, "the server cannot start TLS"))

    def _take_challenge(self, element: Element) -> None:
        assert self._exchange is not None, "a mechanism was chosen"  # noqa: S101 - narrows the type
        try:
            answer = self._exchange.respond(profile.data_of(element))
        except SASLFailure as failure:
            self._write(Element(profile.ABORT))
            self._give_up(failure)
            return
        self._write(profile.message(profile.RESPONSE, answer))
        self._become(Fact.MESSAGE_SENT)

    def _take_success(self, element: Element) -> None:
        assert self._exchange is not None, "a mechanism was chosen"  # noqa: S101 - narrows the type
        if self._has_more:
            self._refuse(StreamCondition.POLICY_VIOLATION, "nothing may follow <success/>")
            return
        try:
            self._exchange.finish(profile.data_of(element))
        except SASLFailure as failure:
            self._give_up(failure)
            return
        self._exchange = None
        self._become(Fact.AUTHENTICATION_DONE)
        self._reader.restart()
        self._write_header()

    def _take_failure(self, element: Element) -> None:
        self._give_up(SASLFailure.from_element(element))

    def _give_up(self, failure: SASLFailure) -> None:
        self._report(AuthenticationFailed(failure))
        self.close()

    # --- binding and resumption ----------------------------------------------

    def _take_session_features(self, element: Element) -> None:
        self._seen = FeaturesSeen.from_element(element)
        former = self._settings.resumption
        if former is not None and self._seen.has_management:
            self._write(management.resume(former.previous_id, former.received % COUNT_MODULUS))
            self._become(Fact.RESUMPTION_WANTED)
        else:
            self._ask_for_resource()
            self._become(Fact.RESOURCE_WANTED)

    def _ask_for_resource(self) -> None:
        resource = self._settings.resource
        wanted = () if resource is None else (Element(f"{{{namespaces.BIND}}}resource", {}, (resource,)),)
        super().send(Stanza.build("iq", Element(BIND, {}, wanted), type="set", id=_BIND_ID))

    def _take_binding(self, stanza: Stanza) -> None:
        try:
            self.jid = _bound_address(stanza)
        except InvalidJID:
            self._report(BindingFailed(stanza))
            self.close()
            return
        self._become(Fact.RESOURCE_BOUND)
        self._report(Online(self.jid))
        if self._settings.wants_management and self._seen is not None and self._seen.has_management:
            self._write(management.enable(can_resume=True, max_seconds=self._settings.max_seconds))
            self._queue = AckQueue(self._settings.unacknowledged_max)
        self._seen = None

    def _take_resumed(self, element: Element) -> None:
        former = self._settings.resumption
        h = management.handled_count(element)
        assert former is not None, "a resumption was asked for"  # noqa: S101 - narrows the type
        if h is None or element.get("previd") != former.previous_id:
            self._refuse(StreamCondition.INVALID_XML)
            return
        self._management_id, self.jid, self.received = former.previous_id, former.jid, former.received
        self._queue = former.queue
        self._seen = None
        self._become(Fact.STREAM_RESUMED)
        if self._release(former.queue, h):
            self._outgoing += [self._framing.stanza(rendered) for _, rendered in former.queue.unacknowledged()]
            self._report(Resumed(former.jid))

    def _take_resumption_failed(self, element: Element) -> None:
        self._report(ResumptionRefused(management.handled_count(element)))
        self._ask_for_resource()
        self._become(Fact.RESUMPTION_REFUSED)

    # --- stream management ---------------------------------------------------

    def _take_enabled(self, element: Element) -> None:
        self.received = 0
        self._management_id = element.get("id") if management.can_resume(element) else None
        self._report(ManagementEnabled(self._management_id, management.max_seconds(element)))

    def _take_management_failed(self, _element: Element) -> None:
        self._queue = None
        self._report(ManagementRefused())

    def _take_request(self, _element: Element) -> None:
        self.acknowledge()

    def _take_answer(self, element: Element) -> None:
        h = management.handled_count(element)
        if h is None or self._queue is None:
            self._refuse(StreamCondition.INVALID_XML)
        elif self._release(self._queue, h):
            self._report(Acknowledged(h))

    def _release(self, queue: AckQueue[bytes], h: int) -> bool:
        try:
            queue.acknowledge(h)
        except HandledCountTooHigh as error:
            self.close(error)
            return False
        return True


# Which elements, other than stanzas, are expected when.  Not in the class: mypyc has no methods there yet.

_FEATURES: Final = f"{{{namespaces.STREAMS}}}features"
_EXPECTED: Final[Mapping[StreamState, _Expected]] = {
    StreamState.NEGOTIATING: {_FEATURES: ClientStream._take_features},
    StreamState.REQUESTING_TLS: {
        f"{{{namespaces.TLS}}}proceed": ClientStream._take_proceed,
        f"{{{namespaces.TLS}}}failure": ClientStream._take_tls_failure,
    },
    StreamState.AUTHENTICATING: {
        profile.CHALLENGE: ClientStream._take_challenge,
        profile.SUCCESS: ClientStream._take_success,
        profile.FAILURE: ClientStream._take_failure,
    },
    StreamState.AUTHENTICATED: {_FEATURES: ClientStream._take_session_features},
    StreamState.RESUMING: {
        management.RESUMED: ClientStream._take_resumed,
        management.FAILED: ClientStream._take_resumption_failed,
    },
    StreamState.ONLINE: {
        management.ENABLED: ClientStream._take_enabled,
        management.FAILED: ClientStream._take_management_failed,
        management.REQUEST: ClientStream._take_request,
        management.ANSWER: ClientStream._take_answer,
    },
}


def _bound_address(stanza: Stanza) -> JID:
    """The JID in the result of binding.  Raises InvalidJID if there is none."""
    bind = stanza.find(BIND) if stanza.type == "result" else None
    jid = bind.find(f"{{{namespaces.BIND}}}jid") if bind is not None else None
    return JID.parse("" if jid is None else jid.text)
