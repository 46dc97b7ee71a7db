"""Each call of a channel is one frame."""

import inspect
from typing import Any

import pytest

from edge_node.backplane import frames
from edge_node.backplane.channel import RemoteChannel
from edge_node.backplane.ports import Channel
from xmpp.errors import StanzaCondition, StanzaError, StreamCondition, StreamError
from xmpp.jid import JID

ANNA = JID.parse("anna@corp.example/phone")
CALLS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "credentials_found": ((None,), frames.CredentialsFound(7, None)),
    "redirect": (("lyon", 5222), frames.Redirect(7, "lyon", 5222)),
    "bound": ((ANNA, 99), frames.Bound(7, ANNA.full, 99)),
    "binding_refused": (
        (StanzaError(StanzaCondition.CONFLICT),),
        frames.BindingRefused(7, "CONFLICT", "cancel", "", b"", ""),
    ),
    "management_enabled": (("id", 300, 100), frames.ManagementEnabled(7, "id", 300, 100)),
    "management_refused": ((), frames.ManagementRefused(7)),
    "resumed": (("id", 5, ANNA, 99), frames.Resumed(7, "id", 5, ANNA.full, 99)),
    "resumption_refused": ((None,), frames.ResumptionRefused(7, None)),
    "deliver": ((b"<message/>",), frames.Deliver(b"<message/>", [7])),
    "nonza": ((b"<r/>",), frames.Nonza(7, b"<r/>")),
    "handled": ((5,), frames.Handled(7, 5)),
    "close": ((StreamError(StreamCondition.CONFLICT, "text"),), frames.Close(7, "conflict", "text", "")),
    "pause_reading": ((), frames.PauseReading(7)),
    "resume_reading": ((), frames.ResumeReading(7)),
}


class Peer:
    def __init__(self) -> None:
        self.frames: list[Any] = []

    def put(self, frame: object) -> None:
        self.frames.append(frame)

    def deliver(self, connection: int, data: bytes) -> None:
        self.frames.append(frames.Deliver(data, [connection]))


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_a_frame(name: str) -> None:
    arguments, frame = CALLS[name]
    peer = Peer()
    getattr(RemoteChannel(peer, 7), name)(*arguments)
    assert peer.frames == [frame]


def test_every_call_of_the_port_is_here() -> None:
    assert {name for name, _ in inspect.getmembers(Channel, inspect.isfunction) if name[0] != "_"} == set(CALLS)
