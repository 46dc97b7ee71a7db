import pytest

from tests.support.edge import Edge, condition_of


@pytest.mark.parametrize("to", ["", ' to="corp.example"', ' to="anna@corp.example"'])
async def test_is_answered(edge: Edge, to: str) -> None:
    anna = await edge.login("anna", "phone")
    answer = await anna.ask(f'<iq type="get" id="p"{to}><ping xmlns="urn:xmpp:ping"/></iq>')
    assert (answer.type, answer.inner) == ("result", b"")


async def test_is_not_answered_for_another_account(edge: Edge) -> None:
    anna = await edge.login("anna", "phone")
    answer = await anna.ask('<iq type="get" id="p" to="bruno@corp.example"><ping xmlns="urn:xmpp:ping"/></iq>')
    assert condition_of(answer) == "service-unavailable"


async def test_goes_through_to_a_resource(edge: Edge) -> None:
    anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
    anna.send(f'<iq type="get" id="p" to="{bruno.jid}"><ping xmlns="urn:xmpp:ping"/></iq>')
    await edge.settle()
    assert [stanza.id for stanza in bruno.received("iq")] == ["p"]
