"""Sites and a hub made of the pure machines, on a clock and a network that belong to a seed.

What survives a crash is in the ``durable`` objects; everything else is thrown away by one.  Frames cross the network as
bytes.  A connection that breaks is noticed by its two ends at different times, or only by their deadlines.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random

from cascade.codec import decode_envelope, decode_frame, encode_envelope, encode_frame
from cascade.custody import Custody, Routing
from cascade.envelope import Envelope
from cascade.frame import AccountPresence, AvailableResource, Frame, Refusal
from cascade.hub_link import HubLink, HubStep
from cascade.inbox import Inbox, Watermark
from cascade.link import LinkFailure, LinkSettings
from cascade.outbox import Outbox
from cascade.presence import PresenceTable
from cascade.site_link import SiteLink, SiteStep
from cascade.spool import MemorySpoolStore, Spooled
from tests.simulation.link.interest import InterestIndex

SETTINGS = LinkSettings(
    window_envelopes=8,
    frame_envelopes_max=4,
    frame_bytes_max=4096,
    interest_accounts_per_frame=2,
    gather_seconds=0.002,
    acknowledge_seconds=0.02,
    heartbeat_seconds=3.0,
    dead_seconds=9.0,
    greeting_seconds=5.0,
)
OUTBOX_ENVELOPES_MAX = 12
FORWARDING_ENVELOPES_MAX = 10


class Clock:
    """Virtual time: things happen when their time has come, in the order of time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._ties = count()

    def at(self, when: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (max(when, self.now), next(self._ties), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self.now + seconds, action)

    def run_until(self, when: float) -> None:
        while self._agenda and self._agenda[0][0] <= when:
            self.now, _, action = heapq.heappop(self._agenda)
            action()
        self.now = when


class Timer:
    """Acts at the earliest time that it was set to."""

    def __init__(self, clock: Clock, action: Callable[[], None]) -> None:
        self._clock = clock
        self._action = action
        self._when: float | None = None

    def set(self, when: float | None) -> None:
        if when is None or (self._when is not None and self._clock.now < self._when <= when):
            return
        self._when = when = max(when, self._clock.now + 1e-4)
        self._clock.at(when, lambda: self._fire(when))

    def stop(self) -> None:
        self._when = None

    def _fire(self, when: float) -> None:
        if self._when == when:
            self._when = None
            self._action()


class Lane:
    """Answers come after a delay, in the order of the questions."""

    def __init__(self, clock: Clock, random: Random, seconds_max: float) -> None:
        self._clock = clock
        self._random = random
        self._seconds_max = seconds_max
        self._last = 0.0

    def submit(self, action: Callable[[], None]) -> None:
        self._last = max(self._last, self._clock.now + self._random.uniform(0, self._seconds_max))
        self._clock.at(self._last, action)


class Connection:
    """Two lanes of bytes.  Either end may stop listening; when it is broken nothing arrives any more."""

    def __init__(self, world: "World") -> None:
        self._to_hub = Lane(world.clock, world.random, 0.05)
        self._to_site = Lane(world.clock, world.random, 0.05)
        self.is_broken = False
        self.hub_receives: Callable[[Frame], None] | None = None
        self.site_receives: Callable[[Frame], None] | None = None

    def send_to_hub(self, frame: Frame) -> None:
        data = encode_frame(frame)
        self._to_hub.submit(lambda: self._arrive(data, self.hub_receives, keeps_encoded=True))

    def send_to_site(self, frame: Frame) -> None:
        data = encode_frame(frame)
        self._to_site.submit(lambda: self._arrive(data, self.site_receives, keeps_encoded=False))

    def _arrive(self, data: bytes, receives: Callable[[Frame], None] | None, *, keeps_encoded: bool) -> None:
        if not self.is_broken and receives is not None:
            receives(decode_frame(data, keeps_encoded=keeps_encoded))


@dataclass
class SiteDurable:
    """What a site's disk has."""

    epoch: int = 1
    last_sequence: int = 0
    outbox: dict[int, bytes] = field(default_factory=dict)
    watermarks: dict[str, Watermark] = field(default_factory=dict)
    delivered: list[Envelope] = field(default_factory=list)
    refused: list[tuple[Envelope, Refusal]] = field(default_factory=list)


class Site:
    """One site: its link, its disk, and the people who write and look."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.durable = SiteDurable()
        self.presence: dict[str, AccountPresence] = {}
        self.watched: list[str] = []
        self.is_up = False
        self.incarnation = 0

    # -- life

    def start(self) -> None:
        durable = self.durable
        self.is_up = True
        self.incarnation += 1
        self.connection: Connection | None = None
        self.lane = Lane(self.world.clock, self.world.random, 0.03)
        self.pending: list[tuple[list[Envelope], int]] = []
        self.timer = Timer(self.world.clock, self.pump)
        outbox = Outbox(
            epoch=durable.epoch,
            last_sequence=durable.last_sequence,
            envelopes_max=OUTBOX_ENVELOPES_MAX,
            bytes_max=1 << 20,
            read_limit=5,
        )
        self.link = SiteLink(self.name, outbox, Inbox(dict(durable.watermarks)), 0, SETTINGS)
        for account in self.watched:
            self.link.watch(account)
        for account in self.presence:  # the sessions are gone, or were resumed: either way a newer state
            self.change_presence(account)
        self.pump()
        self._later(0.1, self.dial)

    def crash(self) -> None:
        self.world.seen["site_crashed"] += 1
        self.is_up = False
        self.incarnation += 1
        self.timer.stop()
        if self.connection is not None:
            self.connection.is_broken = True
        self.world.clock.after(self.world.random.uniform(0.1, 6), self.start)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        incarnation = self.incarnation
        self.world.clock.after(seconds, lambda: action() if incarnation == self.incarnation else None)

    def _in_lane(self, action: Callable[[], None]) -> None:
        incarnation = self.incarnation
        self.lane.submit(lambda: action() if incarnation == self.incarnation else None)

    # -- what people do

    def send(self, recipients: tuple[str, ...]) -> None:
        """A client's message: accepted when the commit is done."""

        def commit() -> None:
            durable = self.durable
            durable.last_sequence += self.world.random.choice((1, 1, 1, 2))  # some numbers are given out in vain
            envelope = Envelope(
                origin=self.name,
                epoch=durable.epoch,
                sequence=durable.last_sequence,
                sender=f"writer@{self.name}",
                recipients=recipients,
                kind="message",
                inner=b"x" * self.world.random.choice((1, 10, 3000)),
            )
            durable.outbox[envelope.sequence] = encode_envelope(envelope)
            self.world.accepted.append(envelope)
            self.link.offer(envelope)
            self.pump()

        self._in_lane(commit)

    def change_presence(self, account: str) -> None:
        resources = tuple(
            AvailableResource(f"r{number}", b"<presence/>") for number in range(self.world.random.randrange(3))
        )
        self.presence[account] = AccountPresence(account, self.world.next_version(), resources)
        self.link.publish(self.presence[account])

    def watch(self, account: str) -> None:
        self.watched.append(account)
        self.link.watch(account)
        self.pump()

    def unwatch(self) -> None:
        if self.watched:
            account = self.watched.pop(self.world.random.randrange(len(self.watched)))
            self.link.unwatch(account)
            self.pump()

    # -- the connection

    def dial(self) -> None:
        if self.connection is None and self.link.outbox.is_known:
            connection = self.world.connect(self)
            if connection is not None:
                self.connection = connection
                connection.site_receives = self.receive
                self.link.connected(self.world.clock.now)
                self.pump()
                return
        self._later(self.world.random.uniform(0.2, 2), self.dial)

    def hang_up(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.site_receives = None
            self.link.disconnected()
            self._later(self.world.random.uniform(0.2, 2), self.dial)

    def receive(self, frame: Frame) -> None:
        step = self.link.receive(frame, self.world.clock.now)
        self.world.seen["duplicate_dropped"] += len(frame.envelopes) - len(step.envelopes)
        self.perform(step)
        self.pump()

    def perform(self, step: SiteStep) -> None:
        if step.release is not None:
            self.release(step.release.refused, step.release.up_to)
        if step.interest is not None:
            for account, _ in step.interest.added:
                self.link.publish(self.presence[account])
        if step.envelopes:
            self.store(step.envelopes)
        if step.failure is not None:
            self.world.failures.append((self.name, step.failure))
            self.hang_up()

    def release(self, refused: Sequence[tuple[Envelope, Refusal]], up_to: int) -> None:
        def commit() -> None:
            self.durable.refused.extend(refused)
            self.durable.outbox = {sequence: data for sequence, data in self.durable.outbox.items() if sequence > up_to}
            self.link.outbox.settle(up_to)

        if up_to:
            self._in_lane(commit)

    def store(self, envelopes: list[Envelope]) -> None:
        """Commit what came, in order; a disk fails for single envelopes, and what came later has to come again."""
        attempt = (envelopes, self.incarnation)
        self.pending.append(attempt)

        def commit() -> None:
            if attempt not in self.pending:
                return
            self.pending.remove(attempt)
            stored = [envelope for envelope in envelopes if self.commit(envelope)]
            self.link.stored(stored)
            if len(stored) < len(envelopes):
                self.pending.clear()
                self.link.inbox.forget_taken()
                self.hang_up()
            self.pump()

        self._in_lane(commit)

    def commit(self, envelope: Envelope) -> bool:
        """One envelope with its mark, if the one before it is there (protocol, section 5, rule 4)."""
        marks = self.durable.watermarks
        if marks.get(envelope.origin, (0, 0)) != envelope.after:
            self.world.seen["behind_a_gap"] += 1
            return False
        if self.world.happens("store_fails"):
            return False
        self.durable.delivered.append(envelope)
        marks[envelope.origin] = (envelope.epoch, envelope.sequence)
        return True

    # -- the shell

    def pump(self) -> None:
        now = self.world.clock.now
        link = self.link
        read = link.outbox.wanted_read()
        if read is not None:
            self._in_lane(lambda: self.read_outbox(read.after_sequence, read.limit))
        assert link.outbox.in_memory <= OUTBOX_ENVELOPES_MAX
        assert link.outbox.in_flight <= SETTINGS.window_envelopes
        if self.connection is None:
            return
        if link.timeout(now) is not None:
            self.hang_up()
            return
        while (frame := link.next_frame(now)) is not None:
            self.connection.send_to_hub(frame)
        self.timer.set(link.deadline(now))

    def read_outbox(self, after: int, limit: int) -> None:
        rows = sorted(sequence for sequence in self.durable.outbox if sequence > after)[:limit]
        envelopes = [decode_envelope(self.durable.outbox[sequence]) for sequence in rows]
        release = self.link.outbox.loaded(envelopes, is_complete=len(rows) < limit)
        self.release(release.refused, release.up_to)
        self.pump()


class Hub:
    """The hub: memory that a crash takes, and a spool that it does not."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.spool = MemorySpoolStore()
        self.incarnation = 0
        self.is_up = False

    def start(self) -> None:
        self.is_up = True
        self.incarnation += 1
        self.lane = Lane(self.world.clock, self.world.random, 0.03)
        self.custody = Custody(
            self.spool.extents(), envelopes_max=FORWARDING_ENVELOPES_MAX, refusals_max=self.world.random.choice((1, 50))
        )
        self.links: dict[str, tuple[HubLink, Connection]] = {}
        self.timers = {site: Timer(self.world.clock, partial(self.pump, site)) for site in self.world.sites}
        self.interest = InterestIndex(100)
        self.presence = PresenceTable()

    def crash(self) -> None:
        self.world.seen["hub_crashed"] += 1
        self.is_up = False
        self.incarnation += 1
        for timer in self.timers.values():
            timer.stop()
        for connection in self.world.connections.values():
            connection.is_broken = True
        self.world.clock.after(self.world.random.uniform(0.1, 6), self.start)

    def accept_connection(self, site: str, connection: Connection) -> None:
        link = HubLink(site, SETTINGS, self.world.clock.now)
        connection.hub_receives = lambda frame: self.receive(link, connection, frame)

    # -- frames

    def receive(self, link: HubLink, connection: Connection, frame: Frame) -> None:
        step = link.receive(frame, self.world.clock.now)
        if step.hello is not None and not self.welcome(link, connection):
            return
        woken = {link.site}
        if step.acknowledged:
            woken.update(self.custody.acknowledged(link.site, step.acknowledged))
        self.receive_state(link, step)
        for envelope in step.envelopes:
            woken.update(self.custody.accept(envelope, route(envelope)))
        if step.failure is not None:
            self.world.failures.append((link.site, step.failure))
            self.hang_up(link, connection)
        self.serve_spool()
        for site in woken:
            self.pump(site)

    def welcome(self, link: HubLink, connection: Connection) -> bool:
        older = self.links.pop(link.site, None)
        if older is not None:
            self.world.seen["superseded"] += 1
            older[0].close()
            older[1].hub_receives = None
        failure = link.welcome(self.custody, "corp.example")
        if failure is not None:
            self.world.failures.append((link.site, failure))
            connection.hub_receives = None
            connection.is_broken = True
            return False
        self.links[link.site] = (link, connection)
        link.ask_all(
            (account, self.presence.version(account))
            for account in self.interest.accounts
            if account.endswith(f"@{link.site}")
        )
        return True

    def receive_state(self, link: HubLink, step: HubStep) -> None:
        if step.interest is not None:
            difference = self.interest.apply(link.site, step.interest)
            for account in difference.first:
                self.tell_home(account, is_wanted=True)
            for account in difference.last:
                self.presence.forget((account,))
                self.tell_home(account, is_wanted=False)
            for account, version in step.interest.added:
                known = self.presence.get(account)
                if known is not None and known.version > version:
                    link.publish(known)
        for presence in step.presence:
            if self.interest.watchers(presence.account) and self.presence.apply(presence):
                for site in self.interest.watchers(presence.account):
                    if site in self.links:
                        self.links[site][0].publish(presence)
                        self.pump(site)

    def tell_home(self, account: str, *, is_wanted: bool) -> None:
        home = account.partition("@")[2]
        if home not in self.links:
            return
        link, _ = self.links[home]
        if is_wanted:
            link.ask(account, self.presence.version(account))
        else:
            link.unask(account)
        self.pump(home)

    def hang_up(self, link: HubLink, connection: Connection) -> None:
        connection.hub_receives = None
        link.close()
        if self.links.get(link.site, (None,))[0] is link:
            del self.links[link.site]

    # -- the spool

    def serve_spool(self) -> None:
        for forwarding in tuple(self.custody.forwardings):
            site = forwarding.site
            if (envelopes := forwarding.wanted_append()) is not None:
                self._ask(partial(self.append, site, tuple(envelopes)))
            if (read := forwarding.wanted_read()) is not None:
                self._ask(partial(self.read, site, read.after_sequence, read.limit))
            if (position := forwarding.wanted_trim()) is not None:
                self._ask(partial(self.spool.trim, site, position))

    def _ask(self, action: Callable[[], None]) -> None:
        incarnation = self.incarnation
        self.lane.submit(lambda: action() if incarnation == self.incarnation else None)

    def append(self, site: str, envelopes: Sequence[Envelope]) -> None:
        if self.world.happens("store_fails"):
            self.custody.forwarding(site).append_failed()
            self.serve_spool()
            return
        self.world.seen["spooled"] += len(envelopes)
        copies = [decode_envelope(encode_envelope(envelope)) for envelope in envelopes]
        self.spool.append(site, copies, lambda positions: self._ask(lambda: self.appended(site, positions)))

    def appended(self, site: str, positions: Sequence[int] | Exception) -> None:
        assert not isinstance(positions, Exception)
        for origin in self.custody.appended(site, positions):
            self.pump(origin)
        self.serve_spool()

    def read(self, site: str, after: int, limit: int) -> None:
        forwarding = self.custody.forwarding(site)
        if self.world.happens("store_fails"):
            forwarding.read_failed()
            self.serve_spool()
            return

        def take(spooled: Sequence[Spooled] | Exception) -> None:
            assert not isinstance(spooled, Exception)
            copies = [Spooled(item.position, decode_envelope(encode_envelope(item.envelope))) for item in spooled]
            self._ask(lambda: self.loaded(site, copies))

        self.spool.read(site, after, limit, take)

    def loaded(self, site: str, spooled: Sequence[Spooled]) -> None:
        self.custody.forwarding(site).loaded(spooled)
        self.pump(site)
        self.serve_spool()

    # -- the shell

    def pump(self, site: str) -> None:
        if site not in self.links:
            return
        link, connection = self.links[site]
        now = self.world.clock.now
        if link.timeout(now) is not None:
            self.hang_up(link, connection)
            self.serve_spool()
            return
        while (frame := link.next_frame(now)) is not None:
            connection.send_to_site(frame)
        forwarding = self.custody.forwarding(site)
        assert forwarding.in_memory <= FORWARDING_ENVELOPES_MAX
        assert self.custody.ledger(site).pending <= SETTINGS.window_envelopes
        self.timers[site].set(link.deadline(now))
        self.serve_spool()


def route(envelope: Envelope) -> Routing:
    """Homes are in the addresses; whoever is called nobody does not exist."""
    parts: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    nobody = tuple(recipient for recipient in envelope.recipients if recipient.startswith("nobody@"))
    for recipient in envelope.recipients:
        if recipient not in nobody:
            parts[recipient.partition("@")[2]] += (recipient,)
    refusals = (Refusal(envelope.sequence, "item-not-found", "", nobody),) if nobody else ()
    return Routing(dict(parts), refusals)


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, site_count: int, probabilities: Mapping[str, float]) -> None:
        self.random = Random(seed)
        self.clock = Clock()
        self.probabilities = dict(probabilities)
        self.accepted: list[Envelope] = []
        self.failures: list[tuple[str, LinkFailure]] = []
        self.partitioned: set[str] = set()
        self._versions = count(1)
        self.seen: Counter[str] = Counter()
        self.sites = {f"site{number}": Site(self, f"site{number}") for number in range(site_count)}
        self.connections: dict[str, Connection] = {}
        self.hub = Hub(self)
        self.hub.start()
        for site in self.sites.values():
            for number in range(3):
                account = f"account{number}@{site.name}"
                site.presence[account] = AccountPresence(account, 0)
            site.start()

    def happens(self, what: str) -> bool:
        is_so = self.random.random() < self.probabilities.get(what, 0.0)
        self.seen[what] += is_so
        return is_so

    def next_version(self) -> int:
        return next(self._versions)

    def connect(self, site: Site) -> Connection | None:
        if not self.hub.is_up or site.name in self.partitioned:
            return None
        connection = self.connections[site.name] = Connection(self)
        self.hub.accept_connection(site.name, connection)
        return connection

    def break_connection(self, name: str) -> None:
        """The network loses a connection; each end may notice soon, or only by its deadline."""
        connection = self.connections.get(name)
        site = self.sites[name]
        if connection is None or connection.is_broken:
            return
        connection.is_broken = True
        self.seen["connection_broken"] += 1
        if self.random.random() < 0.7 and site.is_up and site.connection is connection:
            site.hang_up()
        if self.random.random() < 0.7 and self.hub.is_up and self.hub.links.get(name, (None, None))[1] is connection:
            self.hub.hang_up(*self.hub.links[name])
            self.hub.serve_spool()

    def heal(self) -> None:
        self.partitioned.clear()
        self.probabilities.clear()
