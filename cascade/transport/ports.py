"""What a link client needs of its site: a durable outbox, and somebody who takes what comes."""

from collections.abc import Callable, Sequence
from typing import Protocol

from cascade.envelope import Envelope
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

Refused = tuple[Envelope, Refusal]


class OutboxStore(Protocol):
    """Port: the durable outbox.  Rows are the bytes of `cascade.codec.encode_envelope`."""

    async def read(self, after_sequence: int, limit: int, /) -> Sequence[tuple[int, bytes]]:
        """Return at most `limit` rows (sequence, envelope) after a sequence, in order."""
        ...

    async def trim(self, up_to_sequence: int, /) -> None:
        """Delete up to a sequence."""
        ...


class LinkHandler(Protocol):
    """What a site does with what the link brings.  Calls on the loop; they must not raise."""

    def on_linked(self, welcome: Welcome) -> None: ...

    def on_unlinked(self, failure: LinkFailure) -> None:
        """Take note that the link is down.

        After ``regressed`` it stays down: the outbox is an old copy, and this process has to be started again with a
        store of a new epoch.
        """
        ...

    def on_envelopes(self, envelopes: list[Envelope], stored: Callable[[Sequence[Envelope]], None]) -> None:
        """Take envelopes, none of them a duplicate.

        Held ones are stored in this order, each only if the one that it is `Envelope.after` is; then `stored` is called
        with those that are, in any number of steps, and also when the link that brought them is gone.  If storing
        fails, call `LinkClient.store_failed` after that.  Transient ones need no answer.
        """
        ...

    def on_presence(self, presence: list[AccountPresence]) -> None: ...

    def on_interest(self, interest: InterestChange) -> None:
        """Publish (`LinkClient.publish`) the present state of each added account, if it is newer than its version."""
        ...

    def on_accounts(self, change: AccountChange) -> None: ...

    def on_home_answer(self, answer: HomeAnswer) -> None: ...

    async def on_refused(self, refused: Sequence[Refused]) -> list[Refused]:
        """Make a stanza error for the sender of each envelope, whose recipients are those that the refusal is about.

        Return, once the others are durable, those that could not be stored: they are given again after a while.
        May be called twice for the same envelope when the process dies before its outbox is trimmed.
        """
        ...

    def on_undeliverable(self, undeliverable: Undeliverable) -> None: ...
