"""The site's role of a link.

Rule: this object lives as long as the process; connections come and go under it.  Between `connected` and
`disconnected` it is greeting or live, and what has gathered for the hub leaves through `next_frame`.

A shell's duties, after each call into this object:

1. do what the returned `SiteStep` says, in the order of its fields;
2. start `outbox.wanted_read()`, if there is one;
3. write `next_frame(now)` until it returns None;
4. call `timeout(now)` at `deadline`.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from cascade.envelope import Envelope
from cascade.frame import (
    PROTOCOL,
    AccountChange,
    AccountPresence,
    Acknowledgement,
    Frame,
    Heartbeat,
    Hello,
    HomeAnswer,
    InterestChange,
    Undeliverable,
    Welcome,
)
from cascade.inbox import Inbox, Verdict, Watermark
from cascade.interest import InterestGatherer, PendingInterest, WatchCounts
from cascade.link import FailureReason, LinkFailure, LinkSettings, LinkState, Pacing, RuleBroken, move_transient
from cascade.outbox import Outbox, OutboxRegressed, Release
from cascade.presence import PendingPresence, PresenceTable


@dataclass(slots=True)
class SiteStep:
    """What a frame of the hub means for the site, in this order."""

    linked: Welcome | None = None
    release: Release | None = None
    accounts: AccountChange | None = None
    interest: InterestChange | None = None
    """What others watch of ours: `publish` the newest presence of each added account."""
    presence: list[AccountPresence] = field(default_factory=list)
    """News about accounts that we watch."""
    envelopes: list[Envelope] = field(default_factory=list)
    """No duplicates.  Held ones: store them in this order, then call `stored`."""
    undeliverable: list[Undeliverable] = field(default_factory=list)
    round_trip_seconds: float | None = None
    drain_ms: int | None = None
    home_answers: list[HomeAnswer] = field(default_factory=list)
    failure: LinkFailure | None = None
    """End the link, after the rest."""


class SiteLink:
    """One site's way to the hub.

    Args:
        site: our name.
        outbox: the window over our outbox store.
        inbox: what we have stored of others.
        accounts_version: what our replica of accounts holds.
        settings: bounds and times.
        software: named to the hub, for its status page.

    """

    def __init__(
        self,
        site: str,
        outbox: Outbox,
        inbox: Inbox,
        accounts_version: int,
        settings: LinkSettings,
        software: str = "",
    ) -> None:
        self.site = site
        self.outbox = outbox
        self.inbox = inbox
        self.state = LinkState.DOWN
        self.presence_of_others = PresenceTable()
        """The newest presence of the accounts that we watch."""
        self._settings = settings
        self._software = software
        self._pacing = Pacing(settings)
        self._watched = WatchCounts(settings.interest_accounts_max)
        self._accounts_version = accounts_version
        self._asked: dict[str, int] = {}  # our accounts that the hub watches -> version that it has
        self._own_presence = PendingPresence()
        self._interest = PendingInterest()
        self._gatherer = InterestGatherer(settings.interest_accounts_max)
        self._transient: deque[Envelope] = deque()
        self._home_questions: dict[str, None] = {}
        self._begin_connection()

    def _begin_connection(self) -> None:
        self._window = 0
        self._is_hello_due = False
        self._is_accounts_held_due = False
        self._heartbeat_at = float("inf")
        self._received_to = 0  # highest hub_sequence
        self._unstored: deque[tuple[int, str, Watermark]] = deque()  # hub_sequence, origin, mark
        self._stored_to = 0
        self._acknowledged_to = 0

    # -------------------------------------------------------------------------------------------------- connection

    def connected(self, now: float) -> None:
        """A connection to the hub is open: say hello.  The outbox must have been looked into (`Outbox.is_known`)."""
        if not self.outbox.is_known:
            raise ValueError("the outbox store has not been read yet")
        self._begin_connection()
        self._pacing.open(now)
        self._is_hello_due = True
        self.state = LinkState.GREETING

    def disconnected(self) -> list[Envelope]:
        """The connection is gone.  Return the transient envelopes that were never sent."""
        self.state = LinkState.DOWN
        self.outbox.rewind()
        self._begin_connection()
        self._asked.clear()
        self._own_presence.clear()
        self._interest.clear()
        unsent = list(self._transient)
        self._transient.clear()
        return unsent

    def timeout(self, now: float) -> LinkFailure | None:
        """Return that the link has to be ended, if its time is up."""
        return self._pacing.failure(now) if self.state is not LinkState.DOWN else None

    def deadline(self, now: float) -> float | None:
        """Return when to look for a frame or call `timeout`, unless something happens before."""
        if self.state is LinkState.DOWN:
            return None
        deadline = min(self._pacing.dead_at, self._heartbeat_at)
        if self._has_something:
            deadline = min(deadline, self._pacing.send_at(now, is_urgent=self._is_urgent))
        return deadline

    # ---------------------------------------------------------------------------------------------- what we want sent

    def offer(self, envelope: Envelope) -> None:
        """Take a held envelope that our store has committed."""
        self.outbox.offer(envelope)

    def offer_transient(self, envelope: Envelope) -> bool:
        """Take a transient envelope; False = the link is not live, or too many wait already."""
        if self.state is not LinkState.LIVE or len(self._transient) >= self._settings.transient_envelopes_max:
            return False
        self._transient.append(envelope)
        return True

    def publish(self, presence: AccountPresence) -> None:
        """Say the newest presence of one of our accounts, if anybody watches it and does not know it yet.

        Resources beyond `LinkSettings.presence_bytes_max` are left out, and so look unavailable elsewhere.
        """
        known = self._asked.get(presence.account)
        if known is not None and presence.version != known:  # lower ones come from a clock that was set back
            self._own_presence.put(presence.within(self._settings.presence_bytes_max))

    def is_asked_for(self, account: str) -> bool:
        """Whether somebody elsewhere watches this account of ours."""
        return account in self._asked

    def watch(self, account: str) -> None:
        """Ask for the presence of an account elsewhere; counted.  Raises OverflowError beyond the bound."""
        if self._watched.watch(account) and self.state is LinkState.LIVE:
            self._interest.add(account, 0)

    def unwatch(self, account: str) -> None:
        """Take one `watch` back."""
        if self._watched.unwatch(account):
            self.presence_of_others.forget((account,))
            if self.state is LinkState.LIVE:
                self._interest.remove(account)

    def ask_home(self, account: str) -> bool:
        """Ask where an account lives; False = the link is not live, or too many questions wait already."""
        if self.state is not LinkState.LIVE or len(self._home_questions) >= self._settings.home_questions_max:
            return False
        self._home_questions[account] = None
        return True

    def accounts_held(self, version: int) -> None:
        """Our replica of accounts has durably reached this version."""
        self._accounts_version = version
        self._is_accounts_held_due = self.state is LinkState.LIVE

    def stored(self, envelopes: Iterable[Envelope]) -> None:
        """These held envelopes, which a step delivered, are committed.  Also counts when they came on an older link."""
        for envelope in envelopes:
            self.inbox.store(envelope)
        self._settle()

    # ------------------------------------------------------------------------------------------------- from the hub

    def receive(self, frame: Frame, now: float) -> SiteStep:
        """Take a frame."""
        self._pacing.heard(now)
        step = SiteStep()
        try:
            if self.state is LinkState.GREETING:
                self._receive_welcome(frame.welcome, now)
                step.linked = frame.welcome
            self._receive_answers(frame, step)
            self._receive_state(frame, step)
            self._receive_envelopes(frame.envelopes, step)
        except RuleBroken as broken:
            step.failure = broken.failure
        except OutboxRegressed as regressed:
            step.failure = LinkFailure(FailureReason.REGRESSED, str(regressed))
        if frame.heartbeat is not None and frame.heartbeat.is_reply:
            step.round_trip_seconds = max(0.0, now - frame.heartbeat.sent_us / 1e6)
        step.undeliverable = frame.undeliverable
        step.drain_ms = frame.drain_ms
        step.home_answers = frame.home_answers
        return step

    def _receive_welcome(self, welcome: Welcome | None, now: float) -> None:
        if welcome is None:
            raise RuleBroken(FailureReason.MALFORMED, "the hub's first frame has no welcome")
        if welcome.protocol != PROTOCOL:
            raise RuleBroken(FailureReason.VERSION, f"the hub speaks version {welcome.protocol}, we speak {PROTOCOL}")
        if welcome.met > self.outbox.last_sequence:
            raise OutboxRegressed(
                f"the hub has met sequence {welcome.met} of epoch {self.outbox.epoch}, "
                f"our outbox ends at {self.outbox.last_sequence}"
            )
        self.state = LinkState.LIVE
        self._pacing.is_greeted = True
        self._window = welcome.window_envelopes
        self._heartbeat_at = now + self._settings.heartbeat_seconds
        others = self.presence_of_others
        self._interest.replace((account, others.version(account)) for account in self._watched)

    def _receive_answers(self, frame: Frame, step: SiteStep) -> None:
        if frame.acknowledgement is not None:
            step.release = self.outbox.acknowledge(frame.acknowledgement)
        self._window += frame.credit

    def _receive_state(self, frame: Frame, step: SiteStep) -> None:
        step.accounts = frame.accounts
        if frame.interest is not None:
            step.interest = self._gatherer.receive(frame.interest)
            if step.interest is not None:
                self._apply_interest(step.interest)
        step.presence = [
            presence
            for presence in frame.presence
            if presence.account in self._watched and self.presence_of_others.apply(presence)
        ]

    def _apply_interest(self, interest: InterestChange) -> None:
        if interest.is_full:
            self._asked.clear()
            self._own_presence.clear()
        for account in interest.removed:
            self._asked.pop(account, None)
        self._own_presence.discard(interest.removed)
        self._asked.update(interest.added)

    def _receive_envelopes(self, envelopes: list[Envelope], step: SiteStep) -> None:
        take = self.inbox.take
        for envelope in envelopes:
            if not envelope.sequence:
                step.envelopes.append(envelope)
                continue
            self._received_to += 1
            if envelope.hub_sequence != self._received_to:
                raise RuleBroken(FailureReason.MALFORMED, f"hub sequence {envelope.hub_sequence} after a gap")
            verdict = take(envelope)
            if verdict is Verdict.NEW:
                step.envelopes.append(envelope)
            mark = (envelope.epoch, envelope.sequence) if verdict is not Verdict.STALE else (0, 0)
            self._unstored.append((envelope.hub_sequence, envelope.origin, mark))
        if len(self._unstored) > self._settings.window_envelopes:
            raise RuleBroken(FailureReason.MALFORMED, "the hub has overrun our window")
        self._settle()

    def _settle(self) -> None:
        unstored = self._unstored
        while unstored and self.inbox.is_stored(unstored[0][1], unstored[0][2]):
            self._stored_to = unstored.popleft()[0]

    # --------------------------------------------------------------------------------------------------- to the hub

    @property
    def _is_urgent(self) -> bool:
        return bool(
            self._transient
            or self.outbox.is_sendable(self._window)
            or self._own_presence
            or self._interest
            or self._home_questions
            or self._is_hello_due
            or self._is_accounts_held_due
        )

    @property
    def _has_something(self) -> bool:
        return self._stored_to > self._acknowledged_to or self._is_urgent

    def next_frame(self, now: float) -> Frame | None:
        """Return the frame to write now, if any."""
        if self.state is LinkState.DOWN:
            return None
        is_urgent = self._is_urgent
        is_heartbeat_due = now >= self._heartbeat_at
        if not is_heartbeat_due:
            if not (is_urgent or self._stored_to > self._acknowledged_to):
                return None
            if not self._pacing.may_send(now, is_urgent=is_urgent, is_full=self._is_frame_full):
                return None
        self._pacing.sent(now)
        if self._is_hello_due:
            self._is_hello_due = False
            return Frame(hello=self._hello())
        return self._gather(now, is_heartbeat_due=is_heartbeat_due)

    @property
    def _is_frame_full(self) -> bool:
        gathered = len(self._transient) + self.outbox.sendable_count(self._window)
        return gathered >= self._settings.frame_envelopes_max

    def _hello(self) -> Hello:
        return Hello(
            site=self.site,
            epoch=self.outbox.epoch,
            acknowledged=self.outbox.settled,
            accounts_version=self._accounts_version,
            window_envelopes=self._settings.window_envelopes,
            software=self._software,
        )

    def _gather(self, now: float, *, is_heartbeat_due: bool) -> Frame:
        frame = Frame()
        if self._stored_to > self._acknowledged_to:
            self._acknowledged_to = self._stored_to
            frame.acknowledgement = Acknowledgement(self._stored_to)
        if is_heartbeat_due:
            self._heartbeat_at = now + self._settings.heartbeat_seconds
            frame.heartbeat = Heartbeat(int(now * 1e6))
        if self._is_accounts_held_due:
            self._is_accounts_held_due = False
            frame.accounts_held = self._accounts_version
        frame.interest = self._interest.take(self._settings.interest_accounts_per_frame)
        frame.home_questions = list(islice(self._home_questions, self._settings.home_questions_per_frame))
        for account in frame.home_questions:
            del self._home_questions[account]
        room = self._settings.frame_bytes_max
        if self._own_presence:
            frame.presence = self._own_presence.take(room // 2)
            for presence in frame.presence:
                self._asked[presence.account] = presence.version
                room -= presence.size_bytes
        self._gather_envelopes(frame.envelopes, room)
        return frame

    def _gather_envelopes(self, gathered: list[Envelope], room: int) -> None:
        count_max = self._settings.frame_envelopes_max
        room -= move_transient(self._transient, gathered, count_max // 2, room // 2)
        take, window = self.outbox.take, self._window
        while len(gathered) < count_max and room > 0:
            envelope = take(window)
            if envelope is None:
                break
            room -= envelope.size_bytes
            gathered.append(envelope)
