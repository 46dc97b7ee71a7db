"""The hub between its links: what a frame of one site means for the others (step 8 of a stanza's journey).

Everything here runs on the event loop and none of it waits; what is pure is asked, and what was decided is carried out.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from cascade.envelope import Envelope
from cascade.frame import AccountPresence, Hello, HomeAnswer
from cascade.hub_link import HubStep
from cascade.link import FailureReason, LinkFailure, printable
from cascade.transport.server import LinkConnection
from central_hub.directory.directory import Directory
from central_hub.links.dispatcher import Dispatcher
from central_hub.links.metrics import ExchangeMetrics
from central_hub.links.replication import Replication
from central_hub.links.settings import LinksSettings
from central_hub.operations.status import LinkStatus
from central_hub.routing.presence import PresenceExchange
from central_hub.routing.router import Router
from chassis.clock import Clock
from xmpp.errors import StanzaCondition

log = structlog.get_logger()

FORGERY_LOG_SECONDS = 1.0
"""A site that forges many is logged once in this time; the metric counts all."""


@dataclass(frozen=True, slots=True)
class HubName:
    """What the hub says of itself to sites."""

    domain: str
    """The company's XMPP domain."""
    software: str


@dataclass(frozen=True, slots=True, eq=False)
class LiveLink:
    """A connection that was welcomed."""

    connection: LinkConnection
    status: LinkStatus


class Exchange:
    """All live links.  Implements cascade.transport.server.HubHandler, and the ports PresenceLinks and Links."""

    def __init__(
        self,
        name: HubName,
        settings: LinksSettings,
        clock: Clock,
        directory: Directory,
        *,
        dispatcher: Dispatcher,
        replication: Replication,
        metrics: ExchangeMetrics,
    ) -> None:
        """Pass between links.

        Args:
            name: told to sites.
            settings: of links.
            clock: the wall clock of the status page, and the steady one of grace times.
            directory: who is where.
            dispatcher: takes custody.
            replication: feeds sites their accounts.
            metrics: counted here.
        """
        self._name = name
        self._clock = clock
        self._directory = directory
        self._dispatcher = dispatcher
        self._replication = replication
        self._metrics = metrics
        self._router = Router(name.domain, directory.home_of)
        self._presence = PresenceExchange(
            self._router.home_of,
            self,
            grace_seconds=settings.presence_grace_seconds,
            accounts_per_site_max=settings.interest_accounts_max,
        )
        self._presence_timer: asyncio.TimerHandle | None = None
        self._live: dict[str, LiveLink] = {}
        self._forgery_logged: dict[str, float] = {}
        dispatcher.wakes(self._wake)

    def start(self) -> None:
        """Begin the grace time of every site: after a start, none is linked."""
        for site in self._directory.sites:
            self._presence.unlinked(site, self._clock.monotonic())
        self._arm_presence_timer()

    def stop(self) -> None:
        """Set no timer any more."""
        if self._presence_timer is not None:
            self._presence_timer.cancel()

    def drain(self, reconnect_after_ms: int) -> None:
        """Tell every site that the hub is leaving."""
        for live in self._live.values():
            live.connection.link.drain(reconnect_after_ms)
            live.connection.wake()

    def watched_by(self, site: str) -> int:
        """How many accounts elsewhere the site watches (port operations.status.Links)."""
        return self._presence.watched_by(site)

    def link_status(self, site: str) -> LinkStatus | None:
        """Describe the site's link (port operations.status.Links)."""
        live = self._live.get(site)
        return None if live is None else live.status

    # ----------------------------------------------------------------------------------------------------- HubHandler

    def on_step(self, connection: LinkConnection, step: HubStep) -> None:
        """Carry out what a frame means."""
        if step.failure is not None:
            return  # the transport ends the connection, and on_closed says why
        if step.hello is not None:
            self._welcome(connection, step.hello)
            return
        site = connection.site
        serve: dict[str, None] = {site: None}  # a set that keeps its order
        if step.acknowledged:
            serve |= dict.fromkeys(self._dispatcher.custody.acknowledged(site, step.acknowledged))
        self._take_state(connection, step)
        if step.envelopes:
            self._metrics.envelopes.labels(site).inc(len(step.envelopes))
        for envelope in step.envelopes:
            serve |= dict.fromkeys(self._pass_on(envelope))
        self._dispatcher.serve(serve)

    def on_closed(self, connection: LinkConnection, failure: LinkFailure, unsent: list[Envelope]) -> None:
        """A connection that had said hello is over; its link is closed."""
        self._metrics.link_failures.labels(failure.reason.value).inc()
        live = self._live.get(connection.site)
        if live is not None and live.connection is connection:
            self._leave(connection.site)
        self._never_left(unsent)

    def _welcome(self, connection: LinkConnection, hello: Hello) -> None:
        site = connection.site
        if site not in self._directory.sites:
            log.warning("security_unknown_site", site=site, peer=connection.peer)
            connection.end(LinkFailure(FailureReason.IDENTITY, f"the site {site!r} is not known here"))
            return
        older = self._live.get(site)
        if older is not None:
            older.connection.end(LinkFailure(FailureReason.SUPERSEDED, "the site has opened a newer link"))
            unsent = older.connection.link.close()
            self._leave(site)
            self._never_left(unsent)
        failure = connection.link.welcome(self._dispatcher.custody, self._name.domain, self._name.software)
        if failure is not None:
            log.warning("link_refused", site=site, peer=connection.peer, reason=failure.reason, text=failure.text)
            connection.end(failure)
            return
        software = printable(hello.software)
        self._live[site] = LiveLink(connection, LinkStatus(self._clock.now_us(), software))
        log.info("link_opened", site=site, peer=connection.peer, epoch=hello.epoch, software=software)
        self._replication.opened(connection, hello.accounts_version)
        self._presence.linked(site)
        self._arm_presence_timer()
        self._dispatcher.serve((site,))

    def _leave(self, site: str) -> None:
        """The site's link, which is closed, is live no more."""
        del self._live[site]
        self._replication.closed(site)
        self._presence.unlinked(site, self._clock.monotonic())
        self._arm_presence_timer()
        self._dispatcher.serve((site,))

    def _take_state(self, connection: LinkConnection, step: HubStep) -> None:
        """Take what a site says of its replica, its watchers and its people, and answer its questions."""
        site = connection.site
        if step.accounts_held is not None:
            self._replication.held(site, step.accounts_held)
        if step.interest is not None:
            self._presence.interest(site, step.interest)
        for presence in step.presence:
            if not self._presence.presence(site, presence):
                self._forged(site, presence.account)
        for account in step.home_questions:
            connection.link.answer_home(self._home_answer(account))

    def _wake(self, site: str) -> None:
        live = self._live.get(site)
        if live is not None:
            live.connection.wake()

    # ------------------------------------------------------------------------------------------------------ envelopes

    def _pass_on(self, envelope: Envelope) -> Iterable[str]:
        """Route one envelope; return the sites to serve."""
        routing = self._router.route(envelope)
        for refusal in routing.refusals:
            self._metrics.refused.labels(refusal.condition).inc(len(refusal.recipients or envelope.recipients))
            if refusal.condition == StanzaCondition.FORBIDDEN:
                self._forged(envelope.origin, envelope.sender)
        if envelope.is_held:
            return self._dispatcher.accept(envelope, routing)
        for refusal in routing.refusals:
            self._undeliverable(envelope, refusal.recipients or envelope.recipients, refusal.condition)
        for site, recipients in routing.parts.items():
            live = self._live.get(site)
            if live is None or not live.connection.link.offer_transient(envelope.addressed_to(recipients)):
                self._undeliverable(envelope, recipients, StanzaCondition.REMOTE_SERVER_TIMEOUT)
        return routing.parts

    def _forged(self, site: str, claimed: str) -> None:
        self._metrics.forged.labels(site).inc()
        now = self._clock.monotonic()
        if now >= self._forgery_logged.get(site, -FORGERY_LOG_SECONDS) + FORGERY_LOG_SECONDS:
            self._forgery_logged[site] = now
            log.warning("security_forged_sender", site=site, claimed=printable(claimed))

    def _undeliverable(self, envelope: Envelope, recipients: Iterable[str], condition: str) -> None:
        origin = self._live.get(envelope.origin)
        if origin is None:
            return
        for recipient in recipients:
            origin.connection.link.undeliverable(envelope, recipient, condition)
        origin.connection.wake()

    def _never_left(self, unsent: Iterable[Envelope]) -> None:
        for envelope in unsent:
            self._undeliverable(envelope, envelope.recipients, StanzaCondition.REMOTE_SERVER_TIMEOUT)

    def _home_answer(self, account: str) -> HomeAnswer:
        home = self._router.home_of(account)
        if home is None:
            return HomeAnswer(account, "")
        site = self._directory.sites[home]
        return HomeAnswer(account, home, site.client_host, site.client_port)

    # ------------------------------------------------------------------------------------------------------- presence

    def publish(self, site: str, presence: AccountPresence) -> None:
        """Tell a watching site (port routing.presence.PresenceLinks)."""
        connection = self._live[site].connection
        connection.link.publish(presence)
        connection.wake()

    def ask_all(self, site: str, accounts: Iterable[tuple[str, int]]) -> None:
        """Tell a home site what is watched."""
        self._live[site].connection.link.ask_all(accounts)

    def ask(self, site: str, account: str) -> None:
        """Tell a home site that an account is watched now."""
        connection = self._live[site].connection
        connection.link.ask(account, 0)
        connection.wake()

    def unask(self, site: str, account: str) -> None:
        """Tell a home site that an account is watched no more."""
        connection = self._live[site].connection
        connection.link.unask(account)
        connection.wake()

    def _arm_presence_timer(self) -> None:
        if self._presence_timer is not None:
            self._presence_timer.cancel()
            self._presence_timer = None
        deadline = self._presence.deadline()
        if deadline is not None:
            delay = max(0.0, deadline - self._clock.monotonic())
            self._presence_timer = asyncio.get_running_loop().call_later(delay, self._presence_timeout)

    def _presence_timeout(self) -> None:
        self._presence.timeout(self._clock.monotonic())
        self._arm_presence_timer()
