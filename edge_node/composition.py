"""The core of an edge node, put together: which features there are, in which order, and who knows whom.

Concrete stores, links and sockets are given in (`edge_node.app`, and the tests' own composers).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from chassis.clock import Clock
from edge_node.accounts.directory import LocalDirectory
from edge_node.adapters.store import Store
from edge_node.attendance import Attendance
from edge_node.core.core import Core
from edge_node.core.lifecycle import Lifecycle, Sources
from edge_node.core.revival import Revival
from edge_node.features import carbons, entity_time, ping, software_version
from edge_node.features.archive.feature import Archive
from edge_node.features.archive.preferences import ArchivePreferences
from edge_node.features.archive.store import ArchiveDefault
from edge_node.features.discovery.feature import Discovery
from edge_node.features.last_activity.feature import LastActivity
from edge_node.features.offline.feature import OfflineMessages
from edge_node.features.presence.local import LocalPresence
from edge_node.features.presence.path import PresencePath
from edge_node.features.presence.remote import RemotePresence
from edge_node.features.presence.subscriptions import Subscriptions
from edge_node.features.roster.feature import RosterFeature
from edge_node.features.roster.pushes import RosterPushes
from edge_node.features.roster.rosters import Rosters
from edge_node.housekeeping import Housekeeping
from edge_node.pipeline.feature import Feature
from edge_node.pipeline.iqs import IQPath
from edge_node.pipeline.messages import Journal, MessagePath
from edge_node.pipeline.pending import PendingRequests
from edge_node.routing.router import Router
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session
from edge_node.settings import EdgeSettings
from edge_node.tasks import BoundedTasks
from edge_node.uplink.arrivals import Arrivals
from edge_node.uplink.departures import Departures
from edge_node.uplink.homes import Homes
from edge_node.uplink.link import Link
from edge_node.uplink.replica import ReplicaKeeper
from xmpp.jid import JID

SECRET_BYTES = 16
HOME_WAIT_SECONDS = 2.0
HOME_QUESTIONS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the core is put into."""

    settings: EdgeSettings
    store: Store
    clock: Clock
    next_id: Callable[[], int]
    tasks: BoundedTasks
    journal: Journal


class EdgeCore:
    """The composed core, with what its shell talks to."""

    def __init__(self, around: Surroundings) -> None:
        """Put the core together, from the inside out."""
        self._around = around
        settings, store = around.settings, around.store
        self._domain = JID.parse(settings.domain)
        self.registry = Registry()
        self.directory = LocalDirectory(store.accounts)
        self.departures = Departures(
            site=settings.site,
            is_open=settings.uplink is not None,
            store=store.outbox,
            envelopes_max=0 if settings.uplink is None else settings.uplink.outbox_envelopes_max,
            bytes_max=0 if settings.uplink is None else settings.uplink.outbox_bytes_max,
            custody=store.custody,
            next_id=around.next_id,
            deadline_seconds=settings.requests.seconds,
        )
        self._router = Router(self._domain.domain, self.directory, self.registry, self.departures)
        self._limits = settings.sessions.limits(
            is_durable=settings.archive.enabled, are_all_kept=settings.listeners.processes > 0
        )
        self._lifecycle = Lifecycle(
            domain=self._domain.domain,
            registry=self.registry,
            directory=self.directory,
            store=store.sessions,
            custody=store.custody,
            sources=Sources(around.next_id, around.clock.monotonic, lambda: secrets.token_bytes(SECRET_BYTES)),
            limits=self._limits,
            sessions_per_account_max=settings.sessions.per_account_max,
            renumber=store.deliveries.renumber,
        )
        self._compose_presence()
        self._compose_paths()
        self._compose_sessions()
        self._compose_uplink()

    def _compose_presence(self) -> None:
        settings = self._around.settings
        self._rosters = Rosters(self._around.store.rosters)
        self._pushes = RosterPushes(self.registry)
        self._remote = RemotePresence(self._router, self.registry, self.departures, self._around.next_id)
        self._local = LocalPresence(self._router, self.registry, self._remote)
        self._subscriptions = Subscriptions(
            router=self._router,
            registry=self.registry,
            rosters=self._rosters,
            pushes=self._pushes,
            local=self._local,
            remote=self._remote,
            held=self.departures,
            items_max=settings.rosters.items_max,
            request_size_bytes_max=settings.rosters.request_size_bytes_max,
        )
        self.features = self._features()
        self._observers = [feature.sessions for feature in self.features if feature.sessions is not None]
        self._observers.append(Attendance())
        self.presence = PresencePath(
            router=self._router,
            registry=self.registry,
            local=self._local,
            remote=self._remote,
            subscriptions=self._subscriptions,
            held=self.departures,
            observers=self._observers,
            keep=self._lifecycle.keep,
            spawn=self._around.tasks.spawn,
            journal=self._around.journal,
            directed_max=settings.sessions.directed_max,
        )

    def _features(self) -> tuple[Feature, ...]:
        """Every feature of the edge, in the order in which their stages run."""
        around, settings, store = self._around, self._around.settings, self._around.store
        roster_of = self._rosters.get
        self._preferences = ArchivePreferences(
            store.archive,
            roster_of,
            default=ArchiveDefault(settings.archive.default),
            accounts_max=settings.archive.preferences_max,
        )
        self._roster = RosterFeature(
            rosters=self._rosters,
            store=store.rosters,
            pushes=self._pushes,
            keep=self._lifecycle.keep,
            remove=self._subscriptions.remove,
            items_max=settings.rosters.items_max,
            name_characters_max=settings.rosters.name_characters_max,
            groups_max=settings.rosters.groups_max,
        )
        archive = Archive(store.archive, self._preferences, settings.archive)
        clock = around.clock
        self._offline = OfflineMessages(
            self._domain, store.deliveries, store.custody, self.registry, around.next_id, around.tasks.spawn
        )
        features = (
            self._roster.feature(),
            *((archive.feature(),) if settings.archive.enabled else ()),
            self._offline.feature(),
            carbons.feature(self._lifecycle.keep),
            ping.feature(),
            software_version.feature(version("chappe")),
            entity_time.feature(clock.now_us),
            LastActivity(self.registry, roster_of, store.departures, clock.monotonic, clock.now_us).feature(),
        )
        return (*features, Discovery(self._domain, features, settings.contact, self.registry, roster_of).feature())

    def _compose_paths(self) -> None:
        around, settings = self._around, self._around.settings
        self._messages = MessagePath(
            domain=self._domain.domain,
            accounts=self.directory,
            registry=self.registry,
            custody=around.store.custody,
            outbox=self.departures,
            waiting=self._offline,
            next_id=around.next_id,
            features=self.features,
            journal=around.journal,
            durable=settings.archive.enabled,
        )
        pending = PendingRequests(
            around.clock.monotonic,
            deadline_seconds=settings.requests.seconds,
            requests_max=settings.requests.waiting_max,
        )
        self._iqs = IQPath(
            router=self._router,
            registry=self.registry,
            features=self.features,
            pending=pending,
            tasks=around.tasks,
            journal=around.journal,
        )

    def _compose_sessions(self) -> None:
        around, settings = self._around, self._around.settings
        self._revival = Revival(
            registry=self.registry,
            lifecycle=self._lifecycle,
            deliveries=around.store.deliveries,
            handover=self._offline.handover,
            forget=around.store.sessions.delete,
            prepare=self._rosters.prepare,
            custody=around.store.custody,
            monotonic=around.clock.monotonic,
            limits=self._limits,
            spawn=around.tasks.spawn,
            journal=around.journal,
        )
        self._revival.compose(self._awakened)
        self._lifecycle.compose(
            ended=self.presence.ended,
            observers=self._observers,
            messages=self._messages,
            unread=self._iqs.unread,
            give_up=self._revival.give_up,
        )
        self.housekeeping = Housekeeping(
            ticks=(self._lifecycle.sweep, self._revival.sweep, self._offline.sweep, self._iqs.expire),
            registry=self.registry,
            archive=around.store.archive,
            store=around.store,
            now_us=around.clock.now_us,
            monotonic=around.clock.monotonic,
            journal=around.journal,
            retention_seconds=settings.archive.retention_seconds,
            resend_seconds=settings.sessions.resume_seconds,
        )

    def _compose_uplink(self) -> None:
        around, settings = self._around, self._around.settings
        self._homes = Homes(settings.site, wait_seconds=HOME_WAIT_SECONDS, questions_max=HOME_QUESTIONS_MAX)
        self._replica = ReplicaKeeper(self.directory, self._lifecycle.end_account, around.tasks.spawn)
        self.arrivals = Arrivals(
            messages=self._messages,
            presence=self.presence,
            remote=self._remote,
            iqs=self._iqs,
            custody=around.store.custody,
            homes=self._homes,
            replica=self._replica,
            next_id=around.next_id,
            spawn=around.tasks.spawn,
            presence_grace_seconds=settings.sessions.presence_grace_seconds,
        )
        self.core = Core(
            domain=self._domain.domain,
            directory=self.directory,
            registry=self.registry,
            lifecycle=self._lifecycle,
            revival=self._revival,
            messages=self._messages,
            presence=self.presence,
            iqs=self._iqs,
            custody=around.store.custody,
            rosters=self._rosters,
            homes=self._homes,
            tasks=around.tasks,
            journal=around.journal,
        )

    async def start(self) -> None:
        """Take up what an earlier process left; called once, before anybody may connect."""
        around = self._around
        await self.directory.load()
        await self._preferences.load()
        records = await around.store.sessions.load_all()
        # Longer than a session may hibernate.
        recent_us = 2_000_000 * max(around.settings.sessions.resume_seconds, 60)
        numbers = await around.store.deliveries.sessions_numbers(around.clock.now_us() - recent_us)
        await self._revival.rebuild(records, numbers)
        for account in list(self.registry.accounts()):
            self.presence.restored(account)
        for session in list(self.registry.sessions()):
            self.presence.removed(session, await self._roster.restored(session))

    def connect(self, link: Link) -> None:
        """There is a link to the hub; called once, before it is dialled."""
        for part in (self.departures, self._homes, self._replica, self.arrivals):
            part.connect(link)

    def _awakened(self, session: Session) -> None:
        """A dormant session can be sent to again: it is shown its contacts, and gets what waits for the account."""
        if session.is_available:
            self.presence.awakened(session)
            for observer in self._observers:
                observer.available(session, first=False)
