"""What a listener remembers of a connection, and what it does when the core is lost and found."""

from typing import Any

import pytest

from edge_node.backplane import frames
from edge_node.backplane.attachment import RemoteAttachment
from edge_node.backplane.ports import ConnectionFacts
from edge_node.backplane.settings import BackplaneSettings
from tests.support.transports import Recording
from xmpp.stanza import Stanza

FACTS = ConnectionFacts("192.0.2.7", "tcp", encrypted=False)
JID_TEXT = "anna@corp.example/phone"


class Backplane:
    """What an attachment calls, written down."""

    def __init__(self) -> None:
        self.settings = BackplaneSettings(unhandled_stanzas_max=4, unhandled_size_bytes_max=4096)
        self.is_away = False
        self.is_congested = False
        self.frames: list[Any] = []
        self.abandoned: list[RemoteAttachment] = []
        self.held_back: list[RemoteAttachment] = []

    def put(self, frame: object) -> None:
        self.frames.append(frame)

    def hold_back(self, attachment: RemoteAttachment) -> None:
        self.held_back.append(attachment)

    def abandon(self, attachment: RemoteAttachment) -> None:
        self.abandoned.append(attachment)

    def detach(self, attachment: RemoteAttachment, frame: frames.Detach) -> None:
        self.frames.append(frame)

    def take(self) -> list[Any]:
        frames_, self.frames = self.frames, []
        return frames_


class Case:
    def __init__(self) -> None:
        self.core = Backplane()
        self.channel = Recording()
        self.attachment = RemoteAttachment(self.core, 7, self.channel, FACTS)

    def bind(self) -> "Case":
        self.attachment.bound(frames.Bound(7, JID_TEXT, 99))
        self.channel.take()
        return self

    def receive(self, *ids: str, inner: bytes = b"") -> None:
        for id_ in ids:
            self.attachment.receive(Stanza("message", id=id_, inner=inner))

    def lose_and_find(self) -> list[Any]:
        self.core.is_away = True
        self.attachment.core_lost()
        self.core.is_away = False
        self.core.take()
        self.attachment.core_back()
        return self.core.take()


@pytest.fixture
def case() -> Case:
    return Case()


def reattach(handled: int, written: int, key: int = 99) -> frames.Reattach:
    return frames.Reattach(7, "192.0.2.7", "tcp", False, JID_TEXT, key, handled, written)


def ids(sent: list[Any]) -> list[str | None]:
    return [frame.id for frame in sent if isinstance(frame, frames.Receive)]


def test_questions_are_frames(case: Case) -> None:
    case.attachment.find_credentials("anna")
    case.attachment.authenticated("anna")
    case.attachment.bind("phone")
    case.attachment.resume("id", 3)
    case.attachment.acknowledge(4)
    case.attachment.detach(True, "closed")
    assert case.core.take() == [
        frames.FindCredentials(7, "anna"),
        frames.Authenticated(7, "anna"),
        frames.Bind(7, "phone"),
        frames.Resume(7, "id", 3),
        frames.Acknowledge(7, 4),
        frames.Detach(7, True, "closed"),
    ]


def test_what_was_not_handled_is_sent_again_behind_the_reattachment(case: Case) -> None:
    case.bind()
    case.receive("1", "2", "3")
    case.attachment.handled(1)
    case.attachment.deliver(b"<message/>")
    sent = case.lose_and_find()
    assert sent[0] == reattach(handled=1, written=1)
    assert ids(sent) == ["2", "3"]
    assert case.channel.take() == [("handled", 1), ("deliver", b"<message/>"), ("pause_reading",), ("resume_reading",)]
    case.attachment.handled(3)
    assert ids(case.lose_and_find()) == []


def test_what_comes_while_the_core_is_away_is_sent_once(case: Case) -> None:
    case.bind()
    case.core.is_away = True
    case.attachment.core_lost()
    case.receive("1")
    case.attachment.acknowledge(5)
    assert case.core.take() == []
    case.core.is_away = False
    case.attachment.core_back()
    assert ids(case.core.take()) == ["1"]


def test_counts_begin_anew_with_stream_management(case: Case) -> None:
    case.bind()
    case.attachment.deliver(b"<message/>")
    case.receive("before 1", "before 2")
    case.attachment.enable_management(True, 60)
    assert not case.attachment.is_settled
    case.receive("after 1", "after 2")
    case.attachment.handled(1)  # of the old count, on its way when <enable/> was sent
    case.attachment.management_enabled(frames.ManagementEnabled(7, "id", 60, 100))
    case.attachment.deliver(b"<message/>")
    case.attachment.handled(1)
    sent = case.lose_and_find()
    assert sent[0] == reattach(handled=1, written=1, key=100)
    assert ids(sent) == ["after 2"]


def test_counts_go_on_when_stream_management_is_refused(case: Case) -> None:
    case.bind()
    case.receive("1")
    case.attachment.enable_management(False, None)
    case.receive("2")
    case.attachment.management_refused()
    assert case.attachment.is_settled
    assert ids(case.lose_and_find()) == ["1", "2"]


def test_a_resumed_stream_continues_both_counts_and_wraps(case: Case) -> None:
    case.attachment.resume("id", 2**32 - 1)
    case.attachment.resumed(frames.Resumed(7, "id", 2**32 - 2, JID_TEXT, 99))
    case.attachment.deliver(b"<message/>")
    case.receive("1", "2", "3")
    case.attachment.handled(0)
    sent = case.lose_and_find()
    assert sent[0] == reattach(handled=0, written=0)
    assert ids(sent) == ["3"]


def test_enabling_while_the_core_is_away_ends_the_connection(case: Case) -> None:
    case.bind()
    case.core.is_away = True
    case.attachment.enable_management(True, None)
    assert case.core.abandoned == [case.attachment]


def test_too_many_copies_pause_the_client_until_half_of_them_are_handled(case: Case) -> None:
    case.bind()
    case.receive("1", "2", "3")
    assert case.channel.take() == []
    case.receive("4")
    assert case.channel.take() == [("pause_reading",)]
    case.attachment.handled(1)
    assert case.channel.take() == [("handled", 1)]
    case.attachment.handled(2)
    assert case.channel.take() == [("resume_reading",), ("handled", 2)]


def test_too_many_bytes_pause_the_client_too(case: Case) -> None:
    case.bind()
    case.receive("1", inner=b"x" * 5000)
    assert case.channel.take() == [("pause_reading",)]
    case.attachment.handled(1)
    assert case.channel.take() == [("resume_reading",), ("handled", 1)]


def test_reading_goes_on_when_every_reason_has_passed(case: Case) -> None:
    case.bind()
    case.attachment.paused_by_core()
    case.attachment.held_back()
    case.attachment.unpaused_by_core()
    assert case.channel.take() == [("pause_reading",)]
    case.attachment.let_go()
    assert case.channel.take() == [("resume_reading",)]


def test_what_a_lost_core_wanted_is_void(case: Case) -> None:
    case.bind()
    case.attachment.paused_by_core()
    case.lose_and_find()
    assert case.channel.take() == [("pause_reading",), ("resume_reading",)]


def test_who_sends_while_the_core_takes_nothing_is_held_back(case: Case) -> None:
    case.bind()
    case.core.is_congested = True
    case.receive("1")
    assert case.core.held_back == [case.attachment]


def test_one_that_went_meanwhile_says_so_behind_what_it_had_said(case: Case) -> None:
    case.bind()
    case.receive("1")
    case.attachment.detached = frames.Detach(7, False, "slow")
    sent = case.lose_and_find()
    assert [type(frame) for frame in sent] == [frames.Reattach, frames.Receive, frames.Detach]
