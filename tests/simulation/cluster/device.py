"""A client as careful as XEP-0198 asks for, or one without stream management; and its user."""

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from edge_node.backplane.ports import Core
from tests.simulation.cluster.records import Message, Pair, Receipts
from tests.simulation.cluster.requests import ERROR, NOTICED_SECONDS_MAX, Requests
from tests.simulation.cluster.socket import Socket
from tests.simulation.cluster.trace import Trace
from tests.support.edge import parse
from xmpp.errors import StanzaError
from xmpp.jid import JID
from xmpp.payloads.carbons import RECEIVED, SENT
from xmpp.stanza import Stanza

ROSTER = '<iq type="get" id="roster"><query xmlns="jabber:iq:roster"/></iq>'
CARBONS = '<iq type="set" id="carbons"><enable xmlns="urn:xmpp:carbons:2"/></iq>'
BODY = "{jabber:client}body"
STATUS = "{jabber:client}status"
COPIED = re.compile(rb'<message [^>]*id="(m\d+)"')


class World(Protocol):
    """Where the device lives."""

    trace: Trace
    messages: dict[str, Message]
    sessions: list[Receipts]
    pairs: dict[tuple[str, str], Pair]
    complaints: list[str]

    def reach(self, device: "Device") -> Core | None:
        """What takes connections of the device's home site; None while nothing does."""


@dataclass
class Outgoing:
    """A stanza that the server has not acknowledged."""

    data: str
    message: Message | None = None


class Device:
    """One resource of one account."""

    def __init__(self, world: World, account: str, resource: str, random: Random, *, is_managed: bool) -> None:
        self.world = world
        self.account = account
        self.resource = resource
        self.name = f"{JID.parse(account).local}/{resource}"
        self.jid = f"{account}/{resource}"
        self.is_managed = is_managed
        self.messages: Mapping[str, Message] = world.messages
        self.has_carbons = False
        """Whether it asks for copies of what its account's other devices get and send."""
        self.priority = 0
        self.is_wanted = False
        """Whether its user wants it to be connected."""
        self.shows: str | None = None
        """What its user wants to be seen of it; None: unavailable."""
        self.said: str | None = None
        """What it has told the server of that."""
        self.view: dict[str, str] = {}
        """Full JIDs that are available, as the server said, and their status."""
        self.is_online = False
        self.absences: list[float] = []
        """When its connection was lost, or closed by its user."""
        self.receipts: Receipts | None = None
        self.socket: Socket | None = None
        self.leaving: Socket | None = None  # the goodbye may still be on its way
        self._loop = asyncio.get_running_loop()
        self._random = random
        self._resumption = ""
        self._received = 0
        self._base = 0
        self._unacknowledged: deque[Outgoing] = deque()
        self._left: list[Outgoing] = []
        """What an earlier session has left unacknowledged."""
        self._sent = 0
        self._texts = 0
        self._lives = 0
        self._is_dialling = False
        self.requests = Requests(world, self, lambda data: self._send(Outgoing(data)))

    # -- the connection

    def log(self, what: str) -> None:
        self.world.trace.note(self.name, what)

    def want(self, *, is_wanted: bool) -> None:
        """Its user connects it, or takes leave."""
        self.is_wanted = is_wanted
        if is_wanted:
            self._dial_later()
        elif self.socket is not None and self.is_online:
            self.log("leaves")
            self.absences.append(self._loop.time())
            self.leaving, self.socket = self.socket, None
            self.leaving.say("leave")
            self._forget_session()
            self.is_online = False

    def _dial_later(self) -> None:
        if not self._is_dialling and self.socket is None:
            self._is_dialling = True
            self._loop.call_later(self._random.uniform(0.02, 2.0), self._dial)

    def _dial(self) -> None:
        self._is_dialling = False
        if not self.is_wanted or self.socket is not None:
            return
        core = self.world.reach(self)
        if core is None:
            self._dial_later()
            return
        socket = self.socket = Socket(self, core, self._random, 0.05)
        socket.say("authenticated", JID.parse(self.account).local)
        if self._resumption:
            self.log(f"resumes, has had {self._received}")
            socket.say("resume", self._resumption, self._received)
        else:
            self._bind()
        self._loop.call_later(8, self._give_up_login, socket)

    def _give_up_login(self, socket: Socket) -> None:
        """A server that does not answer is as bad as none."""
        if self.socket is socket and not self.is_online:
            self.lose()

    def _bind(self) -> None:
        assert self.socket is not None
        self.log("binds")
        self.socket.say("bind", self.resource)

    def lose(self) -> None:
        """The connection breaks; either end finds out in its own time."""
        socket = self.socket
        if socket is None:
            return
        self.world.trace.note("fault", f"{self.name} loses its connection", kind="connection lost")
        self.absences.append(self._loop.time())
        socket.cut()
        self._loop.call_later(self._random.uniform(0, NOTICED_SECONDS_MAX), socket.notice)
        self._loop.call_later(self._random.uniform(0, 1), self.noticed, socket)

    def noticed(self, socket: Socket) -> None:
        """The device finds out that a connection is gone."""
        if self.socket is not socket:
            return
        self.socket = None
        self.is_online = False
        self.absences.append(self._loop.time())
        if not self.is_managed:
            self._forget_session()
        if self.is_wanted:
            self._dial_later()

    def _forget_session(self) -> None:
        self._resumption = ""
        self._unacknowledged.clear()
        self._left.clear()
        self.receipts = None
        self.view.clear()
        self.said = None

    # -- what the server says

    def take(self, socket: Socket, what: str, arguments: tuple[Any, ...]) -> None:
        if socket is self.socket:
            getattr(self, f"_take_{what}")(*arguments)

    def _begin(self) -> None:
        self._lives += 1
        self.view.clear()
        self.said = None
        name = f"{self.name}#{self._lives}"
        self.receipts = Receipts(name, self.account, self.is_managed, self._loop.time())
        self.world.sessions.append(self.receipts)
        self.log(f"is bound as {name}")

    def _take_bound(self, jid: JID) -> None:
        assert self.socket is not None
        self._begin()
        self._left += self._unacknowledged
        self._unacknowledged.clear()
        self._base = 0  # what is sent behind `<enable/>` is counted
        if self.is_managed:
            self.socket.say("enable_management", True, None)
        else:
            self._ready()

    def _take_binding_refused(self, error: StanzaError) -> None:
        self.log(f"binding refused: {error.condition}")
        if self.socket is not None:
            self.socket.cut()
            self.socket.notice()
            self.noticed(self.socket)

    def _take_management_enabled(self, resumption: str) -> None:
        self._resumption = resumption
        self._received = 0
        self._ready()

    def _ready(self) -> None:
        left, self._left = self._left, []
        self.is_online = True
        self._send(Outgoing(ROSTER))
        if self.has_carbons:
            self._send(Outgoing(CARBONS))
        for outgoing in left:
            if outgoing.message is not None:
                outgoing.message.was_resent = True
                self._send(outgoing)
        self._show()

    def _take_resumed(self, h: int) -> None:
        self.log(f"resumed, the server has {h}")
        self._release(h)
        self.is_online = True
        for outgoing in self._unacknowledged:
            if outgoing.message is not None:
                outgoing.message.was_resent = True
            self._put(outgoing)
        self._show()

    def _take_resumption_refused(self, h: int | None) -> None:
        self.log(f"resumption refused, the server has {h}")
        if h is not None:
            self._release(h)
        self._resumption = ""
        for outgoing in self._unacknowledged:
            if outgoing.message is not None and h is None:
                outgoing.message.may_repeat = True
        self._bind()

    def _take_handled(self, h: int) -> None:
        if self.is_managed and self.is_online:
            self._release(h)

    def _release(self, h: int) -> None:
        count = h - self._base
        if not 0 <= count <= len(self._unacknowledged):
            self.world.complaints.append(
                f"{self.name} is told h={h} after {self._base}, with {len(self._unacknowledged)} unacknowledged"
            )
            count = min(max(0, count), len(self._unacknowledged))
        for _ in range(count):
            outgoing = self._unacknowledged.popleft()
            if outgoing.message is not None:
                self.accepted(outgoing.message)
        self._base = h

    def _take_close(self, error: object) -> None:
        self.log(f"is closed: {error}")
        if self.socket is not None:
            self.noticed(self.socket)

    def _take_nonza(self) -> None:
        socket = self.socket
        assert socket is not None
        self._loop.call_later(self._random.uniform(0, 0.5), self._acknowledge, socket)

    def _acknowledge(self, socket: Socket) -> None:
        if self.socket is socket and self.is_online:
            socket.say("acknowledge", self._received)

    def _take_deliver(self, data: bytes) -> None:
        self._received += 1
        stanza = parse(data)
        if stanza.kind == "message":
            self._take_message(stanza)
        elif stanza.kind == "presence":
            self._take_presence(stanza)
        else:
            self._take_iq(stanza)

    def accepted(self, message: Message) -> None:
        if message.accepted_at is None:
            message.accepted_at = self._loop.time()
            self.log(f"{message.id} is accepted")

    # -- what it does with it

    def _take_message(self, stanza: Stanza) -> None:
        if stanza.type == "error":
            self.log(f"{stanza.id} came back as an error")
            return
        body = stanza.find(BODY)
        if self.receipts is not None and stanza.payloads[:1] in ((RECEIVED,), (SENT,)):
            self._take_copy(stanza)
        if body is None or self.receipts is None:
            return
        message = self.world.messages[body.text]
        message.receipts.append(self.receipts.session)
        self.receipts.messages.append((self._loop.time(), message))
        self.log(f"gets {message.id} (stanza {self._received})")

    def _take_copy(self, stanza: Stanza) -> None:
        assert self.receipts is not None
        found = COPIED.search(stanza.inner)
        assert found is not None, stanza
        message = self.world.messages[found[1].decode()]
        self.receipts.copies.append((self._loop.time(), message))
        self.log(f"gets a copy of {message.id} (stanza {self._received})")

    def _take_presence(self, stanza: Stanza) -> None:
        sender = stanza.sender
        assert sender is not None
        if stanza.type is None:
            status = stanza.find(STATUS)
            self.view[sender.full] = "" if status is None else status.text
            self.log(f"sees {sender.full} {self.view[sender.full]}")
        elif stanza.type == "unavailable":
            self.view.pop(sender.full, None)
            if sender.is_bare:
                self.view = {jid: text for jid, text in self.view.items() if not jid.startswith(f"{sender.bare}/")}
            self.log(f"sees {sender.full} go")
        elif stanza.type == "subscribe":
            self.log(f"is asked by {sender.bare}")
            self._loop.call_later(self._random.uniform(0.01, 2), self._answer_request, sender.bare)
        elif stanza.type == "error":
            self._take_presence_error(stanza, sender)
        else:
            self.log(f"is told {stanza.type} by {sender.bare}")

    def _take_presence_error(self, stanza: Stanza, sender: JID) -> None:
        """The store could not take it: try again."""
        kind = (stanza.id or "").partition("-")[0]
        error = stanza.find(ERROR)
        condition = "" if error is None else StanzaError.from_element(error).condition
        self.log(f"{stanza.id} to {sender.bare} came back: {condition}")
        if condition != "resource-constraint":
            self.world.complaints.append(f"{self.name}: {kind} to {sender.bare} came back: {condition}")
        self._loop.call_later(self._random.uniform(0.5, 2), self.subscription, kind, sender.bare)

    def _answer_request(self, sender: str) -> None:
        pair = self.world.pairs[sender, self.account]
        self.subscription("unsubscribed" if pair.is_ended else "subscribed", sender)

    def _take_iq(self, stanza: Stanza) -> None:
        if stanza.type in ("get", "set") and stanza.sender is not None:
            self._send(Outgoing(f'<iq type="result" id="{stanza.id}" to="{stanza.sender.full}"/>'))
        else:
            self.requests.answered(stanza)

    # -- what it says

    def _send(self, outgoing: Outgoing) -> None:
        if self.is_managed:
            self._unacknowledged.append(outgoing)
        self._put(outgoing)

    def _put(self, outgoing: Outgoing) -> None:
        if self.socket is not None:
            self.socket.say("receive", outgoing.data, message=outgoing.message)

    def write(self, to: str) -> None:
        """Send one message to a bare or full JID."""
        number = len(self.world.messages) + 1
        self._sent += 1
        message = Message(f"m{number}", self.name, self._sent, self.account, to, self._loop.time())
        self.world.messages[message.id] = message
        self.log(f"{message.id} to {to}")
        self._send(
            Outgoing(f'<message type="chat" to="{to}" id="{message.id}"><body>{message.id}</body></message>', message)
        )

    def show(self, *, is_available: bool, priority: int = 0) -> None:
        """Change what is seen of it."""
        self._texts += 1
        self.priority = priority
        self.shows = f"{self.name}-{self._texts}" if is_available else None
        self._show()

    def _show(self) -> None:
        if not self.is_online or self.shows == self.said:
            return
        self.log(f"shows {self.shows}")
        if self.shows is None:
            self.view.clear()
            self._send(Outgoing('<presence type="unavailable"/>'))
        else:
            if self.said is None:
                self.view.clear()
            priority = f"<priority>{self.priority}</priority>" if self.priority else ""
            self._send(Outgoing(f"<presence><status>{self.shows}</status>{priority}</presence>"))
        self.said = self.shows

    def subscription(self, kind: str, contact: str) -> None:
        """Ask, answer or end."""
        if self.is_online:
            self.log(f"says {kind} to {contact}")
            self._send(Outgoing(f'<presence type="{kind}" id="{kind}-{self.name}" to="{contact}"/>'))
