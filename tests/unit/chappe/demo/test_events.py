import json

import pytest

from chappe.demo.events import Traffic, described, figures, say, tell

METRICS = """# TYPE hub_envelopes_total counter
hub_envelopes_total{{origin="paris"}} {paris}
# TYPE hub_envelopes_created gauge
hub_envelopes_created{{origin="paris"}} 1.7e+09
# TYPE hub_spool_envelopes gauge
hub_spool_envelopes{{site="lyon"}} {spooled}
hub_spool_envelopes{{site="paris"}} 0.0
# TYPE hub_site_linked gauge
hub_site_linked{{site="lyon"}} 1.0
"""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"event": "link_up", "level": "info", "site": "lyon"}, "  lyon  linked to the hub\n"),
        ({"event": "link_down", "level": "warning", "text": "refused"}, "  lyon  link down (refused); messages wait\n"),
        ({"event": "account_online", "level": "info", "account": "anna"}, "  lyon  anna is online\n"),
        ({"event": "accounts_applied", "level": "info"}, ""),
        ({"event": "disk_full", "level": "error", "timestamp": "now", "path": "/"}, "  lyon  disk full path=/\n"),
    ],
)
def test_logs_become_readable(capsys: pytest.CaptureFixture[str], fields: dict[str, str], words: str) -> None:
    tell("lyon", json.dumps(fields))
    assert capsys.readouterr().out == words


def test_on_the_first_day_everybody_comes_and_goes(capsys: pytest.CaptureFixture[str]) -> None:
    tell("lyon", json.dumps({"event": "account_online", "account": "anna"}), is_first_day=True)
    tell("lyon", json.dumps({"event": "link_up"}), is_first_day=True)
    assert capsys.readouterr().out == "  lyon  linked to the hub\n"


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "[1, 2]", "{}"])
def test_what_is_no_log_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], line: str) -> None:
    tell("hub", line)
    assert capsys.readouterr().out == f"   hub  {line}\n"


def test_no_colours_but_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("hub", "bad", is_bad=True)
    assert capsys.readouterr().out == "   hub  bad\n"


def test_only_what_is_watched_is_read() -> None:
    assert figures(METRICS.format(paris=3, spooled=2)) == {
        ("hub_envelopes", "paris"): 3.0,
        ("hub_spool_envelopes", "lyon"): 2.0,
        ("hub_spool_envelopes", "paris"): 0.0,
    }


def test_traffic_is_told_as_it_changes() -> None:
    traffic = Traffic(0, {"paris": "lyon", "lyon": "paris"})
    assert traffic.changes(METRICS.format(paris=1, spooled=0)) == ["paris -> lyon: 1 stanza"]
    assert traffic.changes(METRICS.format(paris=1, spooled=0)) == []
    assert traffic.changes(METRICS.format(paris=4, spooled=3)) == [
        "paris -> lyon: 3 stanzas",
        "3 stanzas in the spool for lyon",
    ]
    assert traffic.changes(METRICS.format(paris=4, spooled=0)) == ["the spool for lyon is empty"]
    assert traffic.changes(METRICS.format(paris=0, spooled=0)) == [], "the hub was started again"


def test_an_event_without_words() -> None:
    assert described("disk_full", {"event": "disk_full", "path": "/"}) == "disk full path=/"
