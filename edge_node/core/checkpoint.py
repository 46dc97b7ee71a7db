"""What a session needs beyond its address to be rebuilt, as the bytes kept in its record."""

import msgspec

from edge_node.sessions.session import Session
from xmpp.jid import JID, InvalidJID
from xmpp.stanza import Stanza


class Checkpoint(msgspec.Struct, array_like=True, frozen=True):
    """Version 1; fields are only ever added at the end, with a default."""

    presence: bytes
    """Inner bytes of the last available presence, empty when there is none; see `is_available`."""
    is_available: bool
    payloads: tuple[str, ...]
    language: str
    priority: int
    interested: bool
    carbons: bool
    directed: tuple[str, ...]
    acknowledged: int
    """What the client had had when this was taken (`Session.received_by_client`), modulo 2^32."""
    taken: int = 0
    """The highest number that the store had of what the client sent, modulo 2^32."""
    roster_version: int | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Checkpoint)


def checkpoint_of(session: Session) -> bytes:
    """Write down the state of a session."""
    presence = session.presence
    return _encoder.encode(
        Checkpoint(
            presence=b"" if presence is None else presence.inner,
            is_available=presence is not None,
            payloads=() if presence is None else presence.payloads,
            language="" if presence is None else presence.lang or "",
            priority=session.priority,
            interested=session.interested,
            carbons=session.carbons,
            directed=tuple(jid.full for jid in session.directed or ()),
            acknowledged=session.number_out if session.dormant else session.received_by_client,
            taken=session.durable,
            roster_version=session.roster_version,
        )
    )


def restore(session: Session, data: bytes) -> None:
    """Give a session its state back, and its counts as they were then.

    Raises:
        msgspec.MsgspecError: the bytes are no checkpoint.
    """
    checkpoint = _decoder.decode(data)
    if checkpoint.is_available:
        session.presence = Stanza(
            "presence",
            sender=session.jid,
            lang=checkpoint.language or None,
            payloads=checkpoint.payloads,
            inner=checkpoint.presence,
        )
    session.priority = checkpoint.priority
    session.interested = checkpoint.interested
    session.carbons = checkpoint.carbons
    directed = set()
    for text in checkpoint.directed:
        try:
            directed.add(JID.parse(text))
        except InvalidJID:
            continue
    session.directed = directed or None
    session.number_out = checkpoint.acknowledged
    session.durable = checkpoint.taken
    session.roster_version = checkpoint.roster_version
