"""ServerStream: the server's side of a client's stream, from the first byte to the last.

What only the negotiation needs is dropped once the client is bound (`tests/benchmarks/bench_stream.py` weighs it).
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from xmpp import management, namespaces, redirection
from xmpp.acknowledgement import HandledCounter
from xmpp.authentication import Authentication
from xmpp.element import Element
from xmpp.errors import SASLCondition, SASLFailure, StanzaCondition, StanzaError, StreamCondition
from xmpp.events import (
    Acknowledged,
    Authenticated,
    CredentialsRequested,
    ManagementRequested,
    PasswordPresented,
    ResourceRequested,
    ResumptionRequested,
    ServerEvent,
    TLSRequested,
)
from xmpp.framing import Framing
from xmpp.items import Item, StreamHeader
from xmpp.jid import JID
from xmpp.negotiation import (
    STARTTLS,
    Progress,
    ServerSettings,
    address_of,
    features_of,
    header_attributes,
    header_problem,
)
from xmpp.parser import ParserPool
from xmpp.sasl import profile
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.sasl.scram import Credentials
from xmpp.sasl.server import Challenge, CredentialsWanted, PasswordWanted, Step
from xmpp.server_negotiation import Negotiation
from xmpp.stanza import Stanza
from xmpp.stream import Stream
from xmpp.transitions import AWAITING_HEADER, PAUSED, SERVER_TRANSITIONS, Fact, StreamState, Table

BIND: Final = f"{{{namespaces.BIND}}}bind"
SESSION: Final = f"{{{namespaces.SESSION}}}session"
_PROCEED: Final = Element(f"{{{namespaces.TLS}}}proceed")
_TLS_FAILURE: Final = Element(f"{{{namespaces.TLS}}}failure")
_BEFORE_BINDING: Final = frozenset(StreamState) - {StreamState.BOUND, StreamState.ONLINE}


_Expected = Mapping[str, Callable[["ServerStream", Element], None]]


class ServerStream(Stream[ServerEvent]):
    """One client's stream; give it bytes, take events, answer what it asks, write what it has to send."""

    __slots__ = ("_counter", "_handled", "_negotiation", "_settings")

    TRANSITIONS: ClassVar[Table] = SERVER_TRANSITIONS

    def __init__(
        self, settings: ServerSettings, framing: Framing, pool: ParserPool, facts: TransportFacts | None = None
    ) -> None:
        """Wait for a client; `facts` describe the connection, if it is not a plain one."""
        super().__init__(framing, pool)
        self._settings = settings
        self._negotiation: Negotiation | None = Negotiation(Authentication(settings), facts or TransportFacts())
        self._counter: HandledCounter | None = None
        self._handled = 0

    # --- what arrives --------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        """Whether an answer is awaited: stop reading from the connection until it has been given."""
        return self.state in PAUSED

    def _take_all(self, items: list[Item]) -> None:
        for position, item in enumerate(items, start=1):
            if self.state is StreamState.ONLINE and item.__class__ is Stanza:
                self.received += 1
                self._events.append(item)
                continue
            if self.state in PAUSED:
                self._hold(self._open_negotiation, items[position - 1 :])
                return
            self._has_more = position < len(items) or not self._reader.is_between_items
            self._take_any(item)

    def _hold(self, negotiation: Negotiation, items: list[Item]) -> None:
        negotiation.backlog += items
        if len(negotiation.backlog) > self._settings.pipelined_items_max:
            self._refuse(StreamCondition.POLICY_VIOLATION, "too much was sent ahead")

    def _take_backlog(self, negotiation: Negotiation) -> None:
        items, negotiation.backlog = negotiation.backlog, []
        self._take_all(items)

    def _take(self, item: StreamHeader | Stanza | Element) -> None:
        if isinstance(item, Stanza):
            self._take_stanza(item)
            return
        if isinstance(item, StreamHeader):
            if self.state in AWAITING_HEADER:
                self._take_header(item)
                return
        else:
            take = _EXPECTED.get(self.state, {}).get(item.name)
            if take is not None:
                take(self, item)
                return
        self._refuse_unexpected()

    def _refuse_unexpected(self) -> None:
        """The one place for what is well-formed, but not now (RFC 6120 sections 4.9.3.12 and 4.9.3.24)."""
        is_early = self.state in _BEFORE_BINDING
        self._refuse(StreamCondition.NOT_AUTHORIZED if is_early else StreamCondition.UNSUPPORTED_STANZA_TYPE)

    def _take_stanza(self, stanza: Stanza) -> None:
        is_set = stanza.kind == "iq" and stanza.type == "set"
        if self.state is StreamState.AUTHENTICATED and is_set and stanza.payloads == (BIND,):
            self._take_bind(stanza)
        elif self.state is StreamState.BOUND and is_set and stanza.payloads == (SESSION,):
            self.send(stanza.result())  # not `received`: the core, which never sees it, counts the same stanzas
        elif self.state in _BEFORE_BINDING:
            self._refuse_unexpected()
        else:
            self._settle()
            self.received += 1
            self._events.append(stanza)

    def _settle(self) -> None:
        """Something else than a session request follows binding: from here on every stanza is an event."""
        if self.state is StreamState.BOUND:
            self._become(Fact.NEGOTIATION_OVER)

    @property
    def _open_negotiation(self) -> Negotiation:
        assert self._negotiation is not None, "it lasts until the stream is bound"  # noqa: S101 - narrows the type
        return self._negotiation

    # --- header and features -------------------------------------------------

    def _take_header(self, header: StreamHeader) -> None:
        self._write_header(address_of(header.sender))
        problem = header_problem(header, self._settings.authentication.domain)
        self._become(Fact.HEADER_TAKEN)
        if problem is not None:
            self._refuse(problem)
            return
        negotiation = self._open_negotiation
        features = features_of(
            self._settings, negotiation.facts, negotiation.progress, has_starttls=self._framing.has_starttls
        )
        if features:
            self._write(Element(f"{{{namespaces.STREAMS}}}features", {}, features))
        else:
            self._refuse(StreamCondition.POLICY_VIOLATION, "TLS is required")

    def _write_header(self, to: str | None = None) -> None:
        self._outgoing.append(self._framing.header(header_attributes(self._settings, to)))

    def _open_to_close(self) -> None:
        self._write_header()

    # --- STARTTLS (RFC 6120 section 5) ---------------------------------------

    def _take_starttls(self, _element: Element) -> None:
        negotiation = self._open_negotiation
        can_upgrade = self._settings.has_tls and self._framing.has_starttls
        if not can_upgrade or not STARTTLS.is_open_at(negotiation.progress):
            self._write(_TLS_FAILURE)
            self.close()
        elif self._has_more:
            # Bytes sent in the clear must never be read as if they had come through TLS.
            self._refuse(StreamCondition.POLICY_VIOLATION, "nothing may follow <starttls/>")
        else:
            self._write(_PROCEED)
            self._become(Fact.TLS_AGREED)
            self._report(TLSRequested())

    def tls_established(self, facts: TransportFacts) -> None:
        """Answer TLSRequested; the stream begins anew."""
        if self._awaits(StreamState.UPGRADING):
            self._negotiation = Negotiation(Authentication(self._settings), facts)
            self._reader.restart()
            self._become(Fact.TLS_ESTABLISHED)

    # --- SASL (RFC 6120 section 6) -------------------------------------------

    def _take_auth(self, element: Element) -> None:
        negotiation = self._open_negotiation
        self._attempt(lambda: negotiation.authentication.begin(element, negotiation.facts, negotiation.progress))

    def _take_response(self, element: Element) -> None:
        authentication = self._open_negotiation.authentication
        self._attempt(lambda: authentication.respond(element))

    def _take_abort(self, _element: Element) -> None:
        self._fail(SASLFailure(SASLCondition.ABORTED))

    def credentials_found(self, credentials: Credentials | None) -> None:
        """Answer CredentialsRequested; None if there is no such account, which the client learns no sooner."""
        self._verify(lambda authentication: authentication.credentials_found(credentials))

    def password_checked(self, is_right: bool) -> None:
        """Answer PasswordPresented."""
        self._verify(lambda authentication: authentication.password_checked(is_right=is_right))

    def _verify(self, step: Callable[[Authentication], Step]) -> None:
        if self._awaits(StreamState.VERIFYING):
            negotiation = self._open_negotiation
            self._attempt(lambda: step(negotiation.authentication))
            self._take_backlog(negotiation)

    def _attempt(self, step: Callable[[], Step]) -> None:
        try:
            self._follow(step())
        except SASLFailure as failure:
            self._fail(failure)

    def redirect(self, host: str, port: int) -> None:
        """Send the client to its home (RFC 6120 section 4.9.3.19): an answer to anything that is asked."""
        self.close(redirection.error(redirection.address(host, port)))

    def _follow(self, step: Step) -> None:
        if isinstance(step, Challenge):
            self._write(profile.message(profile.CHALLENGE, step.data))
            self._become(Fact.MESSAGE_SENT)
        elif isinstance(step, CredentialsWanted):
            self._become(Fact.ANSWER_WANTED)
            self._report(CredentialsRequested(step.account))
        elif isinstance(step, PasswordWanted):
            self._become(Fact.ANSWER_WANTED)
            self._report(PasswordPresented(step.account, step.password))
        else:
            self._succeed(step.account, step.data)

    def _succeed(self, account: str, data: bytes) -> None:
        negotiation = self._open_negotiation
        if negotiation.backlog or self._has_more or not self._reader.is_between_items:
            self._refuse(StreamCondition.NOT_AUTHORIZED, "nothing may be sent before <success/>")
            return
        negotiation.progress |= Progress.AUTHENTICATED
        self._write(profile.message(profile.SUCCESS, data))
        self._reader.restart()
        self._become(Fact.AUTHENTICATION_DONE)
        self._report(Authenticated(account))

    def _fail(self, failure: SASLFailure) -> None:
        self._write(failure.element())
        self._become(Fact.ATTEMPT_FAILED)
        if not self._open_negotiation.authentication.has_attempts_left:
            self._refuse(StreamCondition.POLICY_VIOLATION, "too many failed attempts")

    # --- binding (RFC 6120 section 7) ----------------------------------------

    def _take_bind(self, stanza: Stanza) -> None:
        bind = stanza.find(BIND)
        resource = bind.find(f"{{{namespaces.BIND}}}resource") if bind else None
        self._open_negotiation.bind = stanza
        self._become(Fact.RESOURCE_WANTED)
        self._report(ResourceRequested(resource.text or None if resource else None))

    def resource_bound(self, jid: JID) -> None:
        """Answer ResourceRequested: the client is online as `jid`."""
        if self._awaits(StreamState.BINDING):
            request = self._open_negotiation.bind or Stanza("iq")
            name = Element(f"{{{namespaces.BIND}}}jid", {}, (jid.full,))
            self.send(request.result(Element(BIND, {}, (name,))))
            self._finish_negotiation(Fact.RESOURCE_BOUND)

    def binding_refused(self, error: StanzaError) -> None:
        """Answer ResourceRequested: the client may try again."""
        if self._awaits(StreamState.BINDING):
            negotiation = self._open_negotiation
            self.send((negotiation.bind or Stanza("iq")).error(error))
            self._become(Fact.BINDING_REFUSED)
            self._take_backlog(negotiation)

    def _finish_negotiation(self, fact: Fact) -> None:
        negotiation, self._negotiation = self._open_negotiation, None
        self._become(fact)
        self._take_all(negotiation.backlog)

    # --- stream management (XEP-0198) ----------------------------------------

    def _take_enable(self, element: Element) -> None:
        if self.state in _BEFORE_BINDING or self._counter is not None:
            self._write(management.failed(StanzaCondition.UNEXPECTED_REQUEST))
        elif not self._settings.has_management:
            self._write(management.failed(StanzaCondition.FEATURE_NOT_IMPLEMENTED))
        else:
            self._settle()
            self._counter = HandledCounter(self.received, self._handled)
            self._report(ManagementRequested(management.can_resume(element), management.max_seconds(element)))

    def management_enabled(self, id: str | None, max_seconds: int | None = None) -> None:
        """Answer ManagementRequested; None as id: the stream can't be resumed."""
        if self._awaits(StreamState.ONLINE) and self._counter is not None:
            self._write(management.enabled(id, max_seconds))
            if self._counter.open():
                self._acknowledge()

    def management_refused(self, condition: StanzaCondition = StanzaCondition.INTERNAL_SERVER_ERROR) -> None:
        """Answer ManagementRequested: stanzas are not counted."""
        if self._awaits(StreamState.ONLINE):
            self._counter = None
            self._write(management.failed(condition))

    def _take_resume(self, element: Element) -> None:
        previous_id, h = element.get("previd"), management.handled_count(element)
        if self.state is not StreamState.AUTHENTICATED:
            self._write(management.failed(StanzaCondition.UNEXPECTED_REQUEST))
        elif not self._settings.has_management:
            self._write(management.failed(StanzaCondition.FEATURE_NOT_IMPLEMENTED))
        elif previous_id is None or h is None:
            self._write(management.failed(StanzaCondition.BAD_REQUEST))
        else:
            self._become(Fact.RESUMPTION_WANTED)
            self._report(ResumptionRequested(previous_id, h))

    def resumed(self, previous_id: str, h: int) -> None:
        """Answer ResumptionRequested: the former stream goes on, of which `h` stanzas have been handled."""
        if self._awaits(StreamState.RESUMING):
            self._write(management.resumed(previous_id, h))
            self.received = self._handled = h
            self._counter = HandledCounter(0, h)
            self._counter.open()
            self._finish_negotiation(Fact.STREAM_RESUMED)

    def resumption_refused(self, h: int | None = None) -> None:
        """Answer ResumptionRequested: the client may bind; `h` if the lost stream's count is still known."""
        if self._awaits(StreamState.RESUMING):
            negotiation = self._open_negotiation
            self._write(management.failed(StanzaCondition.ITEM_NOT_FOUND, h))
            self._become(Fact.RESUMPTION_REFUSED)
            self._take_backlog(negotiation)

    def _take_request(self, _element: Element) -> None:
        # COMPAT(slixmpp): it may ask before it has sent <enable/>; where nothing is counted there is no answer.
        if self._counter is not None and self._counter.requested(self.received):
            self._acknowledge()

    def _take_answer(self, element: Element) -> None:
        h = management.handled_count(element)
        if h is None:
            self._refuse(StreamCondition.INVALID_XML, "h must be an unsigned 32-bit number")
        elif self._counter is not None:
            self._report(Acknowledged(h))

    def stanza_handled(self, number: int) -> None:
        """Everything up to this stanza is taken care of, whatever may happen now.

        Numbers are those of `received`: counted since binding, or on from the `h` given to `resumed`.
        """
        self._handled = number
        if self._counter is not None and self._counter.handled(number) and self.state is StreamState.ONLINE:
            self._acknowledge()

    def answer_overdue(self) -> None:
        """Answer a request that has waited since the last call: it may for a time only (XEP-0198 section 4)."""
        if self._counter is not None and self._counter.is_overdue() and self.state is StreamState.ONLINE:
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self._counter is not None:
            self._outgoing.append(management.answer(self._counter.h))


# Which elements, other than stanzas, are expected when.  Not in the class: mypyc has no methods there yet.

_BEFORE: Final[_Expected] = {management.ENABLE: ServerStream._take_enable, management.RESUME: ServerStream._take_resume}
_AFTER: Final[_Expected] = {
    **_BEFORE,
    management.REQUEST: ServerStream._take_request,
    management.ANSWER: ServerStream._take_answer,
}
_EXPECTED: Final[Mapping[StreamState, _Expected]] = {
    StreamState.NEGOTIATING: {
        f"{{{namespaces.TLS}}}starttls": ServerStream._take_starttls,
        profile.AUTH: ServerStream._take_auth,
        **_BEFORE,
    },
    StreamState.AUTHENTICATING: {
        profile.RESPONSE: ServerStream._take_response,
        profile.ABORT: ServerStream._take_abort,
    },
    StreamState.AUTHENTICATED: _BEFORE,
    StreamState.BOUND: _AFTER,
    StreamState.ONLINE: _AFTER,
}
