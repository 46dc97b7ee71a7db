import pytest

from edge_node.core.checkpoint import checkpoint_of, restore
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.session import Session, SessionLimits
from tests.support.edge import jid, parse
from xmpp.acknowledgement import AckQueue


def new_session() -> Session:
    return Session(1, LocalAccount(jid("anna")), jid("anna/phone"), None, SessionLimits())


def copy_of(session: Session) -> Session:
    copied = new_session()
    restore(copied, checkpoint_of(session))
    return copied


def test_presence_comes_back_as_it_was_broadcast() -> None:
    session = new_session()
    session.presence = parse('<presence xml:lang="fr"><show>away</show><priority>-3</priority></presence>')
    session.presence.sender = session.jid
    session.priority = -3
    copied = copy_of(session)
    assert copied.presence is not None
    assert copied.presence.render() == session.presence.render()
    assert copied.presence.payloads == session.presence.payloads
    assert copied.priority == -3


def test_an_empty_presence_is_not_no_presence() -> None:
    session = new_session()
    session.presence = parse("<presence/>")
    assert copy_of(session).is_available
    session.presence = None
    assert not copy_of(session).is_available


def test_what_the_client_asked_for_comes_back() -> None:
    session = new_session()
    session.interested = session.carbons = True
    session.directed = {jid("bruno/desk"), jid("chloe")}
    session.roster_version = 7
    copied = copy_of(session)
    assert (copied.interested, copied.carbons, copied.directed) == (True, True, session.directed)
    assert copied.roster_version == 7
    assert copy_of(new_session()).directed is None
    assert copy_of(new_session()).roster_version is None


def test_the_counts_come_back() -> None:
    session = new_session()
    session.durable, session.number_out = 7, 43
    copied = copy_of(session)
    assert (copied.durable, copied.number_out) == (7, 43)  # without stream management, what was written counts
    session.queue = AckQueue(10, 41)
    assert copy_of(session).number_out == 41


def test_who_has_not_come_back_has_had_no_more_than_before() -> None:
    session = new_session()
    session.dormant, session.number_out = True, 41
    assert copy_of(session).number_out == 41


def test_records_of_the_first_version_are_read() -> None:
    copied = new_session()
    restore(copied, b"\x99\xc4\x00\xc2\x90\xa0\x00\xc2\xc2\x90\x29")
    assert (copied.number_out, copied.durable) == (41, 0)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x90", b"\x93\x01\x02\x03"])
def test_what_is_none_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  msgspec says which
        restore(new_session(), data)
