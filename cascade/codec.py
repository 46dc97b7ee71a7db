"""Envelopes and frames to and from their wire form; the only place that speaks protobuf.

Rule: an envelope is encoded once.  Its origin encodes it for the outbox, and everybody who passes it on puts the same
bytes into the next frame: a serialized message may be joined from its serialized fields, so ``hub_sequence`` is
appended and a frame is put together without touching what it carries.
"""

from collections.abc import Iterable

from google.protobuf.message import DecodeError

from cascade.envelope import ENVELOPE_BYTES_MAX, Envelope, Kind
from cascade.frame import (
    Account,
    AccountChange,
    AccountPresence,
    Acknowledgement,
    AvailableResource,
    Frame,
    Heartbeat,
    Hello,
    HomeAnswer,
    InterestChange,
    Refusal,
    Undeliverable,
    Verifier,
    Welcome,
)
from cascade.v1 import link_pb2 as pb
from cascade.wire import MalformedFrame, check_numbers, varint

_KIND_TO_WIRE: dict[Kind, pb.Kind] = {"message": pb.KIND_MESSAGE, "presence": pb.KIND_PRESENCE, "iq": pb.KIND_IQ}
_KIND_FROM_WIRE: dict[int, Kind] = {wire: kind for kind, wire in _KIND_TO_WIRE.items()}

_LENGTH_DELIMITED = 2
_ENVELOPES_TAG = bytes([pb.LinkFrame.ENVELOPES_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_HUB_SEQUENCE_TAG = varint(pb.Envelope.HUB_SEQUENCE_FIELD_NUMBER << 3)


# ------------------------------------------------------------------------------------------------------- envelopes


def encode_envelope(envelope: Envelope) -> bytes:
    """Return the wire form without ``hub_sequence``: what an outbox and a spool store.  Made once, then remembered."""
    encoded = envelope.encoded
    if not encoded:
        encoded = envelope.encoded = pb.Envelope(
            sequence=envelope.sequence,
            origin=envelope.origin,
            epoch=envelope.epoch,
            sender=envelope.sender,
            recipients=envelope.recipients,
            kind=_KIND_TO_WIRE[envelope.kind],
            type=envelope.type or "",
            id=envelope.id or "",
            language=envelope.language or "",
            payloads=envelope.payloads,
            declarations=envelope.declarations,
            inner=envelope.inner,
            sent_us=envelope.sent_us,
            deadline_ms=envelope.deadline_ms,
            trace=envelope.trace,
        ).SerializeToString()
    return encoded


def decode_envelope(data: bytes) -> Envelope:
    """Read one stored envelope.

    Raises:
        MalformedFrame: the bytes are no envelope.

    """
    try:
        wire = pb.Envelope.FromString(data)
    except DecodeError as error:
        raise MalformedFrame(f"not an envelope: {error}") from error
    envelope = _envelope(wire)
    envelope.encoded = data
    return envelope


def _envelope(wire: pb.Envelope) -> Envelope:
    kind = _KIND_FROM_WIRE.get(wire.kind)
    if kind is None:
        raise MalformedFrame(f"an envelope of kind {wire.kind}")
    check_numbers(wire.sequence | wire.epoch | wire.sent_us)
    return Envelope(
        sequence=wire.sequence,
        origin=wire.origin,
        epoch=wire.epoch,
        sender=wire.sender,
        recipients=tuple(wire.recipients),
        kind=kind,
        type=wire.type or None,
        id=wire.id or None,
        language=wire.language or None,
        payloads=tuple(wire.payloads),
        declarations=wire.declarations,
        inner=wire.inner,
        sent_us=wire.sent_us,
        deadline_ms=wire.deadline_ms,
        trace=wire.trace,
        hub_sequence=wire.hub_sequence,
    )


# ---------------------------------------------------------------------------------------------------------- frames


def encode_frame(frame: Frame) -> bytes:
    """Return the wire form of a frame."""
    parts = [_encode_control(frame)] if _has_control(frame) else []
    for envelope in frame.envelopes:
        encoded = envelope.encoded or encode_envelope(envelope)
        if envelope.hub_sequence:
            encoded += _HUB_SEQUENCE_TAG + varint(envelope.hub_sequence)
        parts += (_ENVELOPES_TAG, varint(len(encoded)), encoded)
    return b"".join(parts)


def decode_frame(data: bytes, *, keeps_encoded: bool = False) -> Frame:
    """Read a frame.

    Args:
        data: what the peer sent.
        keeps_encoded: remember each envelope's wire form, for one who is going to pass it on.

    Raises:
        MalformedFrame: the bytes are no frame, or one that breaks a bound of the contract.

    """
    try:
        wire = pb.LinkFrame.FromString(data)
    except DecodeError as error:
        raise MalformedFrame(f"not a frame: {error}") from error
    frame = _decode_control(wire)
    for wire_envelope in wire.envelopes:
        if keeps_encoded:
            wire_envelope.ClearField("hub_sequence")  # whoever passes it on gives it
        envelope = _envelope(wire_envelope)
        if keeps_encoded:
            envelope.encoded = wire_envelope.SerializeToString()
            if len(envelope.encoded) > ENVELOPE_BYTES_MAX:
                raise MalformedFrame(f"an envelope of {len(envelope.encoded)} bytes")
        frame.envelopes.append(envelope)
    return frame


def _has_control(frame: Frame) -> bool:
    return bool(
        frame.acknowledgement
        or frame.presence
        or frame.heartbeat
        or frame.interest
        or frame.undeliverable
        or frame.hello
        or frame.welcome
        or frame.credit
        or frame.accounts
        or frame.accounts_held is not None
        or frame.drain_ms is not None
        or frame.home_questions
        or frame.home_answers
    )


def _encode_control(frame: Frame) -> bytes:
    """Everything of a frame but its envelopes."""
    wire = pb.LinkFrame(
        presence=[_presence_to_wire(presence) for presence in frame.presence],
        undeliverable=[_undeliverable_to_wire(item) for item in frame.undeliverable],
        home_questions=[pb.HomeQuestion(account=account) for account in frame.home_questions],
        home_answers=[_answer_to_wire(answer) for answer in frame.home_answers],
    )
    _encode_greeting(frame, wire)
    if (acknowledgement := frame.acknowledgement) is not None:
        wire.acknowledgement.SetInParent()
        wire.acknowledgement.up_to = acknowledgement.up_to
        wire.acknowledgement.refusals.extend(_refusals_to_wire(acknowledgement.refusals))
    if frame.credit:
        wire.credit.envelopes = frame.credit
    if frame.accounts is not None:
        wire.accounts.CopyFrom(_accounts_to_wire(frame.accounts))
    if frame.accounts_held is not None:
        wire.accounts_held.SetInParent()
        wire.accounts_held.version = frame.accounts_held
    if (interest := frame.interest) is not None:
        wire.interest.SetInParent()
        wire.interest.full = interest.is_full
        wire.interest.more = interest.has_more
        wire.interest.added.extend(account for account, _ in interest.added)
        wire.interest.versions.extend(version for _, version in interest.added)
        wire.interest.removed.extend(interest.removed)
    if (heartbeat := frame.heartbeat) is not None:
        wire.heartbeat.SetInParent()
        wire.heartbeat.sent_us = heartbeat.sent_us
        wire.heartbeat.reply = heartbeat.is_reply
    if frame.drain_ms is not None:
        wire.drain.SetInParent()
        wire.drain.reconnect_after_ms = frame.drain_ms
    return wire.SerializeToString()


def _encode_greeting(frame: Frame, wire: pb.LinkFrame) -> None:
    if (hello := frame.hello) is not None:
        wire.hello.CopyFrom(
            pb.Hello(
                protocol=hello.protocol,
                site=hello.site,
                epoch=hello.epoch,
                accounts_version=hello.accounts_version,
                window_envelopes=hello.window_envelopes,
                software=hello.software,
                acknowledged=hello.acknowledged,
            )
        )
    if (welcome := frame.welcome) is not None:
        wire.welcome.CopyFrom(
            pb.Welcome(
                protocol=welcome.protocol,
                domain=welcome.domain,
                met=welcome.met,
                window_envelopes=welcome.window_envelopes,
                software=welcome.software,
            )
        )


def _refusals_to_wire(refusals: Iterable[Refusal]) -> list[pb.Refusal]:
    return [
        pb.Refusal(
            sequence=refusal.sequence, condition=refusal.condition, text=refusal.text, recipients=refusal.recipients
        )
        for refusal in refusals
    ]


def _undeliverable_to_wire(item: Undeliverable) -> pb.Undeliverable:
    return pb.Undeliverable(
        sender=item.sender,
        recipient=item.recipient,
        kind=_KIND_TO_WIRE[item.kind],
        id=item.id,
        condition=item.condition,
    )


def _answer_to_wire(answer: HomeAnswer) -> pb.HomeAnswer:
    return pb.HomeAnswer(
        account=answer.account, site=answer.site, client_host=answer.client_host, client_port=answer.client_port
    )


def _presence_to_wire(presence: AccountPresence) -> pb.AccountPresence:
    return pb.AccountPresence(
        account=presence.account,
        version=presence.version,
        resources=[
            pb.AvailableResource(resource=resource.resource, stanza=resource.stanza) for resource in presence.resources
        ],
    )


def _accounts_to_wire(change: AccountChange) -> pb.AccountChange:
    return pb.AccountChange(
        version=change.version,
        full=change.is_full,
        more=change.has_more,
        upserted=[
            pb.Account(
                local=account.local,
                disabled=account.is_disabled,
                display_name=account.display_name,
                verifiers=[
                    pb.Verifier(
                        hash=verifier.hash,
                        salt=verifier.salt,
                        iterations=verifier.iterations,
                        stored_key=verifier.stored_key,
                        server_key=verifier.server_key,
                    )
                    for verifier in account.verifiers
                ],
            )
            for account in change.upserted
        ],
        removed=change.removed,
    )


def _decode_control(wire: pb.LinkFrame) -> Frame:
    has = wire.HasField
    check_numbers(wire.accounts_held.version | wire.acknowledgement.up_to)
    return Frame(
        hello=_hello(wire.hello) if has("hello") else None,
        welcome=_welcome(wire.welcome) if has("welcome") else None,
        acknowledgement=_acknowledgement(wire.acknowledgement) if has("acknowledgement") else None,
        credit=wire.credit.envelopes,
        accounts=_accounts(wire.accounts) if has("accounts") else None,
        accounts_held=wire.accounts_held.version if has("accounts_held") else None,
        interest=_interest(wire.interest) if has("interest") else None,
        presence=[_presence(presence) for presence in wire.presence],
        undeliverable=[_undeliverable(item) for item in wire.undeliverable],
        heartbeat=Heartbeat(wire.heartbeat.sent_us, wire.heartbeat.reply) if has("heartbeat") else None,
        drain_ms=wire.drain.reconnect_after_ms if has("drain") else None,
        home_questions=[question.account for question in wire.home_questions],
        home_answers=[
            HomeAnswer(answer.account, answer.site, answer.client_host, answer.client_port)
            for answer in wire.home_answers
        ],
    )


def _hello(wire: pb.Hello) -> Hello:
    check_numbers(wire.epoch | wire.acknowledged | wire.accounts_version)
    return Hello(
        protocol=wire.protocol,
        site=wire.site,
        epoch=wire.epoch,
        acknowledged=wire.acknowledged,
        accounts_version=wire.accounts_version,
        window_envelopes=wire.window_envelopes,
        software=wire.software,
    )


def _welcome(wire: pb.Welcome) -> Welcome:
    check_numbers(wire.met)
    return Welcome(
        protocol=wire.protocol,
        domain=wire.domain,
        met=wire.met,
        window_envelopes=wire.window_envelopes,
        software=wire.software,
    )


def _acknowledgement(wire: pb.Acknowledgement) -> Acknowledgement:
    return Acknowledgement(
        wire.up_to,
        tuple(
            Refusal(refusal.sequence, refusal.condition, refusal.text, tuple(refusal.recipients))
            for refusal in wire.refusals
        ),
    )


def _interest(wire: pb.InterestChange) -> InterestChange:
    if wire.versions and len(wire.versions) != len(wire.added):
        raise MalformedFrame("an interest whose versions do not match its accounts")
    versions = wire.versions or [0] * len(wire.added)
    check_numbers(max(versions, default=0))
    return InterestChange(tuple(zip(wire.added, versions, strict=True)), tuple(wire.removed), wire.full, wire.more)


def _presence(wire: pb.AccountPresence) -> AccountPresence:
    check_numbers(wire.version)
    return AccountPresence(
        wire.account,
        wire.version,
        tuple(AvailableResource(resource.resource, resource.stanza) for resource in wire.resources),
    )


def _undeliverable(wire: pb.Undeliverable) -> Undeliverable:
    kind = _KIND_FROM_WIRE.get(wire.kind)
    if kind is None:
        raise MalformedFrame(f"an undeliverable of kind {wire.kind}")
    return Undeliverable(wire.sender, wire.recipient, kind, wire.id, wire.condition)


def _accounts(wire: pb.AccountChange) -> AccountChange:
    check_numbers(wire.version)
    return AccountChange(
        version=wire.version,
        upserted=tuple(
            Account(
                local=account.local,
                is_disabled=account.disabled,
                verifiers=tuple(
                    Verifier(
                        verifier.hash, verifier.salt, verifier.iterations, verifier.stored_key, verifier.server_key
                    )
                    for verifier in account.verifiers
                ),
                display_name=account.display_name,
            )
            for account in wire.upserted
        ),
        removed=tuple(wire.removed),
        is_full=wire.full,
        has_more=wire.more,
    )
