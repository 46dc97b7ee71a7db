"""What leaves this site: held messages through the outbox, transient IQs, presence that somebody watches."""

from collections.abc import Callable, Mapping

from cascade.codec import encode_envelope
from cascade.envelope import Envelope
from cascade.frame import AccountPresence, AvailableResource
from edge_node.custody import Acceptance, Custody
from edge_node.pipeline.messages import OUTBOX_FULL
from edge_node.uplink.alone import NoLink
from edge_node.uplink.envelopes import envelope_of
from edge_node.uplink.link import Link
from edge_node.uplink.store import OutboxStore
from edge_node.uplink.waiting import Commit
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.stanza import Stanza


class Departures:
    """The outbound half of the uplink, under the ports that the pipeline and presence have for it."""

    def __init__(
        self,
        *,
        site: str,
        is_open: bool,
        store: OutboxStore,
        envelopes_max: int,
        bytes_max: int,
        custody: Custody,
        next_id: Callable[[], int],
        deadline_seconds: float,
    ) -> None:
        """Compose it.

        Args:
            site: our name.
            is_open: whether there are other sites: without an uplink there is nobody to leave for.
            store: our outbox.
            envelopes_max: that the outbox may hold; what is more is refused.
            bytes_max: the same in bytes.
            custody: for what is held without being a message.
            next_id: strictly increasing, microseconds of wall clock.
            deadline_seconds: how long the answer to an IQ is worth anything.
        """
        self._site = site
        self.is_open = is_open
        """Whether anything may leave, now or when the link is up."""
        self._store = store
        self._envelopes_max = envelopes_max
        self._bytes_max = bytes_max
        self._epoch = store.epoch
        self._sequence = store.last_sequence
        self._link: Link = NoLink()
        self._custody = custody
        self._next_id = next_id
        self._deadline_ms = int(deadline_seconds * 1000)
        self._promised: dict[int, Envelope] = {}

    def connect(self, link: Link) -> None:
        """Name the link.  Called once, by the composer, if there is one."""
        self._link = link

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be promised: too many envelopes wait for the hub, or too much."""
        store = self._store
        return store.envelopes + len(self._promised) >= self._envelopes_max or store.size_bytes >= self._bytes_max

    @property
    def oldest_us(self) -> int:
        """When the oldest of them was promised; 0: none waits."""
        return self._link.oldest_us

    # Held: edge_node.pipeline.messages.Outbox and HeldSender.

    def promise(self, stanza: Stanza, id: int) -> tuple[int, bytes]:
        """Give a stanza the next sequence; it leaves after `committed`."""
        self._sequence += 1
        envelope = envelope_of(stanza, origin=self._site, epoch=self._epoch, sequence=self._sequence, sent_us=id)
        self._promised[self._sequence] = envelope
        return self._sequence, encode_envelope(envelope)

    def committed(self, sequence: int) -> None:
        """The envelope is in the outbox."""
        self._link.offer(self._promised.pop(sequence))

    def abandoned(self, sequence: int) -> None:
        """The envelope will not be; a gap in the sequences is allowed."""
        self._promised.pop(sequence, None)

    def require_room(self) -> None:
        """Ask before a client's stanza is to be held; what the server itself has to say is held all the same.

        Raises:
            StanzaError: the outbox is full.
        """
        if self.is_full:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT, text=OUTBOX_FULL)

    async def hold(self, stanza: Stanza) -> None:
        """Put a stanza that is no message into the outbox; return once it is there, durably.

        Raises:
            StanzaError: the store cannot take it now.
        """
        acceptance = Acceptance(self._next_id())
        acceptance.envelope = self.promise(stanza, acceptance.id)
        sequence = acceptance.envelope[0]
        commit = Commit()

        def done(error: Exception | None) -> None:
            if error is None:
                self.committed(sequence)
            else:
                self.abandoned(sequence)
            commit.settle(error)

        self._custody.accept(acceptance, done)
        if await commit.wait() is not None:
            raise StanzaError(StanzaCondition.RESOURCE_CONSTRAINT)

    # Transient: edge_node.routing.router.Uplink.

    def send_transient(self, stanza: Stanza) -> bool:
        """Send it if the link is up; False if not."""
        return self._link.offer_transient(
            envelope_of(
                stanza,
                origin=self._site,
                epoch=self._epoch,
                sequence=0,
                sent_us=self._next_id(),
                deadline_ms=self._deadline_ms,
            )
        )

    # State: edge_node.features.presence.remote.PresenceLink.

    def watch(self, account: str) -> None:
        """Ask for the presence of an account elsewhere."""
        self._link.watch(account)

    def unwatch(self, account: str) -> None:
        """Take one `watch` back."""
        self._link.unwatch(account)

    def is_asked_for(self, account: str) -> bool:
        """Whether somebody elsewhere watches this account of ours."""
        return self._link.is_asked_for(account)

    def publish(self, account: str, version: int, resources: Mapping[str, bytes]) -> None:
        """Say the whole presence of an account of ours."""
        available = tuple(AvailableResource(resource, stanza) for resource, stanza in resources.items())
        self._link.publish(AccountPresence(account, version, available))
