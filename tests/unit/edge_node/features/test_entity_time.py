from tests.support.edge import Edge
from xmpp.payloads.timestamps import parse_datetime


async def test_tells_the_time_in_utc(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    answer = await anna.ask('<iq type="get" id="t" to="corp.example"><time xmlns="urn:xmpp:time"/></iq>')
    told = {element.local: element.text for element in answer.elements()[0].elements}
    assert told["tzo"] == "+00:00"
    assert parse_datetime(told["utc"]) == edge.clock.now_us()
