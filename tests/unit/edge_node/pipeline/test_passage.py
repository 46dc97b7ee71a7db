from edge_node.custody import Acceptance
from edge_node.pipeline.passage import Passage
from edge_node.pipeline.traits import traits_of
from tests.support.edge import parse


def test_begins_with_nothing_decided() -> None:
    stanza = parse('<message to="anna@corp.example"><body>hi</body></message>')
    passage = Passage(stanza, None, traits_of(stanza.type, stanza.payloads), Acceptance(7))
    assert (passage.recipient, passage.account, passage.targets, passage.promises) == (None, None, (), None)
    assert (passage.rendered, passage.delivered, passage.flags) == (b"", b"", 0)
    assert not passage.is_archived_for_sender
