import pytest

from edge_node.sessions.account import LocalAccount
from edge_node.sessions.session import Session, SessionLimits
from tests.support.edge import jid
from xmpp.stanza import Stanza


@pytest.mark.parametrize(
    ("is_available", "priority", "dormant", "is_target"),
    [
        (True, 0, False, True),
        (True, 127, False, True),
        (True, -1, False, False),
        (False, 5, False, False),
        (True, 5, True, False),
    ],
)
def test_who_gets_what_is_sent_to_the_bare_address(
    is_available: bool, priority: int, dormant: bool, is_target: bool
) -> None:
    account = LocalAccount(jid("anna"))
    session = Session(1, account, jid("anna/phone"), None, SessionLimits())
    account.sessions["phone"] = session
    session.presence = Stanza("presence") if is_available else None
    session.priority, session.dormant = priority, dormant
    account.presence_changed()
    assert account.targets == ((session,) if is_target else ())


def test_a_new_account_has_nothing() -> None:
    account = LocalAccount(jid("anna"))
    assert (account.bare, account.local, account.sessions, account.roster) == ("anna@corp.example", "anna", {}, None)
