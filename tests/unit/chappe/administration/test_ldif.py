import pytest

from chappe.administration.ldif import MalformedLDIF, records

TEXT = """version: 1
# people
dn: uid=anna,ou=people,dc=corp
objectClass: person
objectClass: inetOrgPerson
uid: anna
cn: Anna
  Petit
mail;lang-fr: anna@corp.example

dn:: dWlkPWJydW5v
uid: bruno
cn:: QnLDvG5v
# a comment that
 goes on

dn: uid=chloe
changetype: add
uid: chloe"""


def test_records() -> None:
    (first, anna), (second, bruno), (third, chloe) = records(TEXT.splitlines(keepends=True))
    assert (first, second, third) == (3, 11, 17)
    assert anna["cn"] == ["Anna Petit"]
    assert anna["objectclass"] == ["person", "inetOrgPerson"]
    assert anna["mail"] == ["anna@corp.example"]
    assert (bruno["dn"], bruno["cn"]) == (["uid=bruno"], ["Brüno"])
    assert chloe["uid"] == ["chloe"]


def test_nothing() -> None:
    assert list(records([])) == []
    assert list(records(["\n", "\n"])) == []


def test_windows_line_ends() -> None:
    assert list(records(["dn: x\r\n", "uid: a\r\n", " b\r\n"])) == [(1, {"dn": ["x"], "uid": ["ab"]})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uid: anna", "line 1: a record must begin with dn"),
        ("dn: x\nuid", "line 2: no attribute with a colon"),
        ("dn: x\n: y", "line 2: no attribute with a colon"),
        ("dn: x\nuid:: !!", "line 2: not base64"),
        ("dn: x\njpegPhoto:< file:///etc/passwd", "line 2: values from URLs are not read"),
        ("dn: x\nchangetype: delete", "line 2: a change record of type 'delete'"),
    ],
)
def test_malformed(text: str, message: str) -> None:
    with pytest.raises(MalformedLDIF, match=message):
        list(records(text.splitlines()))
