import pytest

from edge_node.custody import Acceptance
from edge_node.pipeline.passage import Passage
from edge_node.pipeline.traits import traits_of
from tests.support.edge import parse
from xmpp.jid import JID


def test_begins_with_nothing_decided() -> None:
    stanza = parse('<message to="anna@corp.example"><body>hi</body></message>')
    passage = Passage(stanza, None, traits_of(stanza.type, stanza.payloads), Acceptance(7))
    assert (passage.recipient, passage.account, passage.targets, passage.promises) == (None, None, (), None)
    assert (passage.rendered, passage.delivered, passage.flags) == (b"", b"", 0)
    assert not passage.is_archived_for_sender


@pytest.mark.parametrize(
    ("payload", "id_", "is_missed", "has_stanza"),
    [
        ("<body>hi</body>", 0, True, True),
        ("<body>hi</body>", 7, True, False),
        ('<active xmlns="http://jabber.org/protocol/chatstates"/>', 0, False, False),
    ],
)
def test_a_queue_remembers_what_it_takes_to_find_another_way(
    payload: str, id_: int, is_missed: bool, has_stanza: bool
) -> None:
    stanza = parse(f'<message to="anna@corp.example" type="chat">{payload}</message>')
    passage = Passage(stanza, None, traits_of(stanza.type, stanza.payloads), Acceptance(7))
    delivery = passage.delivery(JID.parse("anna@corp.example"), id_)
    assert (delivery.id, delivery.is_missed, delivery.stanza is stanza) == (id_, is_missed, has_stanza)
    assert not delivery.is_settled
