"""Connection: one client's socket, between the stream (`xmpp.server_stream`) and the core.

Rule: once a resource is bound, a stanza goes from `data_received` to `Attachment.receive` in plain calls, and what the
core delivers is gathered and written once per turn of the loop.  A silent connection waits in no timer and in no task.
"""

from collections.abc import Sequence
from typing import Final

from edge_node.backplane.ports import Attachment, ConnectionFacts
from edge_node.listeners.listener import DRAINING, Listener
from edge_node.listeners.login import Login
from edge_node.listeners.wheel import TICK_SECONDS
from xmpp.errors import StanzaError, StreamCondition, StreamError
from xmpp.events import Acknowledged, ManagementRequested, ServerEvent, StreamClosed, TLSRequested
from xmpp.framing import Framing
from xmpp.jid import JID
from xmpp.sasl import Credentials
from xmpp.server_stream import ServerStream
from xmpp.stanza import Stanza

_COUNTER: Final = 0xFFFFFFFF
_BY_ANSWER, _BY_CORE, _BY_RATE, _BY_CUSTODY = 1, 2, 4, 8


class Connection:
    """What connections of all transports have in common; a `Channel` for the core.

    A transport's own class feeds `take` and writes in `_write`, and hears of the end in `_finish` and `_drop`.
    """

    __slots__ = (
        "_attachment",
        "_bytes_left",
        "_facts",
        "_handled",
        "_is_over",
        "_listener",
        "_login",
        "_offset",
        "_offset_next",
        "_outgoing",
        "_paused",
        "_rate_tick",
        "_refilled",
        "_slow_tick",
        "_stanzas_left",
        "_stream",
        "due_tick",
    )

    def __init__(self, listener: Listener, framing: Framing, facts: ConnectionFacts, network: str) -> None:
        """Begin a stream; `network` has been admitted (`Admission.admit`)."""
        self._listener = listener
        known = listener.transport_facts(facts)
        self._stream = ServerStream(listener.stream_settings, framing, listener.pool, known)
        self._login: Login | None = Login(listener, self, network)
        self._outgoing: list[bytes] = []
        self._is_over = False
        self._paused = 0
        self._offset = 0  # what the core calls stanza 0 is that number to the stream
        self._offset_next = 0  # the same as soon as stream management is enabled
        self._handled = 0  # number, to the stream, of the last stanza in the core's custody
        self._bytes_left: float = float(listener.settings.rate.burst_bytes)
        self._stanzas_left: float = float(listener.settings.rate.burst_stanzas)
        self._refilled = listener.wheel.now
        self._rate_tick = 0  # when reading goes on
        self._slow_tick = 0  # when a client that does not read is given up
        self.due_tick = 0
        self._facts = facts
        self._attachment: Attachment | None = None  # attached with the first question to the core

    def opened(self) -> None:
        """There is a transport (called once by the transport's class)."""
        self._listener.connections.add(self)
        self._wait()
        if self._listener.is_draining:  # it was in its handshake when the others were told
            self.close(StreamError(StreamCondition.SYSTEM_SHUTDOWN, DRAINING))

    # --- what the client says -------------------------------------------------

    def take(self, data: bytes) -> None:
        """Take what arrived: any part of a TCP stream, or one WebSocket message."""
        listener = self._listener
        now = listener.wheel.now
        if now != self._refilled:
            self._refill(now)
        size = len(data)
        listener.metrics.bytes_received += size
        self._bytes_left -= size
        stream = self._stream
        stream.receive_data(data)
        if self._login is not None:
            self._negotiate(self._login, size)
            return
        events = stream.events_received()
        attachment = self._attached()
        number = 0
        for event in events:
            if event.__class__ is Stanza:
                number += 1
                attachment.receive(event)
            else:
                self._report(event, events)
            if self._is_over:
                return
        listener.metrics.stanzas_received += number
        self._stanzas_left -= number
        for message in stream.messages_to_send():
            self._put(message)
        if self._bytes_left < 0 or self._stanzas_left < 0:
            self._exceed()
        if stream.received - self._handled >= listener.settings.connection.unhandled_stanzas_max:
            self._pause(_BY_CUSTODY, "custody")

    def take_end(self) -> None:
        """The client will send no more, without having said so."""
        self._stream.receive_eof()
        self.proceed()

    def _negotiate(self, login: Login, size: int) -> None:
        login.bytes_left -= size
        if login.bytes_left < 0:
            self.close(StreamError(StreamCondition.POLICY_VIOLATION, "too much before a resource was bound"))
            return
        self.proceed()
        if self._login is not None and self._stream.is_paused:
            self._pause(_BY_ANSWER, "answer")

    def proceed(self) -> None:
        """Take the stream's events and write what it has to say."""
        stream = self._stream
        while not self._is_over and (events := stream.events_received()):
            for event in events:
                self._report(event, events)
        login = self._login
        if login is not None:
            login.follow(stream)
        for message in stream.messages_to_send():
            self._put(message)
        if self._paused & _BY_ANSWER and not stream.is_paused:
            self._unpause(_BY_ANSWER)

    def _report(self, event: ServerEvent | StreamClosed, events: Sequence[ServerEvent | StreamClosed]) -> None:
        """Act on one event out of those that came together."""
        if self._is_over:
            return
        if isinstance(event, Stanza):
            self._attached().receive(event)
        elif isinstance(event, Acknowledged):
            self._attached().acknowledge(event.h)
        elif isinstance(event, StreamClosed):
            self._end("closed" if event.error is None else event.error.condition, is_clean=event.is_clean)
        elif isinstance(event, ManagementRequested):
            behind = events[events.index(event) + 1 :]
            self._offset_next = self._stream.received - sum(isinstance(each, Stanza) for each in behind)
            self._attached().enable_management(event.can_resume, event.max_seconds)
        elif isinstance(event, TLSRequested):
            self._start_tls()
        elif self._login is not None:
            self._login.ask(event, self._attached())

    def _attached(self) -> Attachment:
        attachment = self._attachment
        if attachment is None:
            attachment = self._attachment = self._listener.core.attach(self, self._facts)
        return attachment

    # --- what the core says: `edge_node.backplane.ports.Channel` ----------------

    def credentials_found(self, credentials: Credentials | None) -> None:
        if self._login is not None:
            self._login.found(self._stream, credentials)

    def redirect(self, host: str, port: int) -> None:
        if self._login is not None:
            self._login.forget()
        self._stream.redirect(host, port)
        self.proceed()

    def bound(self, jid: JID, session_key: int) -> None:
        self._settle()
        self._stream.resource_bound(jid)
        self.proceed()

    def binding_refused(self, error: StanzaError) -> None:
        self._stream.binding_refused(error)
        self.proceed()

    def management_enabled(self, resumption_id: str, max_seconds: int, key: int) -> None:
        self._offset = self._handled = self._offset_next
        self._stream.management_enabled(resumption_id or None, max_seconds)
        self.proceed()

    def management_refused(self) -> None:
        self._stream.management_refused()
        self.proceed()

    def resumed(self, previous_id: str, h: int, jid: JID, session_key: int) -> None:
        self._settle()
        self._handled = h
        self._stream.resumed(previous_id, h)
        self.proceed()

    def resumption_refused(self, h: int | None) -> None:
        self._stream.resumption_refused(h)
        self.proceed()

    def deliver(self, data: bytes) -> None:
        if not self._is_over:
            self._put(data)

    def nonza(self, data: bytes) -> None:
        if not self._is_over:
            self._put(data)

    def handled(self, h: int) -> None:
        stream = self._stream
        received = stream.received
        outstanding = (received - self._offset - h) & _COUNTER
        self._handled = number = received - outstanding
        stream.stanza_handled(number)
        for message in stream.messages_to_send():
            self._put(message)
        if self._paused & _BY_CUSTODY and outstanding * 2 <= self._listener.settings.connection.unhandled_stanzas_max:
            self._unpause(_BY_CUSTODY)

    def close(self, error: StreamError | None) -> None:
        if self._is_over:
            return
        if self._login is not None:
            self._login.forget()
        self._stream.close(error)
        self.proceed()
        if not self._is_over:  # the client is to end its stream too
            self._end("closed", is_clean=False)

    def sweep(self) -> None:
        """Answer what has waited for custody since the last time (called by the listener)."""
        if self._stream.received > self._handled:
            self._stream.answer_overdue()
            self.proceed()

    def pause_reading(self) -> None:
        self._pause(_BY_CORE, "core")

    def resume_reading(self) -> None:
        self._unpause(_BY_CORE)

    @property
    def receive_buffer(self) -> memoryview:
        """Where its transport may read to; used by all connections, one at a time."""
        return self._listener.receive_buffer

    # --- bounds ---------------------------------------------------------------

    def expired(self) -> None:
        """Something has taken too long."""
        listener = self._listener
        now = listener.wheel.now
        if self._is_over:
            self._abort()
        elif self._login is not None and now >= self._login.due_tick:
            self.close(StreamError(StreamCondition.CONNECTION_TIMEOUT, "no resource was bound in time"))
        elif self._slow_tick and now >= self._slow_tick:
            self.drop("slow")
        else:
            if self._rate_tick and now >= self._rate_tick:
                self._rate_tick = 0
                self._refill(now)
                self._unpause(_BY_RATE)
            self._wait()

    def _wait(self) -> None:
        """Have the wheel call for whatever is next."""
        due = min(filter(None, self._ticks()), default=0)
        if due:
            self._listener.wheel.wait(self, due)
        else:
            self._listener.wheel.forget(self)

    def _ticks(self) -> list[int]:
        """When something is due, each 0 if it is not."""
        return [self._rate_tick, self._slow_tick, 0 if self._login is None else self._login.due_tick]

    def _refill(self, now: int) -> None:
        rate = self._listener.settings.rate
        seconds = (now - self._refilled) * TICK_SECONDS
        self._refilled = now
        self._bytes_left = min(rate.burst_bytes, self._bytes_left + seconds * rate.bytes_per_second)
        self._stanzas_left = min(rate.burst_stanzas, self._stanzas_left + seconds * rate.stanzas_per_second)

    def _exceed(self) -> None:
        """Read no more until the debt is paid."""
        rate = self._listener.settings.rate
        seconds = max(-self._bytes_left / rate.bytes_per_second, -self._stanzas_left / rate.stanzas_per_second)
        self._rate_tick = self._listener.wheel.tick_after(seconds)
        self._pause(_BY_RATE, "rate")
        self._wait()

    def _pause(self, reason: int, name: str) -> None:
        """Read nothing until every reason has passed: TCP slows the client down."""
        if not self._paused & reason:
            self._listener.metrics.paused[name] += 1
            if not self._paused:
                self._pause_transport()
            self._paused |= reason

    def _unpause(self, reason: int) -> None:
        if self._paused & reason:
            self._paused &= ~reason
            if not self._paused:
                self._resume_transport()

    def _put(self, data: bytes) -> None:
        if not self._outgoing:
            self._listener.flush_soon(self)
        self._outgoing.append(data)

    def pause_writing(self) -> None:
        """The client does not take what is written (called by the transport)."""
        if not self._is_over:  # else it has `closing_seconds` already
            self._slow_tick = self._listener.wheel.tick_after(self._listener.settings.connection.slow_seconds_max)
            self._wait()

    def resume_writing(self) -> None:
        """It does again."""
        self._slow_tick = 0
        if not self._is_over:
            self._wait()

    # --- the end --------------------------------------------------------------

    def _settle(self) -> None:
        """A resource is bound: what only the negotiation needed goes."""
        login, self._login = self._login, None
        if login is not None:
            self._listener.admission.settled(login.network)
            self._unpause(_BY_ANSWER)
            self._wait()

    def _end(self, reason: str, *, is_clean: bool) -> None:
        """The stream is over: write what is left, tell the core, and give the client a moment to read it."""
        attachment, self._attachment = self._attachment, None
        self._is_over = True
        for message in self._stream.messages_to_send():
            self._put(message)
        self.flush()
        listener = self._listener
        listener.metrics.closed[reason] += 1
        self._paused = 0
        listener.wheel.wait(self, listener.wheel.tick_after(listener.settings.connection.closing_seconds))
        if attachment is not None:
            attachment.detach(is_clean, reason)
        self._finish(is_clean=is_clean)

    def drop(self, reason: str) -> None:
        """Give the client up without a word: it would not read it."""
        if not self._is_over:
            self._outgoing.clear()
            self._end(reason, is_clean=False)
        self._abort()

    def lost(self) -> None:
        """The socket is gone (called once by the transport's class)."""
        listener = self._listener
        try:
            if not self._is_over:
                self.take_end()
        finally:  # whatever the core makes of it, the socket no longer counts
            listener.wheel.forget(self)
            if self._login is not None:
                listener.admission.settled(self._login.network)
                self._login = None
            listener.admission.gone()
            listener.gone(self)

    # --- the transport's own --------------------------------------------------

    def flush(self) -> None:
        """Write what has gathered."""
        raise NotImplementedError

    def _finish(self, *, is_clean: bool) -> None:
        """Everything is written: close, or (not clean) wait for the client to close."""
        raise NotImplementedError

    def _abort(self) -> None:
        """Close at once."""
        raise NotImplementedError

    def _start_tls(self) -> None:
        """The client has asked for TLS and been told to begin."""
        raise NotImplementedError

    def _pause_transport(self) -> None:
        raise NotImplementedError

    def _resume_transport(self) -> None:
        raise NotImplementedError
