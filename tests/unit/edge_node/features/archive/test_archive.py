"""The archive as its owner's clients meet it (XEP-0313)."""

import pytest

from tests.support.edge import Client, Edge, condition_of
from xmpp import namespaces
from xmpp.element import Element
from xmpp.payloads import archive as wire
from xmpp.payloads import data_form, delay
from xmpp.payloads.archive import Fin, read_fin
from xmpp.payloads.timestamps import format_datetime
from xmpp.stanza import Stanza

FORWARDED = f"{{{namespaces.FORWARD}}}forwarded"
MESSAGE = "{jabber:client}message"
BODY = "{jabber:client}body"
NOBODY_KNOWS = f"{1:016x}"


class Reading:
    """What one query brought."""

    def __init__(self, answer: Stanza, messages: list[Stanza]) -> None:
        assert answer.type == "result", answer.inner
        fin = answer.find(wire.FIN)
        assert fin is not None
        self.fin: Fin = read_fin(fin)
        self.messages = messages
        self.results = [stanza.elements()[0] for stanza in messages]
        self.ids = [result.get("id") or "" for result in self.results]
        self.query_ids = {result.get("queryid") for result in self.results}
        self.forwarded = [forwarded for each in self.results if (forwarded := each.find(FORWARDED)) is not None]
        self.stanzas = [stanza for each in self.forwarded if (stanza := each.find(MESSAGE)) is not None]
        self.bodies = [body.text for each in self.stanzas if (body := each.find(BODY)) is not None]


def field(var: str, *values: str) -> str:
    return f'<field var="{var}">{"".join(f"<value>{value}</value>" for value in values)}</field>'


def query(*fields: str, page: str = "", more: str = "") -> str:
    form = "".join(fields)
    if fields:
        form = f'<x xmlns="jabber:x:data" type="submit">{field("FORM_TYPE", "urn:xmpp:mam:2")}{form}</x>'
    if page:
        page = f'<set xmlns="http://jabber.org/protocol/rsm">{page}</set>'
    return f'<query xmlns="urn:xmpp:mam:2" queryid="q1">{form}{page}{more}</query>'


async def ask(client: Client, payload: str, type_: str = "set", to: str = "") -> Stanza:
    address = f' to="{to}"' if to else ""
    return await client.ask(f'<iq type="{type_}" id="a1"{address}>{payload}</iq>')


async def read(client: Client, payload: str) -> Reading:
    client.received()
    answer = await ask(client, payload)
    return Reading(answer, client.received("message"))


async def talk(edge: Edge, *bodies: str, to: str = "bruno@corp.example") -> Client:
    """Anna says these, one second after the other."""
    anna = await edge.login("anna", "phone")
    for body in bodies:
        edge.clock.advance(1)
        anna.send(f'<message to="{to}" type="chat"><body>{body}</body></message>')
        await edge.settle()
    anna.received()
    return anna


class TestRecording:
    async def test_both_sides_have_it_each_in_its_own_archive(self, edge: Edge) -> None:
        anna = await talk(edge, "hello")
        bruno = await edge.login("bruno", "desk")
        for client in (anna, bruno):
            reading = await read(client, query())
            assert reading.bodies == ["hello"]
            assert reading.stanzas[0].get("from") == "anna@corp.example/phone"
            assert reading.stanzas[0].get("to") == "bruno@corp.example"

    async def test_a_note_to_oneself_is_there_once(self, edge: Edge) -> None:
        anna = await talk(edge, "note", to="anna@corp.example")
        assert (await read(anna, query())).bodies == ["note"]

    async def test_what_goes_to_another_site_is_there(self, edge: Edge) -> None:
        anna = await talk(edge, "far", to="david@corp.example/pad")
        assert (await read(anna, query())).bodies == ["far"]

    @pytest.mark.parametrize(
        "inner",
        [
            '<composing xmlns="http://jabber.org/protocol/chatstates"/>',
            '<body>b</body><no-store xmlns="urn:xmpp:hints"/>',
            '<body>b</body><no-permanent-store xmlns="urn:xmpp:hints"/>',
        ],
    )
    async def test_what_is_not_kept(self, edge: Edge, inner: str) -> None:
        anna, _ = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        anna.send(f'<message to="bruno@corp.example" type="chat">{inner}</message>')
        await edge.settle()
        assert (await read(anna, query())).results == []

    async def test_may_be_turned_off(self) -> None:
        async with Edge("anna", "bruno", archive={"enabled": False}) as edge:
            anna = await talk(edge, "hello")
            assert condition_of(await ask(anna, query())) == "service-unavailable"
            assert await edge.store.archive.bounds("anna@corp.example") is None

    async def test_the_default_may_be_never(self) -> None:
        async with Edge("anna", "bruno", archive={"default": "never"}) as edge:
            anna = await talk(edge, "hello")
            assert (await read(anna, query())).results == []


class TestResults:
    async def test_come_from_the_archive_to_the_one_who_asked(self, edge: Edge) -> None:
        anna = await talk(edge, "hello")
        other = await edge.login("anna", "desk")
        other.received()
        reading = await read(anna, query())
        (message,) = reading.messages
        assert (str(message.sender), message.to) == ("anna@corp.example", anna.jid)
        assert other.received("message") == []
        assert reading.query_ids == {"q1"}

    async def test_are_stamped_with_their_time(self, edge: Edge) -> None:
        anna = await talk(edge, "hello")
        reading = await read(anna, query())
        stamp = reading.forwarded[0].find(delay.NAME)
        assert stamp is not None
        assert delay.read(stamp).moment_us == int(reading.ids[0], 16)

    async def test_come_before_the_answer(self, edge: Edge) -> None:
        anna = await talk(edge, "one", "two")
        anna.send(f'<iq type="set" id="a1">{query()}</iq>')
        await edge.settle()
        assert [stanza.kind for stanza in anna.received()] == ["message", "message", "iq"]

    async def test_of_nothing_are_an_empty_page(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        reading = await read(anna, query())
        assert (reading.results, reading.fin.complete) == ([], True)
        assert (reading.fin.page.first, reading.fin.page.last, reading.fin.page.count) == (None, None, 0)

    async def test_do_not_overrun_a_client_that_acknowledges_nothing(self) -> None:
        async with Edge("anna", "bruno", sessions={"unacknowledged_max": 20}) as edge:
            await talk(edge, *(str(number) for number in range(15)))
            slow = await edge.bind("anna", "slow")
            await slow.manage()
            assert len((await read(slow, query())).results) == 15
            assert condition_of(await ask(slow, query())) == "resource-constraint"
            slow.acknowledge()
            assert len((await read(slow, query())).results) == 15

    async def test_are_not_sent_to_a_session_that_has_ended(self, edge: Edge) -> None:
        anna = await talk(edge, "hello")
        anna.send(f'<iq type="set" id="a1">{query()}</iq>')
        await anna.leave()
        assert anna.received("message") == []


class TestFilters:
    async def test_with_a_bare_address(self, edge: Edge) -> None:
        await talk(edge, "to bruno")
        anna = await talk(edge, "to chloe", to="chloe@corp.example")
        assert (await read(anna, query(field("with", "chloe@corp.example")))).bodies == ["to chloe"]
        assert (await read(anna, query(field("with", "david@corp.example")))).bodies == []

    async def test_with_a_full_address(self, edge: Edge) -> None:
        bruno = await edge.login("bruno", "desk")
        anna = await talk(edge, "to the account")
        for body, to in (("to the desk", "bruno@corp.example/desk"), ("to a phone", "bruno@corp.example/phone")):
            anna.send(f'<message to="{to}" type="chat"><body>{body}</body></message>')
        bruno.send('<message to="anna@corp.example" type="chat"><body>from the desk</body></message>')
        await edge.settle()
        reading = await read(anna, query(field("with", "bruno@corp.example/desk")))
        assert (reading.bodies, reading.fin.complete) == (["to the desk", "from the desk"], True)

    async def test_with_oneself(self, edge: Edge) -> None:
        await talk(edge, "to bruno")
        anna = await talk(edge, "note", to="anna@corp.example")
        assert (await read(anna, query(field("with", "anna@corp.example")))).bodies == ["note"]

    async def test_start_and_end_include_their_moment(self, edge: Edge) -> None:
        anna = await talk(edge, *"abcd")
        moments = [format_datetime(int(each, 16)) for each in (await read(anna, query())).ids]
        reading = await read(anna, query(field("start", moments[1]), field("end", moments[2])))
        assert reading.bodies == ["b", "c"]

    async def test_before_and_after_an_id(self, edge: Edge) -> None:
        anna = await talk(edge, *"abcd")
        ids = (await read(anna, query())).ids
        reading = await read(anna, query(field("after-id", ids[0]), field("before-id", ids[3])))
        assert reading.bodies == ["b", "c"]

    async def test_ids(self, edge: Edge) -> None:
        anna = await talk(edge, *"abcd")
        ids = (await read(anna, query())).ids
        assert (await read(anna, query(field("ids", ids[3], ids[1])))).bodies == ["b", "d"]

    @pytest.mark.parametrize("var", ["ids", "after-id", "before-id"])
    @pytest.mark.parametrize("id_", [NOBODY_KNOWS, "not an id"])
    async def test_ids_that_are_not_there(self, edge: Edge, var: str, id_: str) -> None:
        anna = await talk(edge, "hello")
        assert condition_of(await ask(anna, query(field(var, id_)))) == "item-not-found"

    async def test_too_many_ids(self) -> None:
        async with Edge("anna", "bruno", archive={"ids_max": 2}) as edge:
            anna = await talk(edge, *"abc")
            ids = (await read(anna, query())).ids
            assert (await read(anna, query(field("ids", *ids[:2])))).bodies == ["a", "b"]
            assert condition_of(await ask(anna, query(field("ids", *ids)))) == "policy-violation"

    async def test_messages_of_rooms_may_be_asked_for_and_are_not_there(self, edge: Edge) -> None:
        anna = await talk(edge, "one")
        anna.send('<message to="bruno@corp.example" type="groupchat"><body>all</body></message>')
        for wanted in ("true", "false"):
            assert (await read(anna, query(field("include-groupchat", wanted)))).bodies == ["one"]
        answer = await ask(anna, query(field("include-groupchat", "perhaps")))
        assert condition_of(answer) == "bad-request"

    async def test_a_field_that_is_not_known(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        assert condition_of(await ask(anna, query(field("colour", "red")))) == "feature-not-implemented"


class TestPages:
    async def test_follow_each_other_forwards(self, edge: Edge) -> None:
        anna = await talk(edge, *"abcde")
        pages, last = [], ""
        for _ in range(3):
            after = f"<after>{last}</after>" if last else ""
            reading = await read(anna, query(page=f"<max>2</max>{after}"))
            pages.append(("".join(reading.bodies), reading.fin.complete))
            assert (reading.fin.page.first, reading.fin.page.last) == (reading.ids[0], reading.ids[-1])
            assert reading.fin.page.count == 5
            last = reading.ids[-1]
        assert pages == [("ab", False), ("cd", False), ("e", True)]

    async def test_follow_each_other_backwards(self, edge: Edge) -> None:
        anna = await talk(edge, *"abcde")
        pages, first = [], ""
        for _ in range(3):
            reading = await read(anna, query(page=f"<max>2</max><before>{first}</before>"))
            pages.append(("".join(reading.bodies), reading.fin.complete))
            first = reading.ids[0]
        assert pages == [("de", False), ("bc", False), ("a", True)]

    async def test_may_be_flipped_which_changes_the_order_only(self, edge: Edge) -> None:
        anna = await talk(edge, *"abcd")
        plain = await read(anna, query(page="<max>3</max><before/>"))
        flipped = await read(anna, query(page="<max>3</max><before/>", more="<flip-page/>"))
        assert (plain.bodies, flipped.bodies) == (["b", "c", "d"], ["d", "c", "b"])
        assert plain.fin == flipped.fin

    async def test_are_bounded(self) -> None:
        async with Edge("anna", "bruno", archive={"page_default": 2, "page_max": 3}) as edge:
            anna = await talk(edge, *"abcd")
            assert (await read(anna, query())).bodies == ["a", "b"]
            reading = await read(anna, query(page="<max>100</max>"))
            assert (reading.bodies, reading.fin.complete) == (["a", "b", "c"], False)

    async def test_of_no_messages_tell_the_count(self, edge: Edge) -> None:
        anna = await talk(edge, *"abc")
        reading = await read(anna, query(page="<max>0</max>"))
        assert (reading.bodies, reading.fin.page.count, reading.fin.complete) == ([], 3, False)

    @pytest.mark.parametrize("name", ["after", "before"])
    async def test_next_to_what_is_not_there(self, edge: Edge, name: str) -> None:
        anna = await talk(edge, "hello")
        answer = await ask(anna, query(page=f"<{name}>{NOBODY_KNOWS}</{name}>"))
        assert condition_of(answer) == "item-not-found"

    async def test_by_position_are_not_to_be_had(self, edge: Edge) -> None:
        anna = await talk(edge, "hello")
        assert condition_of(await ask(anna, query(page="<index>0</index>"))) == "feature-not-implemented"


class TestForm:
    async def test_names_every_field(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        answer = await ask(anna, '<query xmlns="urn:xmpp:mam:2"/>', "get")
        element = answer.elements()[0].find(data_form.NAME)
        assert element is not None
        form = data_form.read(element)
        assert [each.var for each in form.fields] == [
            "FORM_TYPE",
            "with",
            "start",
            "end",
            "before-id",
            "after-id",
            "ids",
            "include-groupchat",
        ]


class TestMetadata:
    async def test_of_an_empty_archive(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        answer = await ask(anna, '<metadata xmlns="urn:xmpp:mam:2"/>', "get")
        assert answer.elements() == (Element(wire.METADATA),)

    async def test_names_the_first_and_the_last_message(self, edge: Edge) -> None:
        anna = await talk(edge, *"abc")
        ids = (await read(anna, query())).ids
        answer = await ask(anna, '<metadata xmlns="urn:xmpp:mam:2"/>', "get")
        ends = answer.elements()[0].elements
        assert [(end.local, end.get("id"), end.get("timestamp")) for end in ends] == [
            ("start", ids[0], format_datetime(int(ids[0], 16))),
            ("end", ids[2], format_datetime(int(ids[2], 16))),
        ]


def preferences(default: str, always: str = "", never: str = "") -> str:
    one, other = (f"<jid>{each}</jid>" if each else "" for each in (always, never))
    return f'<prefs xmlns="urn:xmpp:mam:2" default="{default}"><always>{one}</always><never>{other}</never></prefs>'


class TestPreferences:
    async def test_are_the_sites_default_first(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        answer = await ask(anna, '<prefs xmlns="urn:xmpp:mam:2"/>', "get")
        assert wire.read_preferences(answer.elements()[0]) == wire.Preferences("always")

    async def test_are_answered_shown_and_kept(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        wanted = preferences("roster", "chloe@corp.example", "bruno@corp.example/desk")
        answer = await ask(anna, wanted)
        await edge.restart()
        anna = await edge.login("anna", "phone")
        shown = await ask(anna, '<prefs xmlns="urn:xmpp:mam:2"/>', "get")
        assert answer.elements() == shown.elements()
        assert shown.elements()[0].get("default") == "roster"

    async def test_decide_for_both_directions(self, edge: Edge) -> None:
        anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
        await ask(anna, preferences("never", always="chloe@corp.example"))
        chloe = await edge.login("chloe", "pad")
        for client, to in ((anna, "bruno"), (bruno, "anna"), (anna, "chloe"), (chloe, "anna")):
            client.send(
                f'<message to="{to}@corp.example" type="chat"><body>{client.jid.local} to {to}</body></message>'
            )
            await edge.settle()
        assert (await read(anna, query())).bodies == ["anna to chloe", "chloe to anna"]
        assert (await read(bruno, query())).bodies == ["anna to bruno", "bruno to anna"]

    async def test_may_follow_the_roster_also_while_nobody_is_connected(self, edge: Edge) -> None:
        bruno = await edge.login("bruno", "desk")
        await ask(bruno, preferences("roster"))
        await bruno.leave()
        anna, chloe = await edge.login("anna", "phone"), await edge.login("chloe", "pad")
        for client in (anna, chloe):
            client.send(f'<message to="bruno@corp.example" type="chat"><body>from {client.jid.local}</body></message>')
        await edge.settle()
        assert (await read(await edge.login("bruno", "desk"), query())).bodies == ["from anna"]

    async def test_have_bounds(self) -> None:
        bounds = {"preferences_max": 1, "preference_addresses_max": 1}
        async with Edge("anna", "bruno", archive=bounds) as edge:
            anna, bruno = await edge.login("anna", "phone"), await edge.login("bruno", "desk")
            too_many = preferences("never", "a@corp.example", "b@corp.example")
            assert condition_of(await ask(anna, too_many)) == "policy-violation"
            assert (await ask(anna, preferences("never"))).type == "result"
            assert condition_of(await ask(bruno, preferences("never"))) == "resource-constraint"
            assert (await ask(bruno, preferences("always"))).type == "result"
            assert (await ask(anna, preferences("always"))).type == "result"
            assert (await ask(bruno, preferences("never"))).type == "result"

    async def test_must_be_some(self, edge: Edge) -> None:
        anna = await edge.login("anna", "phone")
        assert condition_of(await ask(anna, preferences("sometimes"))) == "bad-request"


@pytest.mark.parametrize(
    ("type_", "payload"),
    [
        ("set", query()),
        ("get", '<query xmlns="urn:xmpp:mam:2"/>'),
        ("get", '<metadata xmlns="urn:xmpp:mam:2"/>'),
        ("get", '<prefs xmlns="urn:xmpp:mam:2"/>'),
        ("set", preferences("never")),
    ],
)
async def test_an_archive_is_for_its_owner_alone(edge: Edge, type_: str, payload: str) -> None:
    anna = await talk(edge, "hello")
    assert condition_of(await ask(anna, payload, type_, "bruno@corp.example")) == "forbidden"
    assert anna.received("message") == []
