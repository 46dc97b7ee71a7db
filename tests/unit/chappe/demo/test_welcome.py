from pathlib import Path

from chappe.demo.company import people
from chappe.demo.layout import Layout
from chappe.demo.welcome import welcome, wrapped


def test_everybody_and_every_port_is_named() -> None:
    text = welcome(Layout(Path(".demo"), 100))
    assert [each.local for each in people() if f" {each.local}" not in text] == []
    for word in ("5322", "5323", "5380", "5422", "5423", "5480", "'demo'", "chappe chat anna@corp.example", "ca.pem"):
        assert word in text
    assert "--folder" not in text
    assert "--folder elsewhere --cut lyon" in welcome(Layout(Path("elsewhere")))


def test_lines_are_short() -> None:
    assert max(len(line) for line in wrapped(["name"] * 50).splitlines()) < 90
