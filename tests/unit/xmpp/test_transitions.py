import pytest

from xmpp.transitions import (
    CLIENT_TRANSITIONS,
    PAUSED,
    SERVER_TRANSITIONS,
    Fact,
    StreamMisuse,
    StreamState,
    Table,
    after,
)

TABLES = [pytest.param(SERVER_TRANSITIONS, id="server"), pytest.param(CLIENT_TRANSITIONS, id="client")]


@pytest.mark.parametrize("table", TABLES)
def test_every_state_of_the_table_can_be_reached_and_left(table: Table) -> None:
    reached, waiting = {StreamState.CLOSING, StreamState.CLOSED}, [StreamState.OPENING]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += table[state].values()
    assert reached == {*table, StreamState.CLOSED}


@pytest.mark.parametrize("table", TABLES)
def test_every_state_can_end_once(table: Table) -> None:
    for state in set(StreamState) - {StreamState.CLOSED}:
        assert after(table, state, Fact.END) is StreamState.CLOSED
    with pytest.raises(StreamMisuse):
        after(table, StreamState.CLOSED, Fact.END)


@pytest.mark.parametrize("table", TABLES)
def test_our_own_end_is_said_once(table: Table) -> None:
    for state in set(StreamState) - {StreamState.CLOSING, StreamState.CLOSED}:
        assert after(table, state, Fact.END_SENT) is StreamState.CLOSING
    for state in (StreamState.CLOSING, StreamState.CLOSED):
        with pytest.raises(StreamMisuse):
            after(table, state, Fact.END_SENT)


def test_what_the_table_does_not_list_cannot_happen() -> None:
    with pytest.raises(StreamMisuse, match="RESOURCE_BOUND cannot happen while OPENING"):
        after(SERVER_TRANSITIONS, StreamState.OPENING, Fact.RESOURCE_BOUND)


def test_nobody_is_online_without_authentication() -> None:
    """Remove authentication from the table, and nothing behind it can be reached any more."""
    reached: set[StreamState] = set()
    waiting = [StreamState.OPENING]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += [to for fact, to in SERVER_TRANSITIONS[state].items() if fact is not Fact.AUTHENTICATION_DONE]
    assert reached == {
        StreamState.OPENING,
        StreamState.NEGOTIATING,
        StreamState.UPGRADING,
        StreamState.AUTHENTICATING,
        StreamState.VERIFYING,
    }


def test_a_server_pauses_exactly_while_it_awaits_an_answer_from_its_shell() -> None:
    answers = {Fact.RESOURCE_BOUND, Fact.STREAM_RESUMED}
    assert {state for state in SERVER_TRANSITIONS if answers & set(SERVER_TRANSITIONS[state])} < PAUSED
    assert StreamState.VERIFYING in PAUSED
