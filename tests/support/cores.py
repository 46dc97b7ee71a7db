"""A small honest core: what it promised is in `Disk`, which outlives it, and everything else in itself.

It knows accounts, binds, routes messages to an account's sessions, takes custody, enables and resumes management,
and takes connections back that outlived the core before it.  No rosters, no presence, no archive.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import Channel, ConnectionFacts, Reattachment
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID
from xmpp.sasl import Credentials, derive
from xmpp.stanza import Stanza

DOMAIN = "corp.example"
EVERYBODY = JID.parse(f"all@{DOMAIN}")
POLICY = StreamPolicy(DOMAIN, b"a secret of all nodes", 4096)


@dataclass
class Record:
    """A session, as the disk has it."""

    key: int
    jid: JID
    taken: int = 0
    """Number of the last stanza in custody."""
    deliveries: list[bytes] = field(default_factory=list)
    """Everything to be delivered, the first being number 1."""


@dataclass
class Disk:
    """What survives the core."""

    accounts: dict[str, Credentials] = field(default_factory=dict)
    homes: dict[str, tuple[str, int]] = field(default_factory=dict)
    sessions: dict[int, Record] = field(default_factory=dict)
    keys: int = 0

    def add_account(self, name: str, password: str) -> None:
        verifier = derive(password, f"salt of {name}".encode(), 4096, "SHA-256")
        self.accounts[name] = Credentials({"SHA-256": verifier})

    def new_session(self, jid: JID) -> Record:
        self.keys += 1
        record = self.sessions[self.keys] = Record(self.keys, jid)
        return record


class ToyCore:
    """The core; `commits_at_once` False: custody waits for `commit`."""

    def __init__(self, disk: Disk, *, commits_at_once: bool = True) -> None:
        self.disk = disk
        self.attachments: list[ToyAttachment] = []
        self.channels: dict[int, Channel] = {}
        self.commits_at_once = commits_at_once
        self._uncommitted: list[Callable[[], None]] = []

    def attach(self, channel: Channel, facts: ConnectionFacts) -> "ToyAttachment":
        attachment = ToyAttachment(self, channel, facts)
        self.attachments.append(attachment)
        return attachment

    def reattach(self, channel: Channel, facts: ConnectionFacts, state: Reattachment) -> "ToyAttachment | None":
        record = self.disk.sessions.get(state.session_key)
        if record is None or record.jid != state.jid:
            return None
        attachment = self.attach(channel, facts)
        attachment.record = record
        attachment.received = state.handled
        self.channels[record.key] = channel
        for data in record.deliveries[state.written :]:
            channel.deliver(data)
        return attachment

    def submit(self, accept: Callable[[], None]) -> None:
        """Take custody now, or at the next commit."""
        self._uncommitted.append(accept)
        if self.commits_at_once:
            self.commit()

    def commit(self) -> None:
        uncommitted, self._uncommitted = self._uncommitted, []
        for accept in uncommitted:
            accept()

    def deliver(self, data: bytes, to: JID) -> None:
        for record in list(self.disk.sessions.values()):
            if to in (EVERYBODY, record.jid, record.jid.bare_jid):
                record.deliveries.append(data)
                if record.key in self.channels:
                    self.channels[record.key].deliver(data)


class ToyAttachment:
    """One connection."""

    def __init__(self, core: ToyCore, channel: Channel, facts: ConnectionFacts) -> None:
        self.core = core
        self.channel = channel
        self.facts = facts
        self.account = ""
        self.record: Record | None = None
        self.received = 0
        self.acknowledged = 0
        self.stanzas: list[Stanza] = []
        self.ended: tuple[bool, str] | None = None

    def find_credentials(self, username: str) -> None:
        home = self.core.disk.homes.get(username)
        if home is not None:
            self.channel.redirect(*home)
        else:
            self.channel.credentials_found(self.core.disk.accounts.get(username))

    def authenticated(self, account: str) -> None:
        self.account = account

    def bind(self, resource: str | None) -> None:
        if resource == "refused":
            self.channel.binding_refused(StanzaError(StanzaCondition.CONFLICT, text="taken"))
            return
        self.record = self.core.disk.new_session(JID(self.account, DOMAIN, resource or "chosen"))
        self.core.channels[self.record.key] = self.channel
        self.channel.bound(self.record.jid, self.record.key)

    def enable_management(self, resume: bool, max_seconds: int | None) -> None:
        if self.record is None:
            self.channel.management_refused()
            return
        self._leave()
        self.record = self.core.disk.new_session(self.record.jid)
        self.received = 0
        self.core.channels[self.record.key] = self.channel
        resumption_id = f"session-{self.record.key}" if resume else ""
        self.channel.management_enabled(resumption_id, max_seconds or 300, self.record.key)

    def resume(self, previous_id: str, h: int) -> None:
        key = int(previous_id.removeprefix("session-")) if previous_id.startswith("session-") else 0
        record = self.core.disk.sessions.get(key)
        if record is None or record.jid.local != self.account:
            self.channel.resumption_refused(None)
            return
        self.record = record
        self.received = record.taken
        self.core.channels[record.key] = self.channel
        self.channel.resumed(previous_id, record.taken, record.jid, record.key)
        for data in record.deliveries[h:]:
            self.channel.deliver(data)

    def receive(self, stanza: Stanza) -> None:
        record = self.record
        if record is None or self.ended is not None:
            return
        self.received += 1
        number = self.received
        if number <= record.taken:
            self.channel.handled(number)
            return
        self.stanzas.append(stanza)

        def accept() -> None:
            record.taken = number
            if stanza.kind == "iq" and stanza.type in ("get", "set"):
                answer = stanza.result()
                answer.to = record.jid
                self.core.deliver(answer.render(), record.jid)
            elif stanza.to is not None:
                self.core.deliver(stanza.copy(sender=record.jid).render(), stanza.to)
            self.channel.handled(number)

        self.core.submit(accept)

    def acknowledge(self, h: int) -> None:
        self.acknowledged = h

    def detach(self, clean: bool, reason: str) -> None:
        assert self.ended is None, "detached twice"
        self.ended = (clean, reason)
        if self.record is not None and self.core.channels.get(self.record.key) is self.channel:
            del self.core.channels[self.record.key]
            if clean:
                del self.core.disk.sessions[self.record.key]

    def _leave(self) -> None:
        assert self.record is not None
        del self.core.channels[self.record.key]
        del self.core.disk.sessions[self.record.key]
