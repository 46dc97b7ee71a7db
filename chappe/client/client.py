"""Client: one account's session, which outlives its connections.

Rule: events are told to one plain function, in the order in which they happened, and never while it is running.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from chappe.client.account import Account
from chappe.client.errors import LoginRefused, NotConnected, Unreachable
from chappe.client.events import Connected, Disconnected, Ended, Event
from chappe.client.login import Door, Established, closing
from chappe.client.requests import PendingRequests
from chappe.client.wire import Wire
from xmpp.client_stream import ClientStream, Resumption
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.events import Acknowledged, ClientEvent, ManagementRefused, StreamClosed
from xmpp.jid import JID
from xmpp.namespaces import PING
from xmpp.stanza import Stanza
from xmpp.transitions import StreamState

RETRY_SECONDS_MIN = 0.2
CLOSE_SECONDS = 3.0
ID_BYTES = 9

Answer = Callable[[Stanza], tuple[Element, ...]]
"""Answers a request with the payload of its result, or raises StanzaError."""


def _no_event(_event: Event) -> None:
    """For clients that only ask."""


class Client:
    """Logs in when it is entered, closes its session when it is left; in between it reconnects by itself.

    Args:
        account: who, where.
        on_event: is told what happens.
        answers: payload's name -> who answers such a request of another entity; pings are always answered.
    """

    def __init__(
        self,
        account: Account,
        on_event: Callable[[Event], None] = _no_event,
        answers: Mapping[str, Answer] | None = None,
    ) -> None:
        self._account = account
        self._on_event = on_event
        self._answers = {f"{{{PING}}}ping": lambda _iq: (), **(answers or {})}
        self._door = Door(account)
        self._pending = PendingRequests()
        self._stream: ClientStream | None = None
        self._resumption: Resumption | None = None
        self._has_output = asyncio.Event()
        self._asked_for_acknowledgement = False
        self._is_counted = True
        self._closing = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()
        self.jid = account.jid
        """The full JID, once connected."""

    async def __aenter__(self) -> Self:
        """Log in.

        Raises:
            Unreachable, LoginRefused: the first attempt failed; there is no second one.
        """
        first = await self._door.enter(None)
        await self._tasks.__aenter__()
        self._adopt(first)
        self._running = self._tasks.create_task(self._run(first))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._stream is not None:
            self._stream.close()
            self._has_output.set()
        if self._running is not None:
            await asyncio.wait([self._running], timeout=CLOSE_SECONDS)
            self._running.cancel()
        await self._tasks.__aexit__(None, None, None)

    # --- what is sent --------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether what is sent leaves at once."""
        return self._stream is not None

    @property
    def unacknowledged(self) -> int:
        """How many stanzas the server has not taken yet."""
        if self._stream is not None:
            return self._stream.unacknowledged
        return 0 if self._resumption is None else len(self._resumption.queue)

    def send(self, stanza: Stanza) -> None:
        """Send, or keep for the next connection if the session can be resumed.

        Raises:
            NotConnected: neither is possible.
            QueueFull: the server takes nothing.
        """
        if self._stream is not None:
            self._stream.send(stanza)
            self._has_output.set()
        elif self._resumption is not None:
            self._resumption.queue.push(stanza.render())
        else:
            raise NotConnected("not connected")

    async def request(
        self,
        payload: Element,
        *,
        to: JID | None = None,
        type: str = "get",
        seconds: float = 30.0,
    ) -> Stanza:
        """Ask another entity (by default the own account) and wait for the result.

        Raises:
            StanzaError: the answer is an error.
            RequestTimedOut, NotConnected: there is no answer.
        """
        iq = Stanza.build("iq", payload, type=type, id=new_id(), to=to)
        return await self._pending.ask(iq, self.send, seconds)

    async def wait_ended(self) -> None:
        """Return when the client has given up, or is closed."""
        if self._running is not None:
            await asyncio.wait([self._running])

    # --- the session's life --------------------------------------------------

    async def _run(self, established: Established | None) -> None:
        attempt = 0
        while not self._closing.is_set():
            if established is not None:
                attempt = 0
                reason = await self._serve(established)
                if self._closing.is_set():
                    break
                if isinstance(reason, LoginRefused):
                    self._end(str(reason))
                    return
                self._on_event(Disconnected(str(reason)))
            await self._pause(attempt)
            attempt += 1
            established = await self._reconnect()
        self._end("closed")

    async def _reconnect(self) -> Established | None:
        if self._closing.is_set():
            return None
        try:
            established = await self._door.enter(self._resumption)
        except Unreachable:
            return None
        except LoginRefused as error:
            self._closing.set()
            self._on_event(Ended(str(error)))
            return None
        self._adopt(established)
        return established

    async def _pause(self, attempt: int) -> None:
        longest = min(RETRY_SECONDS_MIN * 2 ** min(attempt, 16), self._account.retry_seconds_max)
        try:
            async with asyncio.timeout(random.Random().uniform(longest / 2, longest)):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _adopt(self, established: Established) -> None:
        stream = established.stream
        assert stream.jid is not None, "the stream is online"  # noqa: S101 - narrows the type
        self._stream, self._resumption = stream, None
        self._asked_for_acknowledgement, self._is_counted = False, True
        self._pending.of(stream.jid)
        self.jid = stream.jid
        if not established.is_resumed:
            self._pending.fail(NotConnected("the session is over"))
            for rendered in established.lost:
                if rendered.startswith(b"<message"):
                    stream.send_rendered(rendered)
        self._on_event(Connected(stream.jid, established.is_resumed))
        self._has_output.set()

    def _end(self, reason: str) -> None:
        self._pending.fail(NotConnected(reason))
        self._resumption = None
        if not self._closing.is_set():
            self._closing.set()
            self._on_event(Ended(reason))

    # --- one connection ------------------------------------------------------

    async def _serve(self, established: Established) -> Exception:
        """Read and write until the connection ends; answers why it did."""
        wire, stream = established.wire, established.stream
        ended = self._take(established.events, stream)
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write(wire, stream))
            while ended is None:
                await self._receive(wire, stream)
                ended = self._take(stream.events_received(), stream)
            # Both at once: whoever sends while the writer ends finds a connection or a session to resume.
            self._stream, self._resumption = None, None if ended.is_clean else stream.resumption
            self._has_output.set()
            writing.cancel()
        await self._say_goodbye(wire, stream)
        return closing(established.endpoint, ended.error)

    async def _receive(self, wire: Wire, stream: ClientStream) -> None:
        account = self._account
        try:
            async with asyncio.timeout(account.silence_seconds):
                data = await wire.receive()
        except TimeoutError:
            data = await self._ask_for_life(wire, stream)
        except OSError:
            data = b""
        if data:
            stream.receive_data(data)
        else:
            stream.receive_eof()

    async def _ask_for_life(self, wire: Wire, stream: ClientStream) -> bytes:
        """A connection may be dead without a word: whoever is silent is asked, and given up if it stays silent."""
        if stream.state is not StreamState.ONLINE:
            return b""
        if self._is_counted:
            stream.request_acknowledgement()
        else:
            stream.send(Stanza.build("iq", Element(f"{{{PING}}}ping"), type="get", id=new_id()))
        self._has_output.set()
        try:
            async with asyncio.timeout(self._account.silence_seconds / 2):
                return await wire.receive()
        except (TimeoutError, OSError):
            return b""

    async def _write(self, wire: Wire, stream: ClientStream) -> None:
        """Write what gathered since the last write; whoever sends waits for nothing."""
        while True:
            await self._has_output.wait()
            self._has_output.clear()
            self._ask_for_acknowledgement(stream)
            try:
                await wire.send(stream.messages_to_send())
            except OSError:
                return  # reading finds out as well, and knows what to do

    def _ask_for_acknowledgement(self, stream: ClientStream) -> None:
        """One question at a time is under way as long as anything is unacknowledged: the queue stays short."""
        if self._asked_for_acknowledgement or not self._is_counted or stream.state is not StreamState.ONLINE:
            return
        if stream.unacknowledged:
            self._asked_for_acknowledgement = True
            stream.request_acknowledgement()

    async def _say_goodbye(self, wire: Wire, stream: ClientStream) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await wire.send(stream.messages_to_send())
        except (OSError, TimeoutError):
            pass
        await wire.close()

    def _take(self, events: Sequence[ClientEvent | StreamClosed], stream: ClientStream) -> StreamClosed | None:
        for event in events:
            match event:
                case Stanza():
                    self._take_stanza(event)
                case Acknowledged():
                    self._asked_for_acknowledgement = False
                    self._on_event(event)
                case ManagementRefused():
                    self._is_counted = False
                case StreamClosed():
                    return event
                case _:
                    pass
        self._has_output.set()
        return None

    def _take_stanza(self, stanza: Stanza) -> None:
        if stanza.kind != "iq":
            self._on_event(stanza)
        elif stanza.type in ("get", "set"):
            self._answer(stanza)
        else:
            self._pending.take(stanza)

    def _answer(self, iq: Stanza) -> None:
        answer = self._answers.get(next(iter(iq.payloads), ""), _not_here)
        try:
            self.send(iq.result(*answer(iq)))
        except StanzaError as error:
            self.send(iq.error(error))


def _not_here(_iq: Stanza) -> tuple[Element, ...]:
    raise StanzaError(StanzaCondition.SERVICE_UNAVAILABLE)


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_urlsafe(ID_BYTES)
