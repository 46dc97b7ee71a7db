from pathlib import Path

from chappe.demo.layout import Layout

FIXED = {5222, 5223, 5280, 5322, 5323, 5380}


def test_the_ports_that_scripts_rely_on() -> None:
    layout = Layout(Path(".demo"))
    assert set(layout.ports()) >= FIXED
    assert (layout.paris.starttls, layout.lyon.http) == (5222, 5380)
    assert len(layout.ports()) == 13, "none twice"


def test_all_of_them_can_be_shifted() -> None:
    assert set(Layout(Path(".demo"), 100).ports()) == {port + 100 for port in Layout(Path(".demo")).ports()}


def test_everything_is_in_the_folder() -> None:
    layout = Layout(Path("somewhere"))
    places = [layout.lock, layout.control, layout.ca, layout.administrator, layout.people, layout.peopled]
    places += [layout.config("hub"), layout.log("hub")]
    assert {place.parent for place in places} == {Path("somewhere")}
    assert len(set(places)) == len(places)
