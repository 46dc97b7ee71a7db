from importlib.metadata import version

from edge_node.features import software_version
from edge_node.pipeline.feature import Query, Request, To
from tests.support.edge import Edge, jid, parse
from xmpp.stanza import Stanza

ASK = '<iq type="get" id="v" to="corp.example"><query xmlns="jabber:iq:version"/></iq>'


async def test_tells_name_and_version_and_not_the_operating_system(edge: Edge) -> None:
    answer = await (await edge.login("anna", "phone")).ask(ASK)
    told = {element.local: element.text for element in answer.elements()[0].elements}
    assert told == {"name": "Chappe", "version": version("chappe")}


def test_tells_the_operating_system_where_it_may() -> None:
    handler = software_version.feature("1", "Linux").iq[Query("get", software_version.QUERY, To.SERVER)]
    answer = handler(Request(parse(ASK), jid("anna/phone"), None, None))
    assert isinstance(answer, Stanza)
    assert [element.text for element in answer.elements()[0].elements] == ["Chappe", "1", "Linux"]
