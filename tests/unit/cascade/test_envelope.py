from dataclasses import replace

from cascade.codec import encode_envelope
from tests.unit.cascade.envelopes import held, transient


def test_the_sequence_says_whether_it_is_held() -> None:
    assert held(1).is_held
    assert not transient().is_held


def test_a_copy_for_the_same_recipients_is_the_envelope_itself() -> None:
    envelope = held(1)
    assert envelope.addressed_to(envelope.recipients) is envelope


def test_a_copy_for_fewer_recipients_is_encoded_anew() -> None:
    envelope = replace(held(1), recipients=("a@lyon", "b@nice"))
    encode_envelope(envelope)
    copy = envelope.addressed_to(("b@nice",))
    assert copy.recipients == ("b@nice",)
    assert b"a@lyon" not in encode_envelope(copy)
    assert b"a@lyon" in encode_envelope(envelope)


def test_the_size_does_not_change_by_encoding() -> None:
    envelope = held(1, size=500)
    before = envelope.size_bytes
    encode_envelope(envelope)
    assert envelope.size_bytes == before > 500
