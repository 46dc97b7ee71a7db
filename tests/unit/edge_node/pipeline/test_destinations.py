"""The table of RFC 6121 section 8.5.4 for messages, in full: types by addresses by states of the resources."""

from itertools import product

import pytest

from edge_node.pipeline.destinations import Destination, destination_of
from edge_node.sessions.account import LocalAccount
from edge_node.sessions.session import Session, SessionLimits
from tests.support.edge import jid
from xmpp.stanza import Stanza

TYPES = ("normal", "chat", "groupchat", "headline", "error")

# Resources by name: None is connected without presence, a number is an available one's priority.
NOBODY: dict[str, int | None] = {}
STATES: dict[str, dict[str, int | None]] = {
    "no resource": NOBODY,
    "connected": {"one": None},
    "negative": {"one": -1},
    "one": {"one": 0},
    "several": {"one": 1, "two": 0, "negative": -1, "connected": None},
}


def by_type(*fates: str) -> dict[str, str]:
    return dict(zip(TYPES, fates, strict=True))


BARE: dict[str, dict[str, str]] = {
    # Section 8.5.2.2: without a resource that takes messages.
    "no resource": by_type("offline", "offline", "refuse", "ignore", "ignore"),
    "connected": by_type("offline", "offline", "refuse", "ignore", "ignore"),
    "negative": by_type("offline", "offline", "refuse", "ignore", "ignore"),
    # Section 8.5.2.1: with one, or more, of priority 0 or above.
    "one": by_type("one", "one", "refuse", "one", "ignore"),
    "several": by_type("one two", "one two", "refuse", "one two", "ignore"),
}
FULL_WITHOUT_MATCH: dict[str, dict[str, str]] = {
    # Section 8.5.3.2: chat goes where the bare address would.
    "no resource": by_type("refuse", "offline", "refuse", "ignore", "ignore"),
    "connected": by_type("refuse", "offline", "refuse", "ignore", "ignore"),
    "negative": by_type("refuse", "offline", "refuse", "ignore", "ignore"),
    "one": by_type("refuse", "one", "refuse", "ignore", "ignore"),
    "several": by_type("refuse", "one two", "refuse", "ignore", "ignore"),
}


def account_with(resources: dict[str, int | None]) -> LocalAccount | None:
    if not resources:
        return None
    account = LocalAccount(jid("anna"))
    for key, (resource, priority) in enumerate(resources.items(), start=1):
        session = Session(key, account, jid(f"anna/{resource}"), None, SessionLimits())
        if priority is not None:
            session.presence, session.priority = Stanza("presence"), priority
        account.sessions[resource] = session
    account.presence_changed()
    return account


def said(destination: Destination) -> str:
    if destination.fate == "deliver":
        return " ".join(session.jid.resource or "" for session in destination.sessions)
    assert destination.sessions == ()
    return destination.fate


@pytest.mark.parametrize(("kind", "state"), [*product(TYPES, STATES)])
def test_bare_address(kind: str, state: str) -> None:
    assert said(destination_of(jid("anna"), kind, account_with(STATES[state]))) == BARE[state][kind]


@pytest.mark.parametrize(("kind", "state"), [*product(TYPES, STATES)])
def test_full_address_without_match(kind: str, state: str) -> None:
    to = jid("anna/elsewhere")
    assert said(destination_of(to, kind, account_with(STATES[state]))) == FULL_WITHOUT_MATCH[state][kind]


@pytest.mark.parametrize(("kind", "resource"), [*product(TYPES, STATES["several"])])
def test_full_address_that_matches(kind: str, resource: str) -> None:
    assert said(destination_of(jid(f"anna/{resource}"), kind, account_with(STATES["several"]))) == resource


@pytest.mark.parametrize("kind", TYPES)
def test_a_dormant_session_is_not_sent_to(kind: str) -> None:
    account = account_with({"one": 0})
    assert account is not None
    account.sessions["one"].dormant = True
    account.presence_changed()
    expected = "offline" if kind in ("normal", "chat") else "ignore"
    assert said(destination_of(jid("anna/one"), kind, account)) == expected
    assert said(destination_of(jid("anna"), kind, account)) == BARE["no resource"][kind]
