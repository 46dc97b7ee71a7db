"""Stanzas to envelopes and back; the payload is not looked at."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.codec import decode_envelope, encode_envelope
from cascade.envelope import Envelope
from cascade.frame import Account as ReplicatedAccount
from edge_node.accounts.store import Account
from xmpp.jid import JID, InvalidJID
from xmpp.sasl import ScramVerifier
from xmpp.stanza import Stanza


def envelope_of(
    stanza: Stanza, *, origin: str, epoch: int, sequence: int, sent_us: int, deadline_ms: int = 0
) -> Envelope:
    """Wrap a stanza whose `sender` and `to` are certain.

    Args:
        stanza: to be sent away.
        origin: name of this site.
        epoch: of its outbox.
        sequence: in its outbox; 0 for a transient one.
        sent_us: when this site took custody.
        deadline_ms: for a transient one.
    """
    return Envelope(
        origin=origin,
        epoch=epoch,
        sequence=sequence,
        sender="" if stanza.sender is None else stanza.sender.full,
        recipients=() if stanza.to is None else (stanza.to.full,),
        kind=stanza.kind,
        type=stanza.type,
        id=stanza.id,
        language=stanza.lang,
        payloads=stanza.payloads,
        declarations=stanza.declarations,
        inner=stanza.inner,
        sent_us=sent_us,
        deadline_ms=deadline_ms,
    )


def renewed(encoded: bytes, epoch: int) -> bytes:
    """An envelope of the outbox as one of another epoch."""
    return encode_envelope(replace(decode_envelope(encoded), epoch=epoch, encoded=b""))


def stanzas_of(envelope: Envelope) -> Iterator[Stanza]:
    """One stanza for each recipient; addresses that are none (which no edge sends) are passed over."""
    for sender in _addresses(envelope.sender):
        for recipient in _addresses(*envelope.recipients):
            yield Stanza(
                envelope.kind,
                envelope.type,
                envelope.id,
                recipient,
                sender,
                envelope.language,
                envelope.payloads,
                envelope.inner,
                envelope.declarations,
            )


def _addresses(*texts: str) -> Iterator[JID]:
    for text in texts:
        try:
            yield JID.parse(text)
        except InvalidJID:
            continue


def account_of(account: ReplicatedAccount) -> Account:
    """An account as the hub replicates it, as this site keeps it."""
    return Account(
        local=account.local,
        disabled=account.is_disabled,
        verifiers=tuple(
            ScramVerifier(verifier.hash, verifier.salt, verifier.iterations, verifier.stored_key, verifier.server_key)
            for verifier in account.verifiers
        ),
        display_name=account.display_name,
    )
