from dataclasses import replace

import pytest
from annotated_types import Le

from cascade.codec import encode_envelope
from cascade.envelope import ENVELOPE_BYTES_MAX
from edge_node.listeners.settings import ConnectionSettings
from edge_node.uplink.envelopes import envelope_of
from tests.unit.cascade.envelopes import held, transient
from xmpp.cutter import ElementCutter, Limits
from xmpp.element import ClarkNames
from xmpp.jid import JID
from xmpp.stanza import Stanza

STANZA_BYTES_MAX = next(
    int(bound.le)  # type: ignore[call-overload]  # bounds are of any type that can be compared
    for bound in ConnectionSettings.model_fields["stanza_size_bytes_max"].metadata
    if isinstance(bound, Le)
)


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


def test_whatever_a_client_chooses_is_weighed() -> None:
    plain = held(1).size_bytes
    assert replace(held(1), id="i" * 5000).size_bytes >= plain + 5000
    assert replace(held(1), payloads=("{x}" + "n" * 70,) * 100).size_bytes >= plain + 7000


def test_the_size_does_not_change_by_encoding() -> None:
    envelope = held(1, size=500)
    before = envelope.size_bytes
    encode_envelope(envelope)
    assert envelope.size_bytes == before > 500


@pytest.mark.parametrize(
    "stanza",
    [
        f"<message xmlns:p='{'n' * 65_000}'>{'<p:q/>' * 16}</message>",
        f"<message xmlns:p='{'ü' * 200_000}'>{'<p:q/>' * 2}<body>{'x' * 600_000}</body></message>",
        f"<message id='{'i' * 500_000}'><body>{'x' * 500_000}</body></message>",
    ],
    ids=["names", "long names", "id"],
)
def test_no_client_can_make_one_that_no_frame_carries(stanza: str) -> None:
    limits = Limits(stanza_size_bytes_max=STANZA_BYTES_MAX)
    (parsed,) = ElementCutter(limits, ClarkNames()).feed(stanza.encode())
    assert isinstance(parsed, Stanza)
    longest = JID.parse(f"{'a' * 1023}@{'d' * 63}/{'r' * 1023}")
    parsed.to = parsed.sender = longest
    envelope = envelope_of(parsed, origin="paris", epoch=2**62, sequence=2**62, sent_us=2**62)
    assert len(encode_envelope(envelope)) < ENVELOPE_BYTES_MAX
