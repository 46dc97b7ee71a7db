"""Sessions that come back: after a lost connection, and after the death of the core.

A session rebuilt by a restarted core is *dormant*: its contacts go on seeing it, but nothing is sent to it, because
how much its client has had is not known until the client (XEP-0198) or the listener (backplane) says so.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from edge_node.backplane.ports import Channel, Reattachment
from edge_node.core.checkpoint import restore
from edge_node.core.lifecycle import Lifecycle
from edge_node.custody import Custody
from edge_node.features.offline.handover import Handover
from edge_node.features.offline.store import DeliveryStore, Undelivered
from edge_node.pipeline.messages import Journal
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session, SessionLimits
from edge_node.sessions.store import SessionRecord
from xmpp.errors import StreamCondition, StreamError
from xmpp.jid import JID
from xmpp.payloads.stanza_id import render_archive_id
from xmpp.stanza import with_payload


class Left(NamedTuple):
    """What is to be done about a dormant session that has ended."""

    account: str
    key: int
    acknowledged: int
    """The last number that its client had certainly had."""
    done: asyncio.Event


class Revival:
    """Rebuilds sessions and gives them back to their clients."""

    def __init__(
        self,
        *,
        registry: Registry,
        lifecycle: Lifecycle,
        deliveries: DeliveryStore,
        handover: Handover,
        prepare: Callable[[LocalAccount], Awaitable[None]],
        custody: Custody,
        monotonic: Callable[[], float],
        limits: SessionLimits,
        forget: Callable[[int], None],
        spawn: Callable[[Coroutine[Any, Any, None]], bool],
        journal: Journal,
    ) -> None:
        """Compose it."""
        self._registry = registry
        self._lifecycle = lifecycle
        self._deliveries = deliveries
        self._handover = handover
        self._prepare = prepare
        self._custody = custody
        self._monotonic = monotonic
        self._limits = limits
        self._forget = forget
        self._spawn = spawn
        self._journal = journal
        self._secrets: dict[int, tuple[bytes, str, int]] = {}
        """By key of a session that nobody has claimed: its secret, its account, and how much was taken from it."""
        self._left: deque[Left] = deque()
        self._is_giving_up = False
        self._awakened: Callable[[Session], None] = lambda _: None

    def compose(self, awakened: Callable[[Session], None]) -> None:
        """Name who is told that a dormant session can be sent to again.  Called once, by the composer."""
        self._awakened = awakened

    # After the death of the core.

    async def rebuild(self, records: Sequence[SessionRecord], numbers: Mapping[int, int]) -> None:
        """Make the sessions of the last core anew, all dormant; called once, at start.

        Args:
            records: what the last core kept.
            numbers: by session key, the highest inbound number taken in custody.
        """
        now = self._monotonic()
        for record in sorted(records, key=lambda each: each.key):
            account = self._lifecycle.account(record.account)
            await self._prepare(account)
            session = Session(record.key, account, account.jid.with_resource(record.resource), None, self._limits)
            try:
                restore(session, record.checkpoint)
            except ValueError as error:
                self._journal.failed("restore", error)
                continue
            session.dormant = True
            session.managed = record.managed
            session.resumable = self._limits.resume_seconds
            session.secret = record.secret
            session.detached_at = now
            session.stored(numbers.get(record.key, session.durable))
            session.number_in = session.handled = session.taken_before = session.durable
            self._secrets[record.key] = (record.secret, record.account, session.durable)
            older = account.sessions.get(record.resource)
            if older is not None:  # it had been replaced, and what it had left had not been seen to
                self._registry.remove(older)
                self.give_up(older)
            self._registry.add(session)
            account.presence_changed()
        for owner, row in await self._deliveries.unfulfilled():
            if row.sessions:
                self._handover.give_back(owner, row)

    def number_of(self, key: int, secret: bytes, account: str) -> int | None:
        """How much the last core had taken from a session that cannot be resumed any more (`h` of `<failed/>`)."""
        known = self._secrets.get(key)
        return known[2] if known is not None and known[:2] == (secret, account) else None

    def reattach(self, channel: Channel, state: Reattachment) -> Session | None:
        """A listener has kept a connection open while the core was away; it resends what was not handled.

        Returns:
            The session, or None when nothing is known of it.
        """
        session = self._registry.by_key(state.session_key)
        if session is None or session.jid.full != state.jid.full or not session.dormant:
            return None
        session.number_in = session.handled = state.handled
        if not session.managed:
            session.resumable = 0
        self._wake(session, channel, state.written)
        return session

    def give_up(self, session: Session) -> None:
        """A dormant session has ended: what its client may not have had waits for the account."""
        self._left.append(Left(session.account.bare, session.key, session.number_out, asyncio.Event()))
        self.sweep(0)

    def sweep(self, _now: float) -> None:
        """Housekeeping: see to what dormant sessions have left, also when it could not be done before."""
        if self._left and not self._is_giving_up:
            self._is_giving_up = self._spawn(self._give_up())

    async def _give_up(self) -> None:
        try:
            while self._left:
                left = self._left[0]
                for row in await self._deliveries.delivered_to(left.account, left.key, left.acknowledged):
                    self._handover.give_back(left.account, row)
                self._forget(left.key)  # not before: without its record, nobody would look for these rows again
                self._left.popleft().done.set()
        except Exception as error:  # noqa: BLE001  the store may fail; the next sweep tries again
            self._journal.failed("give_up", error)
        finally:
            self._is_giving_up = False

    async def given_up(self, bare: str) -> None:
        """Return when all that dormant sessions of an account have left waits for it."""
        for left in tuple(self._left):
            if left.account == bare:
                await left.done.wait()

    # Resumption (XEP-0198 section 5).

    def resume(self, session: Session, channel: Channel, previous_id: str, h: int, is_gone: Callable[[], bool]) -> None:
        """Give a session to a new connection.

        Args:
            session: what is resumed.
            channel: of the new connection.
            previous_id: as the client gave it.
            h: what the client has had.
            is_gone: whether the new connection has been lost meanwhile.

        Raises:
            HandledCountTooHigh: the client claims to have had what it was never sent.
        """
        released = session.acknowledge(h)
        older, session.channel = session.channel, None
        if older is not None and older is not channel:
            older.close(StreamError(StreamCondition.CONFLICT, "resumed by another connection"))
        if session.dormant or session.is_behind(h):
            channel.resumed(previous_id, session.number_in, session.jid, session.key)
            self._wake(session, channel, h)
            return
        if session.detached_at is None:
            session.detached_at = self._monotonic()
        self._lifecycle.read(released)

        def settled(_: Exception | None) -> None:
            # Everything taken in before has been dealt with, so the count is final: the store is to have it.
            self._lifecycle.note(session)
            self._custody.barrier(answered)

        def answered(_: Exception | None) -> None:
            if is_gone():
                return
            if session.is_over or session.queue is None or session.channel is not None:
                channel.resumption_refused(None)
            elif session.told != session.handled:
                channel.close(StreamError(StreamCondition.RESOURCE_CONSTRAINT, "the store is not available"))
            else:
                self._give(session, channel, previous_id)

        self._custody.barrier(settled)

    def _give(self, session: Session, channel: Channel, previous_id: str) -> None:
        """Both counts go on; what the client has not had is sent again."""
        session.channel = channel
        session.detached_at = None
        session.number_in = session.handled
        session.early = None
        if session.behind is not None:
            session.behind.clear()  # they come again
        channel.resumed(previous_id, session.handled, session.jid, session.key)
        for _number, (data, _subject) in session.queue.unacknowledged() if session.queue is not None else ():
            channel.deliver(data)

    def _wake(self, session: Session, channel: Channel, received: int) -> None:
        """Send what the store has for the session above `received`, then everything new."""
        self._secrets.pop(session.key, None)
        session.channel = channel
        session.detached_at = None
        if not self._spawn(self._send_missed(session, channel, received)):
            self._lifecycle.end(session, StreamError(StreamCondition.RESOURCE_CONSTRAINT))

    async def _send_missed(self, session: Session, channel: Channel, received: int) -> None:
        bare = session.account.bare
        try:
            missed = await self._deliveries.delivered_to(bare, session.key, received)
        except Exception as error:  # noqa: BLE001  the store may fail; the client comes back
            self._journal.failed("revival", error)
            self._lifecycle.end(session, StreamError(StreamCondition.INTERNAL_SERVER_ERROR))
            return
        if session.is_over or session.channel is not channel:
            return
        held = session.revive(received)
        session.account.presence_changed()
        rendered = partial(with_archive_id, account=session.account.jid)
        places = self._handover.begin(session, missed, rendered)
        for data, subject in held:
            session.deliver(data, subject)
        # In the turn in which it can be sent to again: what has waited meanwhile comes before what comes from now on.
        self._awakened(session)
        await self._handover.send(session, places, rendered)


def with_archive_id(row: Undelivered, account: JID) -> bytes:
    """A stored message as it was first delivered: with the id that it has in the archive, if it is there."""
    return with_payload(row.stanza, render_archive_id(row.id, account)) if row.is_archived else row.stanza
