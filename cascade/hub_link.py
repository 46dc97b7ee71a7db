"""The hub's role of a link: one object per connection.

Life: `receive` gives the hello in its first step; the hub answers with `welcome`; from then on the link is live until
`close`.  A site has one live link: the older one is closed *before* the newer one is welcomed.

A shell's duties, after each call into this object:

1. do what the returned `HubStep` says, in the order of its fields;
2. serve the forwarding's and the other links' wants, as `cascade.custody.Custody` says;
3. write `next_frame(now)` until it returns None;
4. call `timeout(now)` at `deadline`.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from cascade.custody import Custody, CustodyLedger, Fenced
from cascade.envelope import Envelope
from cascade.forwarding import Forwarding
from cascade.frame import (
    PROTOCOL,
    AccountChange,
    AccountPresence,
    Frame,
    Heartbeat,
    Hello,
    HomeAnswer,
    InterestChange,
    Undeliverable,
    Welcome,
)
from cascade.interest import InterestGatherer, PendingInterest
from cascade.link import (
    FailureReason,
    LinkFailure,
    LinkSettings,
    LinkState,
    Pacing,
    RuleBroken,
    move_transient,
    printable,
)
from cascade.presence import PendingPresence


@dataclass(slots=True)
class HubStep:
    """What a frame of a site means for the hub, in this order."""

    hello: Hello | None = None
    """Answer with `HubLink.welcome`, or end the link."""
    acknowledged: int = 0
    """Hub sequence: tell `Custody.acknowledged`; 0 = nothing new."""
    accounts_held: int | None = None
    interest: InterestChange | None = None
    """What the site watches: `publish` what is newer than the versions that it has."""
    presence: list[AccountPresence] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    """No duplicates.  Held ones: check the sender, route, then `Custody.accept`, in this order."""
    home_questions: list[str] = field(default_factory=list)
    failure: LinkFailure | None = None
    """End the link; nothing else is in this step."""


class HubLink:
    """The hub's side of one connection.

    Args:
        site: the name in the peer's certificate.
        settings: bounds and times.
        now: when the connection was opened.

    """

    def __init__(self, site: str, settings: LinkSettings, now: float) -> None:
        self.site = site
        self.state = LinkState.GREETING
        self._settings = settings
        self._pacing = Pacing(settings)
        self._pacing.open(now)
        self._hello: Hello | None = None
        self._welcome: Welcome | None = None  # until it is sent
        self._ledger: CustodyLedger | None = None
        self._forwarding: Forwarding | None = None
        self._window = settings.window_envelopes
        self._credit = 0
        self._acknowledged_to = 0
        self._gatherer = InterestGatherer(settings.interest_accounts_max)
        self._accounts: Iterator[AccountChange] | None = None
        self._next_accounts: AccountChange | None = None
        self._presence = PendingPresence()
        self._interest = PendingInterest()
        self._transient: deque[Envelope] = deque()
        self._undeliverable: deque[Undeliverable] = deque()
        self._heartbeat: Heartbeat | None = None
        self._home_answers: dict[str, HomeAnswer] = {}
        self._drain_ms: int | None = None

    # -------------------------------------------------------------------------------------------------- connection

    def welcome(self, custody: Custody, domain: str, software: str = "") -> LinkFailure | None:
        """Answer the hello: the link is live now.  Return a failure instead, if the site's outbox is out of date."""
        hello = self._hello
        if hello is None or self.state is not LinkState.GREETING:
            raise ValueError("there is no hello to be answered")
        self._ledger = custody.ledger(self.site)
        try:
            self._ledger.resume(hello.epoch, hello.acknowledged)
        except Fenced as fenced:
            return LinkFailure(FailureReason.EPOCH, str(fenced))
        self._forwarding = custody.forwarding(self.site)
        self._forwarding.linked(hello.window_envelopes)
        self.state = LinkState.LIVE
        self._pacing.is_greeted = True
        self._welcome = Welcome(
            domain=domain,
            met=self._ledger.met,
            window_envelopes=self._window,
            software=software,
        )
        return None

    def close(self) -> list[Envelope]:
        """The connection is gone, or is about to be.  Return the transient envelopes that were never sent."""
        if self.state is LinkState.LIVE and self._forwarding is not None:
            self._forwarding.unlinked()
        self.state = LinkState.DOWN
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
        deadline = self._pacing.dead_at
        if self._has_something:
            deadline = min(deadline, self._pacing.send_at(now, is_urgent=self._is_urgent))
        return deadline

    # ---------------------------------------------------------------------------------------------- what we want sent

    def offer_transient(self, envelope: Envelope) -> bool:
        """Take a transient envelope; False = the link is not live, or too many wait already."""
        if self.state is not LinkState.LIVE or len(self._transient) >= self._settings.transient_envelopes_max:
            return False
        self._transient.append(envelope)
        return True

    def undeliverable(self, envelope: Envelope, recipient: str, condition: str) -> None:
        """Tell the site that a transient envelope of its own could not be passed on; dropped when too many wait."""
        if len(self._undeliverable) < self._settings.transient_envelopes_max:
            self._undeliverable.append(
                Undeliverable(envelope.sender, recipient, envelope.kind, envelope.id or "", condition)
            )

    def publish(self, presence: AccountPresence) -> None:
        """Tell the site the newest presence of an account that it watches."""
        self._presence.put(presence)

    def ask_all(self, accounts: Iterable[tuple[str, int]]) -> None:
        """Tell the site which of its accounts are watched, and the versions that we have.  Right after `welcome`."""
        self._interest.replace(accounts)

    def ask(self, account: str, version: int) -> None:
        """Tell the site that an account of its own is watched now, and the version that we have."""
        self._interest.add(account, version)

    def unask(self, account: str) -> None:
        """Tell the site that nobody watches an account of its own any more."""
        self._interest.remove(account)

    @property
    def is_sending_accounts(self) -> bool:
        """Whether `send_accounts` is still at work."""
        return self._next_accounts is not None

    def send_accounts(self, parts: Iterator[AccountChange]) -> None:
        """Send a change of the site's replica, one part a frame, pulled as the link takes them."""
        if self.is_sending_accounts:
            raise ValueError("a change of accounts is being sent already")
        self._accounts = parts
        self._next_accounts = next(parts, None)

    def answer_home(self, answer: HomeAnswer) -> None:
        """Answer where an account lives."""
        if len(self._home_answers) < self._settings.home_questions_max:
            self._home_answers[answer.account] = answer

    def grant(self, envelopes: int) -> None:
        """Let the site have more held envelopes in flight."""
        self._window += envelopes
        self._credit += envelopes

    def drain(self, reconnect_after_ms: int) -> None:
        """Tell the site to come back later."""
        self._drain_ms = reconnect_after_ms

    # ------------------------------------------------------------------------------------------------ from the site

    def receive(self, frame: Frame, now: float) -> HubStep:
        """Take a frame."""
        self._pacing.heard(now)
        step = HubStep()
        try:
            if self.state is LinkState.LIVE:
                self._receive_live(frame, step)
            elif self.state is LinkState.GREETING and self._hello is None:
                step.hello = self._receive_hello(frame.hello)
            else:
                step.failure = LinkFailure(FailureReason.MALFORMED, f"a frame while {self.state.value}")
        except RuleBroken as broken:
            return HubStep(failure=broken.failure)
        return step

    def _receive_hello(self, hello: Hello | None) -> Hello:
        if hello is None:
            raise RuleBroken(FailureReason.MALFORMED, "the site's first frame has no hello")
        if hello.protocol != PROTOCOL:
            raise RuleBroken(FailureReason.VERSION, f"the site speaks version {hello.protocol}, we speak {PROTOCOL}")
        if hello.site != self.site:
            raise RuleBroken(FailureReason.IDENTITY, f"{self.site} says that it is {printable(hello.site)}")
        if not hello.epoch:
            raise RuleBroken(FailureReason.MALFORMED, "a hello without an epoch")
        self._hello = hello
        return hello

    def _receive_live(self, frame: Frame, step: HubStep) -> None:
        if frame.acknowledgement is not None:
            step.acknowledged = self._receive_acknowledgement(frame.acknowledgement.up_to)
        step.accounts_held = frame.accounts_held
        if frame.interest is not None:
            step.interest = self._gatherer.receive(frame.interest)
        if any(presence.size_bytes > self._settings.presence_bytes_max for presence in frame.presence):
            raise RuleBroken(FailureReason.MALFORMED, "a presence that is too large")
        step.presence = frame.presence
        self._receive_envelopes(frame.envelopes, step)
        if frame.heartbeat is not None:
            self._heartbeat = Heartbeat(frame.heartbeat.sent_us, is_reply=True)
        step.home_questions = frame.home_questions

    def _receive_acknowledgement(self, up_to: int) -> int:
        forwarding = self._forwarding
        if forwarding is None or up_to > forwarding.hub_sequence:
            raise RuleBroken(FailureReason.MALFORMED, f"hub sequence {up_to} acknowledged before it was sent")
        return up_to

    def _receive_envelopes(self, envelopes: list[Envelope], step: HubStep) -> None:
        ledger, hello = self._ledger, self._hello
        if ledger is None or hello is None:
            return
        held = 0
        for envelope in envelopes:
            if envelope.origin != self.site or envelope.epoch != hello.epoch:
                name = f"{printable(envelope.origin)}, epoch {envelope.epoch}"
                raise RuleBroken(
                    FailureReason.IDENTITY, f"an envelope of {name}, from {self.site}, epoch {hello.epoch}"
                )
            held += envelope.sequence > ledger.received
        if ledger.pending + held > self._window:
            raise RuleBroken(FailureReason.MALFORMED, "the site has overrun our window")
        step.envelopes = [
            envelope for envelope in envelopes if not envelope.sequence or ledger.receive(envelope.sequence)
        ]

    # -------------------------------------------------------------------------------------------------- to the site

    @property
    def _is_urgent(self) -> bool:
        return bool(
            self._transient
            or (self._forwarding is not None and self._forwarding.sendable_count)
            or self._presence
            or self._interest
            or self._undeliverable
            or self._home_answers
            or self._next_accounts
            or self._heartbeat
            or self._welcome
            or self._credit
            or self._drain_ms is not None
        )

    @property
    def _has_something(self) -> bool:
        return self.state is LinkState.LIVE and (
            self._is_urgent or (self._ledger is not None and self._ledger.has_news)
        )

    def next_frame(self, now: float) -> Frame | None:
        """Return the frame to write now, if any."""
        if not self._has_something or self._ledger is None or self._forwarding is None:
            return None
        gathered = len(self._transient) + self._forwarding.sendable_count
        is_full = gathered >= self._settings.frame_envelopes_max
        if not self._pacing.may_send(now, is_urgent=self._is_urgent, is_full=is_full):
            return None
        self._pacing.sent(now)
        frame = Frame(
            welcome=self._welcome,
            acknowledgement=self._ledger.take_acknowledgement(),
            credit=self._credit,
            heartbeat=self._heartbeat,
            drain_ms=self._drain_ms,
        )
        self._welcome = self._heartbeat = self._drain_ms = None
        self._credit = 0
        self._gather_state(frame)
        self._gather_envelopes(frame.envelopes, self._settings.frame_bytes_max, self._forwarding)
        return frame

    def _gather_state(self, frame: Frame) -> None:
        if self._next_accounts is not None and self._accounts is not None:
            frame.accounts = self._next_accounts
            self._next_accounts = next(self._accounts, None)
        frame.interest = self._interest.take(self._settings.interest_accounts_per_frame)
        if self._presence:
            frame.presence = self._presence.take(self._settings.frame_bytes_max // 2)
        room = self._settings.frame_bytes_max // 2
        while self._undeliverable and room > 0:
            frame.undeliverable.append(self._undeliverable.popleft())
            room -= frame.undeliverable[-1].size_bytes
        frame.home_answers = list(islice(self._home_answers.values(), self._settings.home_questions_per_frame))
        for answer in frame.home_answers:
            del self._home_answers[answer.account]

    def _gather_envelopes(self, gathered: list[Envelope], room: int, forwarding: Forwarding) -> None:
        count_max = self._settings.frame_envelopes_max
        room -= move_transient(self._transient, gathered, count_max // 2, room // 2)
        while len(gathered) < count_max and room > 0:
            envelope = forwarding.take()
            if envelope is None:
                break
            room -= envelope.size_bytes
            gathered.append(envelope)
