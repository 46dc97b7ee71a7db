"""What comes from the hub: stanzas, presence, accounts, answers (`cascade.transport.client.LinkHandler`)."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import structlog

from cascade.envelope import ENVELOPE_BYTES_MAX, Envelope
from cascade.frame import (
    AccountChange,
    AccountPresence,
    HomeAnswer,
    InterestChange,
    Refusal,
    Undeliverable,
    Welcome,
)
from cascade.link import LinkFailure
from cascade.transport.ports import Refused
from edge_node.custody import Acceptance, Custody, Done, Watermark
from edge_node.features.presence.path import PresencePath
from edge_node.features.presence.remote import RemotePresence
from edge_node.pipeline.iqs import IQPath
from edge_node.pipeline.messages import MessagePath
from edge_node.uplink.alone import NoLink
from edge_node.uplink.envelopes import stanzas_of
from edge_node.uplink.homes import Homes
from edge_node.uplink.link import Link
from edge_node.uplink.replica import ReplicaKeeper
from edge_node.uplink.waiting import Commit
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.inspection import Inspector
from xmpp.jid import JID, InvalidJID
from xmpp.stanza import Stanza

_log = structlog.get_logger()

Commits = list[tuple[Envelope, Commit]]
"""Envelopes, and what becomes of them."""

_SHOWN_TO_NOBODY = (None, "unavailable")
"""Directed presence to an account that does not exist is ignored (RFC 6121 section 8.5.1)."""

_CONDITIONS = {condition.value: condition for condition in StanzaCondition}

_UNSOUND_LOG_SECONDS = 1.0
"""Stanzas that are not what they say are logged once in this time; the metric counts all."""


class Arrivals:
    """The inbound half of the uplink.

    Rule: held envelopes are taken one after the other, and the store advances the watermark of an origin from one to
    the next only (`edge_node.custody.Watermark`), so that it never runs ahead of what has been stored.
    """

    def __init__(
        self,
        *,
        messages: MessagePath,
        presence: PresencePath,
        remote: RemotePresence,
        iqs: IQPath,
        custody: Custody,
        homes: Homes,
        replica: ReplicaKeeper,
        next_id: Callable[[], int],
        spawn: Callable[[Coroutine[Any, Any, None]], bool],
        presence_grace_seconds: float,
    ) -> None:
        """Compose it.

        `presence_grace_seconds`: how long contacts elsewhere are shown as they were while the link is down.
        """
        self._messages = messages
        self._presence = presence
        self._remote = remote
        self._iqs = iqs
        self._custody = custody
        self._homes = homes
        self._replica = replica
        self._next_id = next_id
        self._spawn = spawn
        self._presence_grace_seconds = presence_grace_seconds
        self._link: Link = NoLink()
        self._waiting: deque[tuple[list[Envelope], Callable[[Sequence[Envelope]], None]]] = deque()
        self._is_busy = False
        self._grace: asyncio.TimerHandle | None = None
        self._inspector = Inspector(ENVELOPE_BYTES_MAX)
        self._unsound_logged_at = float("-inf")
        self._unsound = 0
        self.is_linked = False
        self.domain = ""
        """As the hub says it; empty before the first link."""

    def connect(self, link: Link) -> None:
        """Name the link, and have it watch what is watched already.  Called once, by the composer, if there is one."""
        self._link = link
        for account in self._remote.watched():
            link.watch(account)

    @property
    def unsound(self) -> int:
        """Stanzas and presences of other sites that were not what they said, and were dropped."""
        return self._unsound + self._remote.unsound

    # The link itself.

    def on_linked(self, welcome: Welcome) -> None:
        """The hub has welcomed us: contacts elsewhere are shown as known, and the hub sends what has changed."""
        self.is_linked = True
        self.domain = welcome.domain
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        for account in self._remote.watched():
            known = self._link.presence_of(account)
            if known is not None:
                self._learn(known)

    def on_unlinked(self, failure: LinkFailure) -> None:
        """The link is down: after the grace time nothing is known of other sites."""
        del failure  # the client has logged it
        if self.is_linked and self._grace is None:
            loop = asyncio.get_running_loop()
            self._grace = loop.call_later(self._presence_grace_seconds, self._remote.forget_all)
        self.is_linked = False
        self._replica.interrupted()

    # Stanzas.

    def on_envelopes(self, envelopes: list[Envelope], stored: Callable[[Sequence[Envelope]], None]) -> None:
        """Take envelopes; `stored` is told which of the held ones are committed."""
        self._waiting.append((envelopes, stored))
        if not self._is_busy:
            self._is_busy = True
            if not self._spawn(self._work()):
                self._is_busy = False
                self._waiting.clear()
                self._link.store_failed()

    async def _work(self) -> None:
        try:
            while self._waiting:
                if not await self._take_next():
                    self._waiting.clear()
                    self._link.store_failed()
        finally:
            self._is_busy = False

    async def _take_next(self) -> bool:
        """Take the envelopes that wait for longest; whether all of them could be."""
        envelopes, told = self._waiting.popleft()
        commits: Commits = []
        try:
            is_whole = await self._take_batch(envelopes, commits)
        except Exception as error:  # noqa: BLE001 - what is not answered for would keep the link waiting for ever
            _log.exception("envelopes_not_taken", error=type(error).__name__)
            is_whole = False
        # Whatever was submitted is waited for: nothing of it may be under way when the rest comes again.
        stored = [envelope for envelope, commit in commits if await commit.wait() is None]
        if stored:
            told(stored)
        return is_whole and len(stored) == len(commits)

    async def _take_batch(self, envelopes: list[Envelope], commits: Commits) -> bool:
        """Take envelopes in order, and add to `commits` those whose mark is submitted; whether that are all."""
        for envelope in envelopes:
            if not envelope.is_held:
                self._take_transient(envelope)
                continue
            stanzas = list(self._stanzas_of(envelope))
            is_message = envelope.kind == "message"
            first = stanzas[:-1] if is_message else stanzas
            # What is stored by itself needs the marks of what came before, and its own mark comes last.
            if first and not (await _are_stored(commits) and await self._take_unmarked(envelope, first)):
                return False
            watermark = Watermark(envelope.origin, envelope.epoch, envelope.sequence, envelope.after)
            commit = Commit()
            if is_message and stanzas:
                self._messages.arrive(stanzas[-1], watermark, commit.settle)
            else:
                self._mark(watermark, commit.settle)
            commits.append((envelope, commit))
        return True

    async def _take_unmarked(self, envelope: Envelope, stanzas: list[Stanza]) -> bool:
        """Take what has no mark of its own; whether everything of it is stored."""
        if envelope.kind != "message":
            return await self._take_presence(envelope, stanzas)
        commits = [Commit() for _ in stanzas]
        for stanza, commit in zip(stanzas, commits, strict=True):
            self._messages.arrive(stanza, None, commit.settle)
        return await _are_stored([(envelope, commit) for commit in commits])

    def _mark(self, watermark: Watermark, done: Done) -> None:
        acceptance = Acceptance(self._next_id())
        acceptance.watermark = watermark
        self._custody.accept(acceptance, done)

    async def _take_presence(self, envelope: Envelope, stanzas: list[Stanza]) -> bool:
        try:
            for stanza in stanzas:
                await self._presence.arrive(stanza)
        except Exception as error:  # noqa: BLE001 - the store may fail; the envelope comes again
            _log.warning("presence_not_stored", origin=envelope.origin, sequence=envelope.sequence, error=str(error))
            return False
        return True

    def _take_transient(self, envelope: Envelope) -> None:
        for stanza in self._stanzas_of(envelope):
            if stanza.kind == "iq":
                self._iqs.arrive(stanza)

    def _stanzas_of(self, envelope: Envelope) -> Iterator[Stanza]:
        """The stanzas of an envelope, but for those whose bytes are something else: a stolen site may send anything."""
        for stanza in stanzas_of(envelope):
            if self._inspector.is_sound(stanza):
                yield stanza
                continue
            self._unsound += 1
            now = asyncio.get_running_loop().time()
            if now >= self._unsound_logged_at + _UNSOUND_LOG_SECONDS:
                self._unsound_logged_at = now
                _log.warning("security_unsound_stanza", origin=envelope.origin, sender=envelope.sender)

    # Answers.

    async def on_refused(self, refused: Sequence[Refused]) -> list[Refused]:
        """The hub has refused envelopes: their senders get errors; return those that could not be stored."""
        answers = [(each, [self._tell_sender(stanza) for stanza in self._errors(*each)]) for each in refused]
        return [each for each, commits in answers if any([await commit.wait() for commit in commits])]

    def _errors(self, envelope: Envelope, refusal: Refusal) -> Iterator[Stanza]:
        condition = _CONDITIONS.get(refusal.condition, StanzaCondition.UNDEFINED_CONDITION)
        _log.info("envelope_refused", sequence=envelope.sequence, condition=condition.value, kind=envelope.kind)
        for stanza in stanzas_of(envelope):
            if stanza.type == "error" or (stanza.kind == "presence" and stanza.type in _SHOWN_TO_NOBODY):
                continue
            if condition is not StanzaCondition.ITEM_NOT_FOUND:
                yield stanza.error(StanzaError(condition, text=refusal.text))
            elif stanza.kind == "message":
                # RFC 6121 section 8.5.1: what there is to say of an account that does not exist; of presence, nothing.
                yield stanza.error(StanzaError(StanzaCondition.SERVICE_UNAVAILABLE))

    def _tell_sender(self, answer: Stanza) -> Commit:
        commit = Commit()
        if answer.kind == "message":
            self._messages.inject(answer, commit.settle)
        else:
            self._presence.deliver(answer)
            commit.settle(None)
        return commit

    def on_undeliverable(self, undeliverable: Undeliverable) -> None:
        """A transient envelope could not be passed on."""
        condition = _CONDITIONS.get(undeliverable.condition, StanzaCondition.REMOTE_SERVER_TIMEOUT)
        try:
            sender, recipient = JID.parse(undeliverable.sender), JID.parse(undeliverable.recipient)
        except InvalidJID:
            return
        self._iqs.undeliverable(sender, recipient, undeliverable.id, condition)

    def on_home_answer(self, answer: HomeAnswer) -> None:
        """Where an account lives."""
        self._homes.answered(answer)

    # State.

    def on_presence(self, presence: list[AccountPresence]) -> None:
        """News of accounts that are watched here."""
        for account in presence:
            self._learn(account)

    def _learn(self, presence: AccountPresence) -> None:
        self._remote.learned(
            presence.account, {available.resource: available.stanza for available in presence.resources}
        )

    def on_interest(self, interest: InterestChange) -> None:
        """Somebody elsewhere has begun to watch accounts of ours."""
        for account, _ in interest.added:
            self._remote.publish(account)

    def on_accounts(self, change: AccountChange) -> None:
        """The hub replicates a change of our own accounts."""
        self._replica.take(change)


async def _are_stored(commits: Commits) -> bool:
    """Wait for all; whether all succeeded."""
    outcomes = [await commit.wait() for _, commit in commits]
    return not any(outcomes)
