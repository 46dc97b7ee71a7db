from edge_node.adapters.sqlite.connection import Connection
from edge_node.adapters.sqlite.owners import Owners


def test_an_account_keeps_its_number(connection: Connection) -> None:
    owners = Owners(10)
    numbers = {name: owners.find(connection, name).number for name in "ab"}
    owners.committed()
    assert {name: owner.number for name, owner in owners.known.items()} == numbers
    assert {name: Owners(10).find(connection, name).number for name in "ab"} == numbers


def test_beyond_the_bound_accounts_are_looked_up_again_but_not_while_rows_have_to_be_found(
    connection: Connection,
) -> None:
    owners = Owners(2)
    for row, name in enumerate("abc"):
        owners.add(owners.find(connection, name), row)
    owners.committed()
    assert [owners.recent(name) for name in "abc"] == [[0], [1], [2]]
    owners.moved()
    assert owners.known == {}
    assert owners.recent("a") == []


def test_numbers_of_a_transaction_that_was_rolled_back_never_were(connection: Connection) -> None:
    owners = Owners(10)
    connection.execute("BEGIN")
    kept = owners.find(connection, "a")
    connection.execute("COMMIT")
    owners.committed()
    connection.execute("BEGIN")
    owners.add(kept, 1)
    owners.add(kept, 2)
    owners.add(owners.find(connection, "b"), 3)
    connection.execute("ROLLBACK")
    owners.rolled_back(1)
    assert owners.recent("a") == [1]
    assert owners.known == {"a": kept}
    assert owners.find(connection, "c").number == kept.number + 1


def test_rows_that_have_moved_are_not_looked_for_in_recent(connection: Connection) -> None:
    owners = Owners(10)
    owner = owners.find(connection, "a")
    owners.add(owner, 1)
    seen = owners.recent("a")
    owners.moved()
    owners.add(owner, 1)
    owners.add(owner, 2)
    assert (seen, owners.recent("a")) == ([1], [1, 2])
