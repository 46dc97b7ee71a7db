"""A site's connection to the hub: dialled, kept, and dialled again, for ever."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import grpc.aio
import structlog

from cascade.codec import decode_envelope
from cascade.envelope import Envelope
from cascade.frame import AccountPresence, Frame, Undeliverable
from cascade.link import FailureReason, LinkFailure, LinkState
from cascade.outbox import Release
from cascade.site_link import SiteLink, SiteStep
from cascade.transport.channel import CLIENT_OPTIONS, METHOD, SERVICE
from cascade.transport.ports import LinkHandler, OutboxStore
from cascade.transport.stream import Call, LinkStream
from cascade.transport.tls import CertificateFiles, channel_credentials

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the hub is, and how often it is tried."""

    target: str
    """``host:port``."""
    certificates: CertificateFiles
    hub_name: str | None = None
    """Name that the hub's certificate has to carry, if it is not the host of the target."""
    backoff_seconds_min: float = 0.2
    backoff_seconds_max: float = 4.0
    """So that a hub that returns is found within 5 s."""
    refused_backoff_seconds: float = 30.0
    """After a refusal that trying again soon cannot cure."""
    store_retry_seconds: float = 1.0


class RefusalsNotStored(Exception):
    """What the hub refused has not become an error to its sender yet."""


class LinkClient:
    """Keeps a site linked.

    Args:
        link: the site's role.
        handler: takes what comes.
        store: the durable outbox behind `SiteLink.outbox`.
        settings: where and how.
        random: for jitter.

    """

    def __init__(
        self, link: SiteLink, handler: LinkHandler, store: OutboxStore, settings: ClientSettings, random: Random
    ) -> None:
        self._link = link
        self._handler = handler
        self._store = store
        self._settings = settings
        self._random = random
        self._stream: LinkStream | None = None
        self._attempts = 0
        self._releases: deque[Release] = deque()
        self._stamp: tuple[int, ...] = ()
        self._certificate_fault = ""
        self._outbox_moved = asyncio.Event()
        self._outbox_known = asyncio.Event()
        self._last_failure: LinkFailure | None = None
        self._drain_seconds = 0.0
        self.round_trip_seconds: float | None = None
        """Of the latest heartbeat."""

    async def run(self) -> None:
        """Keep the link until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_outbox())
            tasks.create_task(self._keep_linked())

    # -------------------------------------------------------------------------------------------- what the site says

    @property
    def is_linked(self) -> bool:
        """Whether the hub has welcomed us and is there."""
        return self._link.state is LinkState.LIVE

    @property
    def oldest_us(self) -> int:
        """When the oldest envelope that waits for an answer was promised; 0: none does, or it is not known yet."""
        return self._link.outbox.oldest_us

    def offer(self, envelope: Envelope) -> None:
        """Send a held envelope, which the store has committed.  In the order of sequences."""
        self._link.offer(envelope)
        self._wake()

    def offer_transient(self, envelope: Envelope) -> bool:
        """Send a transient envelope; False = it cannot go now."""
        is_taken = self._link.offer_transient(envelope)
        self._wake()
        return is_taken

    def publish(self, presence: AccountPresence) -> None:
        """Say the newest presence of one of our accounts; costs nothing when nobody elsewhere watches it."""
        self._link.publish(presence)
        self._wake()

    def is_asked_for(self, account: str) -> bool:
        """Whether somebody elsewhere watches this account of ours."""
        return self._link.is_asked_for(account)

    def watch(self, account: str) -> None:
        """Watch the presence of an account elsewhere; counted.  Raises OverflowError beyond the bound."""
        self._link.watch(account)
        self._wake()

    def unwatch(self, account: str) -> None:
        """Take one `watch` back."""
        self._link.unwatch(account)
        self._wake()

    def presence_of(self, account: str) -> AccountPresence | None:
        """Return the newest presence of an account that we watch."""
        return self._link.presence_of_others.get(account)

    def ask_home(self, account: str) -> bool:
        """Ask where an account lives; False = it cannot be asked now."""
        is_asked = self._link.ask_home(account)
        self._wake()
        return is_asked

    def accounts_held(self, version: int) -> None:
        """Say that our replica of accounts has durably reached a version."""
        self._link.accounts_held(version)
        self._wake()

    def store_failed(self) -> None:
        """Envelopes that came could not be stored: end the link and have them sent again."""
        self._link.inbox.forget_taken()
        self._end(LinkFailure(FailureReason.STORE, "what came could not be stored"))

    # -------------------------------------------------------------------------------------------------- connections

    async def _keep_linked(self) -> None:
        await self._outbox_known.wait()
        while True:
            failure = await self._connect()
            unsent = self._link.disconnected()
            self._report(failure)
            for envelope in unsent:
                self._give_back(envelope)
            if failure.reason is FailureReason.REGRESSED:
                return  # what this outbox sends would be taken for duplicates
            if failure.reason is not FailureReason.ROTATED:
                await self._back_off(failure)

    async def _connect(self) -> LinkFailure:
        settings = self._settings
        options: list[tuple[str, int | str]] = [*CLIENT_OPTIONS]
        if settings.hub_name is not None:
            options.append(("grpc.ssl_target_name_override", settings.hub_name))
        try:
            self._stamp = settings.certificates.stamp()
            credentials = channel_credentials(settings.certificates)
        except OSError as error:
            return LinkFailure(FailureReason.IDENTITY, f"our certificate cannot be used: {error}")
        async with grpc.aio.secure_channel(settings.target, credentials, options=options) as channel:
            call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(f"/{SERVICE}/{METHOD}")()
            try:
                return await self._converse(call)
            finally:
                call.cancel()

    async def _converse(self, call: Call) -> LinkFailure:
        """Be linked over an open call; return why it ended."""
        self._link.connected(asyncio.get_running_loop().time())
        end = grpc.aio.EOF
        self._stream = LinkStream(call, self._link, self._receive, end_of_stream=end, keeps_encoded=False)
        try:
            return await self._stream.run()
        finally:
            self._stream = None

    def _report(self, failure: LinkFailure) -> None:
        if failure != self._last_failure:
            level = _log.error if failure.reason.is_permanent else _log.warning
            level("link_down", site=self._link.site, reason=failure.reason.value, text=failure.text)
        self._last_failure = failure
        self._handler.on_unlinked(failure)

    async def _back_off(self, failure: LinkFailure) -> None:
        settings = self._settings
        if failure.reason.is_permanent:
            seconds = settings.refused_backoff_seconds
        elif failure.reason is FailureReason.SUPERSEDED:
            seconds = settings.backoff_seconds_max
        else:
            seconds = min(settings.backoff_seconds_max, settings.backoff_seconds_min * 2**self._attempts)
        self._attempts = min(self._attempts + 1, 16)
        seconds = max(settings.backoff_seconds_min, seconds * self._random.uniform(0.5, 1.0))
        seconds, self._drain_seconds = max(seconds, self._drain_seconds), 0.0
        await asyncio.sleep(seconds)

    def _wake(self) -> None:
        if self._stream is not None:
            self._stream.wake()
        if self._link.outbox.is_read_wanted:
            self._outbox_moved.set()

    def _end(self, failure: LinkFailure) -> None:
        if self._stream is not None:
            self._stream.end(failure)

    # ------------------------------------------------------------------------------------------------- from the hub

    def _receive(self, frame: Frame) -> None:
        step = self._link.receive(frame, asyncio.get_running_loop().time())
        try:
            self._receive_state(step)
        finally:  # they count as taken: whatever becomes of the rest, somebody has to have them
            if step.envelopes:
                self._handler.on_envelopes(step.envelopes, self._stored)
        self._receive_rest(step)

    def _receive_state(self, step: SiteStep) -> None:
        handler = self._handler
        if step.linked is not None:
            self._attempts = 0
            self._last_failure = None
            _log.info("link_up", site=self._link.site, hub=step.linked.software, domain=step.linked.domain)
            handler.on_linked(step.linked)
        if step.release is not None:
            self._released(step.release)
        if step.accounts is not None:
            handler.on_accounts(step.accounts)
        if step.interest is not None:
            handler.on_interest(step.interest)
        if step.presence:
            handler.on_presence(step.presence)

    def _receive_rest(self, step: SiteStep) -> None:
        for undeliverable in step.undeliverable:
            self._handler.on_undeliverable(undeliverable)
        for answer in step.home_answers:
            self._handler.on_home_answer(answer)
        if step.round_trip_seconds is not None:
            self.round_trip_seconds = step.round_trip_seconds
            self._end_if_rotated()
        if step.drain_ms is not None:
            # Not all sites at the same moment.
            self._drain_seconds = step.drain_ms / 1000 * self._random.uniform(1.0, 1.5)
            self._end(LinkFailure(FailureReason.DRAINING, f"the hub leaves for {step.drain_ms} ms"))
        if step.failure is not None:
            self._end(step.failure)
        if self._link.outbox.is_read_wanted:
            self._outbox_moved.set()

    def _stored(self, envelopes: Sequence[Envelope]) -> None:
        self._link.stored(envelopes)
        self._wake()

    def _end_if_rotated(self) -> None:
        """Have a new link use new files, once they fit together: till then the link that stands is worth more."""
        files = self._settings.certificates
        try:
            if files.stamp() == self._stamp:
                return
            files.check()
        except OSError as error:
            if str(error) != self._certificate_fault:
                self._certificate_fault = str(error)
                _log.warning("link_certificate_not_rotated", site=self._link.site, error=self._certificate_fault)
            return
        self._certificate_fault = ""
        self._end(LinkFailure(FailureReason.ROTATED, "our certificate has changed"))

    def _give_back(self, envelope: Envelope) -> None:
        for recipient in envelope.recipients:
            self._handler.on_undeliverable(
                Undeliverable(envelope.sender, recipient, envelope.kind, envelope.id or "", "remote-server-timeout")
            )

    # --------------------------------------------------------------------------------------------------- the outbox

    def _released(self, release: Release) -> None:
        if not release.up_to:
            return
        releases = self._releases
        if len(releases) > 1 and not (release.refused or releases[-1].refused):  # the first may be at work
            releases[-1].up_to = release.up_to
        else:
            releases.append(release)
        self._outbox_moved.set()

    async def _keep_outbox(self) -> None:
        """Serve the outbox's wants, one at a time; a store that fails is asked again."""
        outbox = self._link.outbox
        while True:
            self._outbox_moved.clear()
            try:
                await self._serve_outbox()
            except Exception as error:  # noqa: BLE001 - whatever the store's adapter raises: the link goes on without it
                outbox.read_failed()
                _log.warning("outbox_store_failed", site=self._link.site, error=str(error))
                await asyncio.sleep(self._settings.store_retry_seconds)
                continue
            await self._outbox_moved.wait()

    async def _serve_outbox(self) -> None:
        outbox = self._link.outbox
        while True:
            while self._releases:
                await self._settle(self._releases[0])
            read = outbox.wanted_read()
            if read is None:
                return
            rows = await self._store.read(read.after_sequence, read.limit)
            envelopes = [decode_envelope(data) for _, data in rows]
            release = outbox.loaded(envelopes, is_complete=len(rows) < read.limit)
            self._outbox_known.set()
            self._released(release)
            if self._stream is not None:
                self._stream.wake()

    async def _settle(self, release: Release) -> None:
        """Refusals become errors, durably, and then the outbox forgets; while that fails, nothing more is read."""
        if release.refused:
            release.refused = await self._handler.on_refused(release.refused)
        if release.refused:
            raise RefusalsNotStored(f"{len(release.refused)} refusals of the hub cannot be stored")
        await self._store.trim(release.up_to)
        self._link.outbox.settle(release.up_to)
        self._releases.popleft()
