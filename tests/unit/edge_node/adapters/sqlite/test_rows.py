import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.owners import Owners
from edge_node.adapters.sqlite.rows import (
    KEPT_ARCHIVED,
    KEPT_PASSING,
    OUTGOING,
    Insert,
    combined,
    encode,
    pack_deliveries,
    pack_owners,
    signed,
    unpack_deliveries,
    unpack_owners,
    unsigned,
)
from edge_node.custody import Acceptance, Entry, EntryFlag

KEYS = st.integers(0, 2**64 - 1)


@given(KEYS)
def test_session_keys_become_signed_numbers_and_back(key: int) -> None:
    assert -(2**63) <= signed(key) < 2**63
    assert unsigned(signed(key)) == key


@given(st.lists(st.tuples(KEYS, st.integers(0, 2**32 - 1))))
def test_deliveries_are_packed_and_unpacked(deliveries: list[tuple[int, int]]) -> None:
    assert list(unpack_deliveries(pack_deliveries(tuple(deliveries)))) == deliveries


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_owners_are_packed_and_unpacked(numbers: list[int]) -> None:
    assert list(unpack_owners(pack_owners(numbers))) == numbers


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 64, 65, 149])
def test_any_number_of_rows_is_inserted(connection: Connection, count: int) -> None:
    insert = Insert("outbox", "sequence", "envelope")
    values: list[object] = [value for number in range(count) for value in (number, b"%d" % number)]
    insert.run(connection, values)
    found = connection.execute("SELECT sequence, envelope FROM outbox ORDER BY sequence").fetchall()
    assert found == [(number, b"%d" % number) for number in range(count)]


def test_what_an_acceptance_leaves(connection: Connection) -> None:
    acceptance = Acceptance(50, session=2**64 - 1, number=9)
    acceptance.stanza = b"<message/>"
    acceptance.entries = [
        Entry("a@x", "b@x", outgoing=True, flags=EntryFlag.ARCHIVED),
        Entry("b@x", "a@x", outgoing=False, flags=0, deliveries=((4, 2),)),
    ]
    owners = Owners(10)
    rows = encode([acceptance], owners, connection, {}, 7)
    a, b = (connection.execute("SELECT id FROM owner WHERE jid = ?", (jid,)).fetchone()[0] for jid in ("a@x", "b@x"))
    assert rows.messages == [50, -1, 9, KEPT_ARCHIVED | KEPT_PASSING, pack_owners([a, b]), b"<message/>"]
    sent = [7, a, 50, "b@x", 1 | OUTGOING, b""]
    assert rows.recent == [*sent, 8, b, 50, "a@x", 0, pack_deliveries(((4, 2),))]
    assert all(type(value) in (int, str, bytearray) for value in rows.recent)
    assert (owners.recent("a@x"), owners.recent("b@x"), owners.recent("c@x")) == ([7], [8], [])
    assert (rows.recent_count, rows.last_id) == (2, 50)


def test_a_body_without_a_row_is_not_kept(connection: Connection) -> None:
    alone, nothing = Acceptance(1, session=5, number=1), Acceptance(2)
    alone.stanza = nothing.stanza = b"<message/>"
    rows = encode([alone, nothing], Owners(10), connection, {}, 1)
    assert rows.messages == [1, 5, 1, KEPT_PASSING, b"", b""]


def test_entries_of_one_account_are_combined() -> None:
    first = Entry("a@x", "a@x", outgoing=True, flags=1, deliveries=((1, 1),))
    second = Entry("a@x", "a@x", outgoing=False, flags=2, deliveries=((2, 2),))
    other = Entry("b@x", "a@x", outgoing=False, flags=1)
    both, alone = combined([first, other, second])
    assert (both.flags, both.outgoing, both.deliveries) == (3, True, ((1, 1), (2, 2)))
    assert alone is other
