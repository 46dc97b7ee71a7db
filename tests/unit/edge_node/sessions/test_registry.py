from edge_node.sessions.account import LocalAccount
from edge_node.sessions.registry import Registry
from edge_node.sessions.session import Session, SessionLimits
from tests.support.edge import jid
from xmpp.stanza import Stanza


def session_of(account: LocalAccount, key: int, resource: str) -> Session:
    return Session(key, account, account.jid.with_resource(resource), None, SessionLimits())


def test_finds_what_was_entered() -> None:
    registry, account = Registry(), LocalAccount(jid("anna"))
    phone = session_of(account, 1, "phone")
    registry.add(phone)
    assert registry.account("anna@corp.example") is account
    assert registry.session(jid("anna/phone")) is phone
    assert registry.by_key(1) is phone
    assert (len(registry), list(registry.sessions()), list(registry.accounts())) == (1, [phone], [account])


def test_does_not_find_what_is_not_there() -> None:
    registry = Registry()
    registry.add(session_of(LocalAccount(jid("anna")), 1, "phone"))
    assert registry.account("bruno@corp.example") is None
    assert registry.session(jid("anna/desk")) is None
    assert registry.session(jid("anna")) is None
    assert registry.session(jid("bruno/phone")) is None
    assert registry.by_key(2) is None


def test_an_account_goes_with_its_last_session() -> None:
    registry, account = Registry(), LocalAccount(jid("anna"))
    phone, desk = session_of(account, 1, "phone"), session_of(account, 2, "desk")
    registry.add(phone)
    registry.add(desk)
    registry.remove(phone)
    assert registry.account(account.bare) is account
    registry.remove(desk)
    assert registry.account(account.bare) is None
    assert len(registry) == 0


def test_removing_an_older_session_leaves_the_newer_one_with_its_resource() -> None:
    registry, account = Registry(), LocalAccount(jid("anna"))
    older, newer = session_of(account, 1, "phone"), session_of(account, 2, "phone")
    registry.add(older)
    registry.add(newer)
    registry.remove(older)
    assert registry.session(jid("anna/phone")) is newer


def test_a_session_is_found_by_its_new_key_only() -> None:
    registry = Registry()
    phone = session_of(LocalAccount(jid("anna")), 1, "phone")
    registry.add(phone)
    registry.rekey(phone, 9)
    assert (registry.by_key(1), registry.by_key(9), phone.key) == (None, phone, 9)


def test_a_removed_session_gets_no_more_messages() -> None:
    registry, account = Registry(), LocalAccount(jid("anna"))
    phone = session_of(account, 1, "phone")
    phone.presence = Stanza("presence")
    registry.add(phone)
    phone.account.presence_changed()
    assert list(account.targets) == [phone]
    registry.remove(phone)
    assert list(account.targets) == []
