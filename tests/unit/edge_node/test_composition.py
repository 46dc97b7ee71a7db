"""The core as it is put together: who is where, and what a start takes up."""

from edge_node.adapters.memory import open_store
from edge_node.pipeline.feature import handlers_of
from edge_node.uplink.alone import NoLink
from tests.support.edge import Edge, condition_of
from xmpp.stanza import Stanza


async def test_no_two_features_answer_one_query_and_every_one_is_told_of(edge: Edge) -> None:
    features = edge.parts.features
    assert len(handlers_of(features)) == sum(len(feature.iq) for feature in features)
    names = [feature.name for feature in features]
    assert names[-1] == "discovery"  # it tells of those before it
    assert len(set(names)) == len(names)


async def test_the_archive_can_be_left_out() -> None:
    async with Edge("anna", archive={"enabled": False}) as edge:
        assert "archive" not in [feature.name for feature in edge.parts.features]
        anna = await edge.login("anna", "phone")
        answer = await anna.ask('<iq type="set" id="q"><query xmlns="urn:xmpp:mam:2"/></iq>')
        assert condition_of(answer) == "service-unavailable"


async def test_one_link_is_everybodys(edge: Edge) -> None:
    parts = edge.parts
    named = [part._link for part in (parts.departures, parts._homes, parts._replica, parts.arrivals)]  # noqa: SLF001
    assert named == [edge.hub] * 4


async def test_without_an_uplink_there_is_none() -> None:
    async with Edge("anna", uplink=None) as edge:
        parts = edge.parts
        assert not parts.departures.is_open
        assert all(
            isinstance(part._link, NoLink)  # noqa: SLF001
            for part in (parts.departures, parts._homes, parts._replica, parts.arrivals)  # noqa: SLF001
        )


async def test_a_start_takes_up_accounts_sessions_and_whom_they_watch(edge: Edge) -> None:
    await edge.befriend(("chloe", "david"))
    chloe = await edge.login("chloe", "pad", managed=True)
    assert edge.hub.watched == ["david@corp.example"]
    await edge.restart()
    assert edge.parts.directory.is_home("chloe")
    assert edge.parts.registry.by_key(chloe.wire.key) is not None
    # The core began to watch before its link was there, and the link was told when it came.
    assert edge.hub.watched == ["david@corp.example"]


async def test_what_a_session_leaves_for_others_before_the_link_is_there_is_held() -> None:
    store = open_store()
    async with Edge("anna", store=store) as edge:
        anna = await edge.login("anna", "phone", managed=True)
        anna.send('<presence to="david@corp.example/pad"/>')
        await edge.settle()
        edge.parts.departures.connect(NoLink())  # as before `EdgeCore.connect`
        await anna.leave()
        await edge.settle()
        assert store.outbox.envelopes == 2


async def test_time_ends_what_is_over(edge: Edge) -> None:
    """What `Housekeeping` calls each second: sessions that nobody resumes, requests that nobody answers."""
    bruno = await edge.login("bruno", "desk", managed=True)
    anna = await edge.login("anna", "phone")
    anna.send('<iq type="get" id="p" to="david@corp.example"><ping xmlns="urn:xmpp:ping"/></iq>')
    await bruno.drop()
    anna.received()
    edge.clock.advance(601)
    for tick in edge.parts.housekeeping._ticks:  # noqa: SLF001  the composed ones
        tick(edge.clock.monotonic())
    answers: list[Stanza] = anna.received()
    assert [(each.kind, each.type) for each in answers] == [("presence", "unavailable"), ("iq", "error")]
