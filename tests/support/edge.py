"""An edge in memory: the composed core over the memory store, with clients that are plain calls.

    async with Edge("anna", "bruno") as edge:
        phone = await edge.login("anna", "phone")
        phone.send('<message to="bruno@corp.example" type="chat"><body>Hello</body></message>')
        await edge.settle()

Nothing here waits: `settle` lets the loop turn until the core has nothing more to do, and time passes by `edge.clock`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from cascade.envelope import Envelope
from cascade.frame import AccountPresence
from chassis.clock import IdSource, ManualClock
from edge_node.accounts.store import Account
from edge_node.adapters.memory import MemoryStore, open_store
from edge_node.backplane.ports import Attachment, ConnectionFacts, Reattachment
from edge_node.composition import EdgeCore, Surroundings
from edge_node.core.core import Core
from edge_node.sessions.roster import RosterItem, Subscription
from edge_node.sessions.session import Session
from edge_node.settings import EdgeSettings
from edge_node.tasks import BoundedTasks
from xmpp.errors import StanzaError, StreamError
from xmpp.jid import JID
from xmpp.management import ACKNOWLEDGEMENT_REQUEST
from xmpp.parser import ParserPool, StreamReader
from xmpp.sasl import Credentials
from xmpp.stanza import Stanza, with_namespace

DOMAIN = "corp.example"
TURNS_MAX = 500
QUIET_TURNS = 3
FACTS = ConnectionFacts("192.0.2.1", "tls", encrypted=True)

_POOL = ParserPool()


def jid(text: str) -> JID:
    """`anna` or `anna/phone` or a whole address."""
    account, slash, resource = text.partition("/")
    return JID.parse(f"{account if '@' in account else f'{account}@{DOMAIN}'}{slash}{resource}")


def parse(text: str | bytes) -> Stanza:
    """One stanza, written as a client writes it."""
    raw = text.encode() if isinstance(text, str) else text
    item = StreamReader(_POOL).receive_frame(with_namespace(raw))
    assert isinstance(item, Stanza), item
    return item


class Wire:
    """The listener's side of one connection: keeps what the core says (`edge_node.backplane.ports.Channel`)."""

    def __init__(self) -> None:
        self.jid: JID | None = None
        self.key = 0
        self.refusal: StanzaError | None = None
        self.credentials: list[Credentials | None] = []
        self.redirection: tuple[str, int] | None = None
        self.resumption_id = ""
        self.resumed_with: int | None = None
        self.resumption_refused_with: list[int | None] = []
        self.management_seconds: int | None = None
        self.is_management_refused = False
        self.written: list[bytes] = []
        self.count = 0
        """Deliveries since the last start of counting."""
        self.taken = 0
        """The last `h` told by the core."""
        self.requests = 0
        """Acknowledgements asked for and not given."""
        self.closed: list[StreamError | None] = []

    def credentials_found(self, credentials: Credentials | None) -> None:
        self.credentials.append(credentials)

    def redirect(self, host: str, port: int) -> None:
        self.redirection = (host, port)

    def bound(self, jid: JID, session_key: int) -> None:
        self.jid, self.key = jid, session_key

    def binding_refused(self, error: StanzaError) -> None:
        self.refusal = error

    def management_enabled(self, resumption_id: str, max_seconds: int, session_key: int) -> None:
        self.resumption_id, self.management_seconds, self.key = resumption_id, max_seconds, session_key
        self.count = 0

    def management_refused(self) -> None:
        self.is_management_refused = True

    def resumed(self, previous_id: str, h: int, jid: JID, session_key: int) -> None:
        self.resumption_id, self.resumed_with, self.jid, self.key = previous_id, h, jid, session_key

    def resumption_refused(self, h: int | None) -> None:
        self.resumption_refused_with.append(h)

    def deliver(self, data: bytes) -> None:
        self.written.append(data)
        self.count += 1

    def nonza(self, data: bytes) -> None:
        assert data == ACKNOWLEDGEMENT_REQUEST
        self.requests += 1

    def handled(self, h: int) -> None:
        self.taken = h

    def close(self, error: StreamError | None) -> None:
        self.closed.append(error)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Client:
    """One connection of one account, as its user sees it."""

    def __init__(self, edge: "Edge", wire: Wire, attachment: Attachment) -> None:
        self.edge = edge
        self.wire = wire
        self.attachment = attachment

    @property
    def jid(self) -> JID:
        """The full JID bound."""
        assert self.wire.jid is not None
        return self.wire.jid

    @property
    def session(self) -> Session:
        """The session behind it, as the core has it."""
        session = self.edge.core.registry.by_key(self.wire.key)
        assert session is not None
        return session

    @property
    def is_online(self) -> bool:
        """Whether the core has not closed the connection."""
        return not self.wire.closed

    def send(self, text: str) -> None:
        """Send one stanza; what follows from it has happened after `settle`."""
        self.attachment.receive(parse(text))

    async def ask(self, text: str) -> Stanza:
        """Send an IQ request and return its answer; what else came stays to be `received`."""
        request = parse(text)
        self.attachment.receive(request)
        await self.edge.settle()
        for position, data in enumerate(self.wire.written):
            stanza = parse(data)
            if stanza.kind == "iq" and stanza.id == request.id and stanza.type in ("result", "error"):
                del self.wire.written[position]
                return stanza
        raise AssertionError(f"no answer among {self.wire.written}")

    def received(self, kind: str | None = None) -> list[Stanza]:
        """What came since the last call, of one kind or of all."""
        stanzas = [parse(data) for data in self.wire.written]
        self.wire.written.clear()
        return [stanza for stanza in stanzas if kind in (None, stanza.kind)]

    def bodies(self) -> list[str]:
        """The texts of the messages that came since the last call."""
        return [
            body.text for stanza in self.received("message") if (body := stanza.find("{jabber:client}body")) is not None
        ]

    async def manage(self, *, resume: bool = True, max_seconds: int | None = None) -> None:
        """Turn stream management on (XEP-0198)."""
        self.attachment.enable_management(resume, max_seconds)
        await self.edge.settle()

    def acknowledge(self, h: int | None = None) -> None:
        """Acknowledge everything that came, or the first `h` stanzas."""
        self.wire.requests = 0
        self.attachment.acknowledge(self.wire.count if h is None else h)

    async def drop(self) -> None:
        """Lose the connection."""
        self.attachment.detach(clean=False, reason="the cable was pulled")
        await self.edge.settle()

    async def leave(self) -> None:
        """Close the stream."""
        self.attachment.detach(clean=True, reason="closed")
        await self.edge.settle()


class Hub:
    """The link to the hub, which is up and takes everything (`edge_node.uplink.link.Link`)."""

    def __init__(self) -> None:
        self.is_linked = True
        self.oldest_us = 0
        self.held: list[Envelope] = []
        self.transient: list[Envelope] = []
        self.published: list[AccountPresence] = []
        self.asked_for: set[str] = set()
        self.watched: list[str] = []
        self.asked_homes: list[str] = []
        self.failures = 0
        self.accounts_version = 0
        self.known: dict[str, AccountPresence] = {}
        """What the link remembers of watched accounts."""

    def offer(self, envelope: Envelope) -> None:
        self.held.append(envelope)

    def offer_transient(self, envelope: Envelope) -> bool:
        if self.is_linked:
            self.transient.append(envelope)
        return self.is_linked

    def publish(self, presence: AccountPresence) -> None:
        self.published.append(presence)

    def is_asked_for(self, account: str) -> bool:
        return account in self.asked_for

    def watch(self, account: str) -> None:
        self.watched.append(account)

    def unwatch(self, account: str) -> None:
        self.watched.remove(account)

    def presence_of(self, account: str) -> AccountPresence | None:
        return self.known.get(account)

    def ask_home(self, account: str) -> bool:
        self.asked_homes.append(account)
        return self.is_linked

    def accounts_held(self, version: int) -> None:
        self.accounts_version = version

    def store_failed(self) -> None:
        self.failures += 1


@dataclass
class Reports:
    """Where the core reports failures (`edge_node.pipeline.messages.Journal`)."""

    failures: list[tuple[str, Exception]] = field(default_factory=list)

    def failed(self, stage: str, error: Exception) -> None:
        self.failures.append((stage, error))


class Edge:
    """One edge of `corp.example`, at the site paris."""

    def __init__(self, *accounts: str, store: MemoryStore | None = None, **settings: object) -> None:
        """Make it.

        Args:
            accounts: local parts of those who are at home here.
            store: of an edge that was there before; by default a new one.
            settings: tables of `EdgeSettings` that are not as by default, such as `archive={"enabled": False}`;
                `uplink=None` for a site that stands alone.
        """
        files = dict.fromkeys(("authority", "certificate", "key"), "none")
        tables = {"domain": DOMAIN, "site": "paris", "listeners": {}, "uplink": {"hub": "hub:1"} | files}
        self.settings = EdgeSettings.model_validate(tables | settings)
        self.clock = ManualClock()
        self.ids = IdSource(self.clock)
        self.reports = Reports()
        self.hub = Hub()
        self._accounts = accounts
        self._store = store
        self._tasks: BoundedTasks | None = None
        self._group = asyncio.TaskGroup()
        self._composed: EdgeCore | None = None

    async def __aenter__(self) -> Self:
        self._store = self._store or open_store()
        await self._group.__aenter__()
        if self._accounts:
            people = [Account(local, disabled=False, verifiers=(), display_name="") for local in self._accounts]
            await self._store.accounts.apply(1, people, (), full=True)
        await self._compose()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._group.__aexit__(kind, error, traceback)

    async def _compose(self) -> None:
        self.ids.last = max(self.ids.last, await self.store.deliveries.last_id())
        self._tasks = BoundedTasks(self._group, self.settings.tasks_max)
        self._composed = EdgeCore(
            Surroundings(
                settings=self.settings,
                store=self.store,
                clock=self.clock,
                next_id=self.ids.next_id,
                tasks=self._tasks,
                journal=self.reports,
            )
        )
        if self.settings.uplink is not None:
            self._composed.connect(self.hub)
        await self._composed.start()

    @property
    def store(self) -> MemoryStore:
        """The store, whose commits a test may hold."""
        assert self._store is not None
        return self._store

    @property
    def parts(self) -> EdgeCore:
        """Everything composed."""
        assert self._composed is not None
        return self._composed

    @property
    def core(self) -> Core:
        """The core as listeners see it."""
        return self.parts.core

    async def settle(self) -> None:
        """Let the core do what it has to do, as far as no commit is held."""
        assert self._tasks is not None
        quiet = 0
        for _ in range(TURNS_MAX):
            await asyncio.sleep(0)
            quiet = 0 if self._tasks.running or self.store.custody.backlog else quiet + 1
            if quiet > QUIET_TURNS:
                return

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and do what is to be done from time to time."""
        self.clock.advance(seconds)
        self.parts.housekeeping.tick()

    async def restart(self) -> None:
        """Kill the core: what was not committed is lost; then start it anew over the same store."""
        self.store.crash()
        self.hub = Hub()
        await self._compose()

    def connect(self) -> Client:
        """A connection that is not authenticated yet."""
        wire = Wire()
        return Client(self, wire, self.core.attach(wire, FACTS))

    async def bind(self, account: str, resource: str | None) -> Client:
        """A connection with a resource, without presence."""
        client = self.connect()
        client.attachment.authenticated(account)
        client.attachment.bind(resource)
        await self.settle()
        return client

    async def login(
        self, account: str, resource: str, *, priority: int = 0, carbons: bool = False, managed: bool = False
    ) -> Client:
        """A client that has asked for its roster and is available; what came of that is forgotten."""
        client = await self.bind(account, resource)
        if managed:
            await client.manage()
        client.send('<iq type="get" id="login-roster"><query xmlns="jabber:iq:roster"/></iq>')
        if carbons:
            client.send('<iq type="set" id="login-carbons"><enable xmlns="urn:xmpp:carbons:2"/></iq>')
        await self.settle()
        client.send(f"<presence><priority>{priority}</priority></presence>")
        await self.settle()
        client.received()
        return client

    async def resume(self, client: Client, h: int | None = None) -> Client:
        """A new connection that resumes the session of `client`, whose user has had `h` stanzas."""
        again = self.connect()
        again.attachment.authenticated(client.jid.local or "")
        again.wire.count = client.wire.count if h is None else h
        again.attachment.resume(client.wire.resumption_id, again.wire.count)
        await self.settle()
        return again

    async def reattach(self, client: Client) -> Client | None:
        """What a listener does after the core has come back."""
        wire = Wire()
        wire.count = client.wire.count
        state = Reattachment(client.jid, client.wire.key, client.wire.taken, client.wire.count)
        attachment = self.core.reattach(wire, FACTS, state)
        if attachment is None:
            return None
        wire.jid, wire.key = client.jid, client.wire.key
        await self.settle()
        return Client(self, wire, attachment)

    async def befriend(self, *pairs: tuple[str, str]) -> None:
        """Give each pair of local accounts a mutual subscription, before they log in."""
        for pair in pairs:
            for one, other in (pair, pair[::-1]):
                roster = await self.store.rosters.load(jid(one).bare)
                item = RosterItem(jid(other).bare, subscription=Subscription.BOTH)
                await self.store.rosters.put(jid(one).bare, item, roster.version + 1)


def types(stanzas: Sequence[Stanza]) -> list[str | None]:
    """The types of stanzas."""
    return [stanza.type for stanza in stanzas]


def condition_of(stanza: Stanza) -> str:
    """The condition of an error stanza."""
    element = stanza.find("{jabber:client}error")
    assert stanza.type == "error"
    assert element is not None, stanza
    return StanzaError.from_element(element).condition.value
