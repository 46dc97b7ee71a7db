from pathlib import Path

from chappe.administration.rows import read_csv
from chappe.demo.company import colleagues, people, write_csv
from xmpp.jid import JID


def test_the_people_whom_the_documents_name() -> None:
    sites = {each.local: each.site for each in people()}
    assert [sites[name] for name in ("anna", "bruno", "chloe", "david")] == ["paris", "paris", "lyon", "lyon"]
    anna = next(each for each in people() if each.local == "anna")
    assert {"bruno", "chloe", "david"} <= {each.local for each in colleagues(anna)}


def test_everybody_is_somebody_and_has_colleagues_at_both_sites() -> None:
    everybody = list(people())
    assert len({each.local for each in everybody}) == len(everybody) == 40
    for person in everybody:
        assert JID.parse(f"{person.local}@corp.example").local == person.local
        assert person.name
        assert {each.site for each in [person, *colleagues(person)]} == {"paris", "lyon"}


def test_the_file_is_one_that_can_be_imported(tmp_path: Path) -> None:
    write_csv(tmp_path / "people.csv")
    sheet = read_csv((tmp_path / "people.csv").read_text(), "")
    assert sheet.errors == []
    assert len(sheet.rows) == 40
