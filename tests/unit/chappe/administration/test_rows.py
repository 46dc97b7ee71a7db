from io import StringIO

import pytest

from chappe.administration.rows import Row, UnreadableFile, read_csv, read_ldif


def test_csv_with_every_column_and_an_extra_one() -> None:
    sheet = read_csv(StringIO("local,badge,site,password,display_name\nanna,7,paris,demo,Anna\n"), "lyon")
    assert sheet.rows == [Row(2, "anna", "paris", "demo", "Anna")]
    assert sheet.warnings == ["ignored columns: badge"]


def test_csv_with_the_local_part_alone() -> None:
    sheet = read_csv(StringIO("local\nanna\n"), "lyon")
    assert sheet.rows == [Row(2, "anna", "lyon", "", None)]


def test_csv_numbers_are_lines_even_after_a_quoted_line_break() -> None:
    sheet = read_csv(StringIO('local,display_name\nanna,"Anna\nPetit"\nbruno,B\n'), "lyon")
    assert [(row.number, row.local) for row in sheet.rows] == [(2, "anna"), (4, "bruno")]


def test_csv_errors_name_their_line() -> None:
    sheet = read_csv(StringIO('local,site\n,paris\nanna,paris,more\nbruno,"par\n'), "")
    assert [(number, local) for number, local, _ in sheet.errors] == [(2, ""), (3, "anna"), (4, "")]
    assert sheet.rows == []


@pytest.mark.parametrize("text", ["", "name,site\nanna,paris\n", '"local\n'])
def test_csv_without_a_usable_header(text: str) -> None:
    with pytest.raises(UnreadableFile):
        read_csv(StringIO(text), "")


def test_password_stays_out_of_the_representation() -> None:
    assert "secret" not in repr(Row(1, "anna", "paris", "secret", None))


def test_ldif() -> None:
    text = (
        "dn: uid=anna\nuid: anna\ncn: Anna Petit\nuserPassword: demo\n\n"
        "dn: cn=b\nmail: bruno@corp.example\ndisplayName: Bruno\ncn: B\nuserPassword: {SSHA}abc\n\n"
        "dn: ou=people\nou: people\n"
    )
    sheet = read_ldif(StringIO(text), "paris")
    assert sheet.rows == [
        Row(1, "anna", "paris", "demo", "Anna Petit"),
        Row(6, "bruno", "paris", "", "Bruno"),
    ]
    assert sheet.warnings == ["skipped entries without uid and mail: 1"]


def test_ldif_that_is_none() -> None:
    with pytest.raises(UnreadableFile, match="line 1"):
        read_ldif(StringIO("local,site\n"), "")
