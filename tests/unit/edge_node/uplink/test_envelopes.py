import pytest

from cascade.codec import decode_envelope, encode_envelope
from cascade.frame import Account, Verifier
from edge_node.uplink.envelopes import account_of, envelope_of, renewed, stanzas_of
from tests.support.edge import jid, parse
from xmpp.sasl import derive
from xmpp.stanza import Stanza

STANZAS = [
    '<message to="david@corp.example" type="chat" id="1" xml:lang="fr"><body>ça va</body><x xmlns="urn:x"/></message>',
    "<message to='david@corp.example/pad'/>",
    '<presence to="david@corp.example" type="subscribe"><status>hello</status></presence>',
    '<iq to="david@corp.example/pad" type="get" id="ping"><ping xmlns="urn:xmpp:ping"/></iq>',
    '<message xmlns:p="urn:p" to="david@corp.example"><p:thing p:at="1"/></message>',
]


@pytest.mark.parametrize("text", STANZAS)
def test_a_stanza_arrives_as_it_left(text: str) -> None:
    stanza = parse(text)
    stanza.sender = jid("anna/phone")
    envelope = envelope_of(stanza, origin="paris", epoch=3, sequence=7, sent_us=5)
    (arrived,) = stanzas_of(decode_envelope(encode_envelope(envelope)))
    assert arrived == stanza
    assert arrived.render() == stanza.render()
    assert (envelope.origin, envelope.epoch, envelope.sequence, envelope.sent_us) == ("paris", 3, 7, 5)


def test_without_a_sequence_it_is_transient_and_has_a_deadline() -> None:
    stanza = Stanza("iq", "get", "1", jid("david/pad"), jid("anna/phone"))
    envelope = envelope_of(stanza, origin="paris", epoch=3, sequence=0, sent_us=5, deadline_ms=30_000)
    assert (envelope.is_held, envelope.deadline_ms) == (False, 30_000)


def test_each_recipient_gets_a_stanza_of_his_own_and_what_is_no_address_is_passed_over() -> None:
    stanza = Stanza("message", to=jid("david"), sender=jid("anna/phone"), inner=b"<body>all</body>")
    envelope = envelope_of(stanza, origin="paris", epoch=3, sequence=7, sent_us=5)
    envelope = envelope.addressed_to(("david@corp.example", "@", "emil@corp.example/pad"))
    assert [str(each.to) for each in stanzas_of(envelope)] == ["david@corp.example", "emil@corp.example/pad"]


def test_nobody_can_be_written_to_by_nobody() -> None:
    stanza = Stanza("message", to=jid("david"))
    assert list(stanzas_of(envelope_of(stanza, origin="paris", epoch=3, sequence=7, sent_us=5))) == []


def test_an_account_is_kept_as_it_was_replicated() -> None:
    verifiers = [derive("demo", b"salt", 4096, hash_name) for hash_name in ("SHA-1", "SHA-256")]
    replicated = Account(
        "anna",
        is_disabled=True,
        verifiers=tuple(
            Verifier(each.hash_name, each.salt, each.iterations, each.stored_key, each.server_key) for each in verifiers
        ),
        display_name="Anna Petit",
    )
    account = account_of(replicated)
    assert (account.local, account.disabled, account.display_name) == ("anna", True, "Anna Petit")
    assert account.verifiers == tuple(verifiers)


def test_an_envelope_of_another_epoch_is_the_same_otherwise() -> None:
    stanza = parse('<message to="david@corp.example" type="chat" id="m"><body>hello</body></message>')
    stanza.sender = jid("anna/phone")
    encoded = encode_envelope(envelope_of(stanza, origin="paris", epoch=3, sequence=7, sent_us=11))
    before, after = decode_envelope(encoded), decode_envelope(renewed(encoded, 4))
    assert (before.epoch, after.epoch) == (3, 4)
    fields = ("origin", "sequence", "sender", "recipients", "kind", "type", "id", "payloads", "inner", "sent_us")
    assert [getattr(before, field) for field in fields] == [getattr(after, field) for field in fields]
