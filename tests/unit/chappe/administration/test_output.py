from chappe.administration.output import Cell, table


def test_numbers_stand_right_and_everything_else_left() -> None:
    records: list[dict[str, Cell]] = [
        {"name": "paris", "linked": True, "accounts": 30000},
        {"name": "lyon", "linked": False, "accounts": 7},
    ]
    assert table(records, ["name", "linked", "accounts"]) == (
        "NAME   LINKED  ACCOUNTS\nparis  yes        30000\nlyon   no             7"
    )


def test_nothing_is_a_heading() -> None:
    assert table([], ["spooled_bytes"]) == "SPOOLED BYTES"
