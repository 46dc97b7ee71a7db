"""A newcomer's first hour: the demo, two people in two branches, a cut, a crash."""

import signal

import pytest

from chappe.demo.process import leftovers
from tests.integration.demo.conftest import Demo


def test_two_branches_talk_through_cuts_and_crashes(demo: Demo) -> None:
    with demo.start() as running, demo.chat("anna", "--to", "chloe") as anna:
        anna.until("talking to chloe")
        with demo.chat("chloe", "--to", "anna") as chloe:
            chloe.until("talking to anna")
            anna.until("Chloe Martin is online")
            running.until("chloe is online")
            anna.type("over the hill")
            chloe.until("anna: over the hill")
            anna.until("delivered to chloe: over the hill")
            running.until("paris -> lyon")

            assert "is cut" in demo.order("--cut", "lyon")
            running.until("link down")
            anna.type("while the link is cut")
            running.until("in the spool for lyon")
            demo.order("--heal", "lyon")
            chloe.until("anna: while the link is cut")
            anna.until("delivered to chloe: while the link is cut")

            chloe.type("before the crash", "/quit")
            anna.until("chloe: before the crash")
            assert chloe.process.wait(20) == 0

        running.process.kill()
        running.process.wait()
        anna.until("connection lost")
        anna.type("while everything is dead")
        with demo.start() as again:
            anna.until("connected again")
            with demo.chat("chloe", "--to", "anna") as chloe:
                lines = [
                    chloe.until(f": {text}") for text in ("over the hill", "while the link is cut", "before the crash")
                ]
                assert len(lines) == 3, "history survives"
                chloe.until("anna: while everything is dead")
                assert sum("while everything is dead" in line for line in chloe.seen) == 1
            assert again.end() == 0
    assert leftovers(demo.layout.folder) == []


def test_a_second_device_sees_both_sides(demo: Demo) -> None:
    with demo.start() as running, demo.chat("anna") as phone, demo.chat("anna", "--to", "bruno") as desk:
        phone.until("contacts, online")
        desk.until("talking to bruno")
        with demo.chat("bruno", "--to", "anna") as bruno:
            bruno.until("talking to anna")
            desk.type("said at the desk")
            phone.until("anna to bruno: said at the desk")
            bruno.until("anna: said at the desk")
            bruno.type("and answered")
            phone.until("bruno: and answered")
            desk.until("bruno: and answered")
        assert running.end() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_listeners_are_taken_back_or_ended(demo: Demo, number: signal.Signals) -> None:
    with demo.start("--listeners", "1") as running, demo.chat("anna", "--to", "bruno") as anna:
        anna.until("talking to bruno")
        assert len(leftovers(demo.layout.folder)) == 5, "a hub, two cores, two listeners"
        running.end(number)
        with demo.start("--listeners", "1") as again, demo.chat("bruno") as bruno:
            bruno.until("contacts, online")
            anna.type("still here")
            bruno.until("anna: still here")
            assert again.end() == 0
    assert leftovers(demo.layout.folder) == []
