from edge_node.routing.router import Asked, Router
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session, SessionLimits
from tests.support.edge import Wire, jid
from xmpp.jid import JID
from xmpp.stanza import Stanza


class People:
    def is_home(self, local: str) -> bool:
        return local == "anna"


class Link:
    def __init__(self) -> None:
        self.sent: list[Stanza] = []
        self.is_up = True
        self.is_open = True

    def send_transient(self, stanza: Stanza) -> bool:
        self.sent.append(stanza)
        return self.is_up


def routed(*, dormant: bool = False) -> tuple[Router, Wire, Link]:
    registry, wire, link = Registry(), Wire(), Link()
    session = Session(1, LocalAccount(jid("anna")), jid("anna/phone"), wire, SessionLimits())
    session.dormant = dormant
    session.channel = None if dormant else wire
    registry.add(session)
    return Router("corp.example", People(), registry, link), wire, link


def to(address: str) -> Stanza:
    return Stanza("iq", "get", "1", JID.parse(address))


def test_who_is_local_and_who_is_ours() -> None:
    router, _, _ = routed()
    addresses = [
        JID.parse(each) for each in ("anna@corp.example/x", "david@corp.example", "corp.example", "a@b.example")
    ]
    assert [router.is_local(each) for each in addresses] == [True, False, False, False]
    assert [router.is_ours(each) for each in addresses] == [True, True, True, False]
    assert [router.is_elsewhere(each) for each in addresses] == [False, True, False, False]


def test_nobody_is_elsewhere_when_there_are_no_other_sites() -> None:
    router, _, link = routed()
    link.is_open = False
    assert not router.is_elsewhere(JID.parse("david@corp.example"))


def test_reaches_the_resource_named() -> None:
    router, wire, link = routed()
    stanza = to("anna@corp.example/phone")
    assert router.to_full(stanza)
    assert (wire.written, link.sent) == ([stanza.render()], [])


def test_does_not_reach_what_is_not_there() -> None:
    router, wire, link = routed()
    for address in ("anna@corp.example/desk", "anna@corp.example", "corp.example", "friend@elsewhere.example/x"):
        assert not router.to_full(to(address))
    assert not router.to_full(Stanza("iq", "get", "1"))
    assert (wire.written, link.sent) == ([], [])


def test_what_reaches_a_waking_session_is_held() -> None:
    registry, wire = Registry(), Wire()
    session = Session(1, LocalAccount(jid("anna")), jid("anna/phone"), wire, SessionLimits())
    session.dormant = True
    registry.add(session)
    stanza = to("anna@corp.example/phone")
    assert Router("corp.example", People(), registry, Link()).to_full(stanza)
    assert wire.written == []
    ((data, subject),) = session.revive(0)
    assert (data, subject) == (stanza.render(), Asked(stanza))


def test_does_not_reach_a_dormant_session() -> None:
    router, wire, _ = routed(dormant=True)
    assert not router.to_full(to("anna@corp.example/phone"))
    assert wire.written == []


def test_goes_over_the_link_to_other_sites() -> None:
    router, _, link = routed()
    assert router.to_full(to("david@corp.example/pad"))
    link.is_up = False
    assert not router.to_full(to("david@corp.example/pad"))
    assert len(link.sent) == 2
