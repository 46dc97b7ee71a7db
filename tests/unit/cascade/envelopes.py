"""Envelopes and frames for the tests of the cascade."""

from cascade.envelope import Envelope


def held(sequence: int, *, origin: str = "paris", epoch: int = 1, to: str = "chloe@lyon", size: int = 2) -> Envelope:
    return Envelope(
        origin=origin,
        epoch=epoch,
        sequence=sequence,
        sender=f"anna@{origin}",
        recipients=(to,),
        kind="message",
        inner=b"x" * size,
    )


def transient(identifier: str = "q", *, origin: str = "paris", to: str = "chloe@lyon") -> Envelope:
    return Envelope(
        origin=origin, epoch=1, sender=f"anna@{origin}", recipients=(to,), kind="iq", id=identifier, deadline_ms=9
    )


def sequences(envelopes: list[Envelope]) -> list[int]:
    return [envelope.sequence for envelope in envelopes]
