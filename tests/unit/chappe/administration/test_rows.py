import pytest

from chappe.administration.rows import Row, UnreadableFile, read_csv, read_ldif, text_of


def test_csv_with_every_column_and_an_extra_one() -> None:
    sheet = read_csv("local,badge,site,password,display_name\nanna,7,paris,demo,Anna\n", "lyon")
    assert sheet.rows == [Row(2, "anna", "paris", "demo", "Anna")]
    assert sheet.warnings == ["ignored columns: badge"]


def test_csv_with_the_local_part_alone() -> None:
    sheet = read_csv("local\nanna\n", "lyon")
    assert sheet.rows == [Row(2, "anna", "lyon", "", None)]


def test_csv_numbers_are_lines_even_after_a_quoted_line_break() -> None:
    sheet = read_csv('local,display_name\nanna,"Anna\nPetit"\nbruno,B\n', "lyon")
    assert [(row.number, row.local) for row in sheet.rows] == [(2, "anna"), (4, "bruno")]


def test_csv_errors_name_their_line() -> None:
    sheet = read_csv("local,site\n,paris\n\n  \nanna,paris,more\n\nbruno\n", "lyon")
    assert [(number, local) for number, local, _ in sheet.errors] == [(2, ""), (4, ""), (5, "anna")]
    assert sheet.rows == [Row(7, "bruno", "lyon", "", None)]


def test_csv_as_spreadsheets_write_it() -> None:
    expected = [Row(2, "zoë", "paris", "a,b;c", "Zoë")]
    for delimiter in ";\t":
        lines = ("Local ,SITE,Password,display_name", 'zoë, paris,"a|b;c", Zoë ')
        text = "\r\n".join(line.replace(",", delimiter).replace("|", ",") for line in lines)
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            assert read_csv(text_of(text.encode(encoding), None), "").rows == expected
        assert read_csv(text_of(text.encode("cp1252"), "cp1252"), "").rows == expected


def test_an_empty_field_is_not_given() -> None:
    assert read_csv("local,site,password,display_name\nanna,,,\n", "lyon").rows == [Row(2, "anna", "lyon", "", None)]


def test_a_file_in_another_encoding_names_the_line() -> None:
    with pytest.raises(UnreadableFile, match=r"line 3: not utf-8 \(byte 0xeb\)"):
        text_of("local\nanna\nzoë\n".encode("latin-1"), None)


@pytest.mark.parametrize("text", ['local,site\nanna,paris\nbruno,"par\n', 'local\nanna\n"a"b\n'])
def test_nothing_is_read_of_a_file_that_stops_being_csv(text: str) -> None:
    with pytest.raises(UnreadableFile, match="line 3: not CSV"):
        read_csv(text, "")


@pytest.mark.parametrize("text", ["", "name,site\nanna,paris\n", '"local\n', "local,Local\nanna,anna\n"])
def test_csv_without_a_usable_header(text: str) -> None:
    with pytest.raises(UnreadableFile):
        read_csv(text, "")


def test_password_stays_out_of_the_representation() -> None:
    assert "secret" not in repr(Row(1, "anna", "paris", "secret", None))


def test_ldif() -> None:
    text = (
        "dn: uid=anna\nuid: anna\ncn: Anna Petit\nuserPassword: demo\n\n"
        "dn: cn=b\nmail: bruno@corp.example\ndisplayName: Bruno\ncn: B\nuserPassword: {SSHA}abc\n\n"
        "dn: ou=people\nou: people\n"
    )
    sheet = read_ldif(text, "paris")
    assert sheet.rows == [
        Row(1, "anna", "paris", "demo", "Anna Petit"),
        Row(6, "bruno", "paris", "", "Bruno"),
    ]
    assert sheet.warnings == [
        "skipped entries without uid and mail: 1",
        "passwords that are hashed, and so of no use: 1",
    ]


def test_ldif_values_that_are_no_text_matter_where_they_are_read() -> None:
    text = (
        "dn: uid=anna\nuid: anna\njpegPhoto:: /9j/4A==\n\n"
        "dn: uid=bruno\nuid: bruno\nuserPassword:: /9j/4A==\n\n"
        "dn: uid=chloe\nuid:: w6ljbMOpYQ==\nuserPassword: {SSHA}abc\nuserPassword: {clear \n"
    )
    sheet = read_ldif(text, "paris")
    assert sheet.rows == [Row(1, "anna", "paris", "", None), Row(9, "écléa", "paris", "{clear ", None)]
    assert sheet.errors == [(5, "", "a base64 value of its name or password is not UTF-8")]


def test_ldif_that_is_none() -> None:
    with pytest.raises(UnreadableFile, match="line 1"):
        read_ldif("local,site\n", "")
