import pytest

from edge_node.pipeline.feature import Feature, FeatureConflict, Query, Request, To, handlers_of
from tests.support.edge import Edge, jid, parse
from xmpp.stanza import Stanza

PING = Query("get", "{urn:xmpp:ping}ping", To.SERVER)


def answer(request: Request) -> Stanza:
    return request.stanza.result()


def test_handlers_are_in_one_table() -> None:
    other = Query("set", PING.payload, PING.to)
    features = [Feature(name="a", specs=(), iq={PING: answer}), Feature(name="b", specs=(), iq={other: answer})]
    assert handlers_of(features) == {PING: answer, other: answer}


def test_two_features_for_one_query_are_a_conflict_that_names_both() -> None:
    features = [Feature(name=name, specs=(), iq={PING: answer}) for name in ("first", "second")]
    with pytest.raises(FeatureConflict, match=r"first.*second"):
        handlers_of(features)


@pytest.mark.parametrize(("account", "is_own"), [("anna", True), ("bruno", False), (None, False)])
def test_a_request_knows_whether_it_is_about_the_sender(account: str | None, is_own: bool) -> None:
    stanza = parse('<iq type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>')
    request = Request(stanza, jid("anna/phone"), None if account is None else jid(account), None)
    assert request.is_own is is_own
    assert request.payload.name == "{urn:xmpp:ping}ping"


async def test_every_feature_of_the_edge_says_what_it_is(edge: Edge) -> None:
    names = [feature.name for feature in edge.parts.features]
    assert len(names) == len(set(names))
    assert all(feature.specs for feature in edge.parts.features)
