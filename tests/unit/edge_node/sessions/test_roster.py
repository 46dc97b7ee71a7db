"""The state machine of subscriptions, against the tables of RFC 6121 appendix A.

The nine states are written as `None`, `None+O` (pending out), `None+I` (pending in), `None+OI`, `To`, `To+I`, `From`,
`From+O` and `Both`.  An outcome is the state after it, and whether the stanza goes on.
"""

import pytest

from edge_node.sessions.roster import (
    LiveRoster,
    Received,
    Roster,
    RosterItem,
    Sent,
    Subscription,
    SubscriptionType,
    receive,
    send,
)

CONTACT = "bruno@corp.example"
ASKED = b"<presence type='subscribe'/>"

N, T, F, B = Subscription.NONE, Subscription.TO, Subscription.FROM, Subscription.BOTH
STATES = {
    "None": RosterItem(CONTACT, subscription=N),
    "None+O": RosterItem(CONTACT, subscription=N, ask=True),
    "None+I": RosterItem(CONTACT, subscription=N, request=ASKED),
    "None+OI": RosterItem(CONTACT, subscription=N, ask=True, request=ASKED),
    "To": RosterItem(CONTACT, subscription=T),
    "To+I": RosterItem(CONTACT, subscription=T, request=ASKED),
    "From": RosterItem(CONTACT, subscription=F),
    "From+O": RosterItem(CONTACT, subscription=F, ask=True),
    "Both": RosterItem(CONTACT, subscription=B),
}

# Appendix A.2: the account's own stanzas.  (state after, whether it is routed)
OUTBOUND: dict[SubscriptionType, dict[str, tuple[str, bool]]] = {
    "subscribe": {
        "None": ("None+O", True),
        "None+O": ("None+O", True),
        "None+I": ("None+OI", True),
        "None+OI": ("None+OI", True),
        "To": ("To", True),
        "To+I": ("To+I", True),
        "From": ("From+O", True),
        "From+O": ("From+O", True),
        "Both": ("Both", True),
    },
    "unsubscribe": {
        "None": ("None", True),
        "None+O": ("None", True),
        "None+I": ("None+I", True),
        "None+OI": ("None+I", True),
        "To": ("None", True),
        "To+I": ("None+I", True),
        "From": ("From", True),
        "From+O": ("From", True),
        "Both": ("From", True),
    },
    "subscribed": {
        "None+I": ("From", True),
        "None+OI": ("From+O", True),
        "To+I": ("Both", True),
        "From": ("From", False),
        "From+O": ("From+O", False),
        "Both": ("Both", False),
    },
    "unsubscribed": {
        "None": ("None", False),
        "None+O": ("None+O", False),
        "None+I": ("None", True),
        "None+OI": ("None+O", True),
        "To": ("To", False),
        "To+I": ("To", True),
        "From": ("None", True),
        "From+O": ("None+O", True),
        "Both": ("To", True),
    },
}

# Appendix A.3: the contact's stanzas.  (state after, whether it is delivered)
INBOUND: dict[SubscriptionType, dict[str, tuple[str, bool]]] = {
    "subscribe": {
        "None": ("None+I", True),
        "None+O": ("None+OI", True),
        "None+I": ("None+I", False),
        "None+OI": ("None+OI", False),
        "To": ("To+I", True),
        "To+I": ("To+I", False),
        "From": ("From", False),
        "From+O": ("From+O", False),
        "Both": ("Both", False),
    },
    "unsubscribe": {
        "None": ("None", False),
        "None+O": ("None+O", False),
        "None+I": ("None", True),
        "None+OI": ("None+O", True),
        "To": ("To", False),
        "To+I": ("To", True),
        "From": ("None", True),
        "From+O": ("None+O", True),
        "Both": ("To", True),
    },
    "subscribed": {
        "None": ("None", False),
        "None+O": ("To", True),
        "None+I": ("None+I", False),
        "None+OI": ("To+I", True),
        "To": ("To", False),
        "To+I": ("To+I", False),
        "From": ("From", False),
        "From+O": ("Both", True),
        "Both": ("Both", False),
    },
    "unsubscribed": {
        "None": ("None", False),
        "None+O": ("None", True),
        "None+I": ("None+I", False),
        "None+OI": ("None+I", True),
        "To": ("None", True),
        "To+I": ("None+I", True),
        "From": ("From", False),
        "From+O": ("From", True),
        "Both": ("From", True),
    },
}


def cases(table: dict[SubscriptionType, dict[str, tuple[str, bool]]]) -> list[tuple[SubscriptionType, str, str, bool]]:
    return [(kind, before, after, goes_on) for kind, rows in table.items() for before, (after, goes_on) in rows.items()]


@pytest.mark.parametrize(("kind", "before", "after", "is_routed"), cases(OUTBOUND))
def test_outbound(kind: SubscriptionType, before: str, after: str, is_routed: bool) -> None:
    assert send(STATES[before], kind) == Sent(STATES[after], is_routed=is_routed)


@pytest.mark.parametrize(("kind", "before", "after", "is_delivered"), cases(INBOUND))
def test_inbound(kind: SubscriptionType, before: str, after: str, is_delivered: bool) -> None:
    outcome = receive(STATES[before], kind, ASKED)
    assert (outcome.item, outcome.is_delivered) == (STATES[after], is_delivered)
    assert outcome.is_approved is (kind == "subscribe" and before in ("From", "From+O", "Both"))


@pytest.mark.parametrize("before", ["None", "None+O", "To"])
def test_approval_before_any_request_is_noted(before: str) -> None:
    """Section 3.4.2: it is not routed."""
    outcome = send(STATES[before], "subscribed")
    assert outcome.item.approved
    assert outcome.item.subscription is STATES[before].subscription
    assert not outcome.is_routed


def test_approval_of_a_stranger_puts_him_on_the_roster() -> None:
    """Section 3.4.2."""
    outcome = send(RosterItem(CONTACT, in_roster=False), "subscribed")
    assert outcome.item == RosterItem(CONTACT, approved=True, in_roster=True)


def test_an_approved_request_is_answered_at_once() -> None:
    """Section 3.4.2: the request is not shown."""
    assert receive(RosterItem(CONTACT, approved=True), "subscribe", ASKED) == Received(
        STATES["From"], is_delivered=False, is_approved=True
    )


def test_approval_can_be_taken_back() -> None:
    assert send(RosterItem(CONTACT, approved=True), "unsubscribed") == Sent(STATES["None"], is_routed=False)


def test_a_request_keeps_the_stanza_as_it_came_but_not_the_contact() -> None:
    stranger = RosterItem(CONTACT, in_roster=False)
    outcome = receive(stranger, "subscribe", ASKED)
    assert outcome.item == RosterItem(CONTACT, request=ASKED, in_roster=False)
    assert send(outcome.item, "unsubscribed").item.is_void
    assert send(outcome.item, "subscribed").item == STATES["From"]


def test_what_each_state_shows() -> None:
    assert [each.sees_contact for each in (N, T, F, B)] == [False, True, False, True]
    assert [each.is_seen for each in (N, T, F, B)] == [False, False, True, True]


class TestLiveRoster:
    def test_holds_what_was_loaded(self) -> None:
        roster = LiveRoster("anna@corp.example", Roster(7, (STATES["To"],)))
        assert (roster.version, list(roster), len(roster)) == (7, [STATES["To"]], 1)
        assert roster.get(CONTACT) == STATES["To"]
        assert roster.get("chloe@corp.example") is None
        assert roster.known("chloe@corp.example") == RosterItem("chloe@corp.example", in_roster=False)

    def test_every_change_has_a_version(self) -> None:
        roster = LiveRoster("anna@corp.example", Roster(7, ()))
        assert [roster.put(STATES["None"]), roster.put(STATES["Both"]), roster.remove(CONTACT)] == [8, 9, 10]
        assert list(roster) == []

    def test_a_void_item_is_removed(self) -> None:
        roster = LiveRoster("anna@corp.example", Roster(1, (STATES["None+I"],)))
        roster.put(RosterItem(CONTACT, in_roster=False))
        assert roster.get(CONTACT) is None

    def test_tells_who_sees_whom(self) -> None:
        items = (
            RosterItem("to", subscription=T),
            RosterItem("from", subscription=F),
            RosterItem("both", subscription=B),
        )
        roster = LiveRoster("anna@corp.example", Roster(1, (*items, RosterItem("asks", request=ASKED))))
        assert list(roster.watched()) == ["to", "both"]
        assert list(roster.subscribers()) == ["from", "both"]
        assert list(roster.requests()) == [ASKED]
        assert [roster.sees(each) for each in ("to", "from", "nobody")] == [True, False, False]
        assert [roster.is_seen_by(each) for each in ("to", "from", "nobody")] == [False, True, False]
