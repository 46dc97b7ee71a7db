import pytest

from tests.support.edge import Client, Edge, condition_of
from xmpp import namespaces
from xmpp.payloads import capabilities, disco
from xmpp.payloads.capabilities import verification_string
from xmpp.payloads.data_form import Field
from xmpp.stanza import Stanza

SERVER = "corp.example"
ANNA, BRUNO, CHLOE = "anna@corp.example", "bruno@corp.example", "chloe@corp.example"


async def ask(client: Client, kind: str, to: str = "", node: str | None = None) -> Stanza:
    address = f' to="{to}"' if to else ""
    attribute = "" if node is None else f' node="{node}"'
    query = f'<query xmlns="http://jabber.org/protocol/disco#{kind}"{attribute}/>'
    return await client.ask(f'<iq type="get" id="d"{address}>{query}</iq>')


async def info(client: Client, to: str = "", node: str | None = None) -> disco.Info:
    answer = await ask(client, "info", to, node)
    assert answer.type == "result", answer.inner
    return disco.read_info(answer.elements()[0])


async def items(client: Client, to: str = "", node: str | None = None) -> disco.Items:
    answer = await ask(client, "items", to, node)
    assert answer.type == "result", answer.inner
    return disco.read_items(answer.elements()[0])


def server_capabilities(edge: Edge) -> capabilities.Capabilities:
    elements = [each for feature in edge.parts.features for each in feature.stream_features]
    (found,) = [element for element in elements if element.name == capabilities.NAME]
    return capabilities.Capabilities(found.get("node") or "", found.get("ver") or "", found.get("hash") or "")


class TestServer:
    async def test_says_what_it_is(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        assert (await info(anna, SERVER)).identities == (disco.Identity("server", "im", "Chappe"),)

    async def test_says_what_the_features_declare(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        declared = {name for feature in edge.parts.features for name in feature.server_features}
        said = (await info(anna, SERVER)).features
        assert declared <= set(said)
        assert {namespaces.DISCO_INFO, namespaces.DISCO_ITEMS, namespaces.PING, "msgoffline"} <= set(said)
        assert len(said) == len(set(said))

    async def test_has_no_items_and_no_other_nodes(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        assert await items(anna, SERVER) == disco.Items()
        assert condition_of(await ask(anna, "items", SERVER, "x")) == "item-not-found"
        assert condition_of(await ask(anna, "info", SERVER, "x")) == "item-not-found"

    async def test_names_whom_to_turn_to(self) -> None:
        contact = {
            "abuse": ["mailto:abuse@corp.example"],
            "support": ["xmpp:help@corp.example", "https://corp.example"],
        }
        async with Edge("anna", contact=contact) as edge:
            (form,) = (await info(await edge.login("anna", "phone"), SERVER)).forms
            assert form.form_type == "http://jabber.org/network/serverinfo"
            assert form.fields[1:] == (
                Field("abuse-addresses", ("mailto:abuse@corp.example",), "list-multi"),
                Field("support-addresses", ("xmpp:help@corp.example", "https://corp.example"), "list-multi"),
            )

    async def test_without_contacts_there_is_no_form(self, edge: Edge) -> None:
        assert (await info(await edge.login("anna", "phone"), SERVER)).forms == ()


class TestCapabilities:
    async def test_stand_for_the_answer(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        announced = server_capabilities(edge)
        answer = await info(anna, SERVER, announced.info_node)
        assert (announced.hash, announced.ver) == ("sha-1", verification_string(answer))
        assert answer.node == announced.info_node

    async def test_change_with_it(self, edge: Edge) -> None:
        async with Edge("anna", contact={"admin": ["mailto:admin@corp.example"]}) as other:
            assert server_capabilities(other).ver != server_capabilities(edge).ver


class TestAccount:
    @pytest.mark.parametrize("to", ["", ANNA])
    async def test_ones_own(self, edge: Edge, to: str) -> None:
        anna = await edge.login("anna", "phone")
        answer = await info(anna, to)
        assert answer.identities == (disco.Identity("account", "registered"),)
        archived = {namespaces.ARCHIVE, namespaces.ARCHIVE_EXTENDED, namespaces.ARCHIVE_GROUPCHAT_FIELD}
        assert archived | {namespaces.STANZA_ID} <= set(answer.features)
        assert condition_of(await ask(anna, "info", to, "x")) == "item-not-found"

    async def test_a_contacts(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        assert (await info(anna, BRUNO)).identities == (disco.Identity("account", "registered"),)

    async def test_a_strangers_cannot_be_told_from_none(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        for node in (None, "x"):
            assert condition_of(await ask(anna, "info", CHLOE, node)) == "service-unavailable"
            assert await items(anna, CHLOE, node) == disco.Items(node=node)

    async def test_items_are_the_available_resources(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        await edge.bind("bruno", "silent")
        assert (await items(anna, BRUNO)).items == (disco.Item(bruno.jid),)
        assert (await items(anna)).items == (disco.Item(anna.jid),)
        assert condition_of(await ask(anna, "items", BRUNO, "x")) == "item-not-found"

    async def test_items_of_who_is_away_are_none(self, edge: Edge) -> None:
        assert await items(await edge.login("anna", "phone"), BRUNO) == disco.Items()
