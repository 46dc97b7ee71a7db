"""What a device asks, and whether it is answered."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.simulation.cluster.socket import Socket
from tests.simulation.cluster.trace import Trace
from xmpp.errors import StanzaError
from xmpp.stanza import Stanza

ERROR = "{jabber:client}error"
ANSWERED_SECONDS_MAX = 12.0
REPEATED_SECONDS = 3.0
NOTICED_SECONDS_MAX = 4.0
"""For the server to find out that a connection is gone."""


class World(Protocol):
    """Where the device lives."""

    trace: Trace
    complaints: list[str]


class Device(Protocol):
    """Who asks, or is asked."""

    name: str
    is_managed: bool
    is_online: bool
    socket: Socket | None
    absences: list[float]


class Requests:
    """The requests of one device."""

    def __init__(self, world: World, device: Device, send: Callable[[str], None]) -> None:
        self._world = world
        self._device = device
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._answers: dict[str, int] = {}
        self._removals: set[str] = set()

    def answered(self, stanza: Stanza) -> None:
        """A result or an error has come."""
        if stanza.id in self._removals:
            error = stanza.find(ERROR)
            condition = "" if error is None else StanzaError.from_element(error).condition
            if condition in ("", "item-not-found"):
                self._removals.remove(stanza.id)
        elif stanza.id in self._answers:
            self._answers[stanza.id] += 1

    def ping(self, to: str, other: Device) -> None:
        """Ask something that has to be answered once, by whomever, unless somebody sends something again.

        Args:
            to: whom to ask.
            other: who may be asked by that: without stream management it may be gone before the server knows.
        """
        device, socket = self._device, self._device.socket
        assert socket is not None
        self._count += 1
        id_ = f"ping-{self._count}"
        self._answers[id_] = 0
        before = self._breaches()
        since = self._loop.time() - NOTICED_SECONDS_MAX
        self._send(f'<iq type="get" id="{id_}" to="{to}"><ping xmlns="urn:xmpp:ping"/></iq>')

        def check() -> None:
            answers = self._answers.pop(id_)
            is_quiet = device.socket is socket and not socket.is_over and self._breaches() == before
            if answers == 0 and is_gone_since(other.absences, since) and not other.is_managed:
                return
            if answers != 1 and is_quiet:
                self._world.complaints.append(f"{device.name}: {id_} to {to} was answered {answers} times")

        self._loop.call_later(ANSWERED_SECONDS_MAX, check)

    def remove(self, contact: str) -> None:
        """Take a contact off the roster, however often that has to be asked."""
        id_ = f"remove-{contact}"
        self._removals.add(id_)
        if self._device.is_online:
            self._world.trace.note(self._device.name, f"removes {contact}")
            item = f'<item jid="{contact}" subscription="remove"/>'
            self._send(f'<iq type="set" id="{id_}"><query xmlns="jabber:iq:roster">{item}</query></iq>')

        def again() -> None:
            if id_ in self._removals:
                self.remove(contact)

        self._loop.call_later(REPEATED_SECONDS, again)

    def _breaches(self) -> int:
        """How often anything has happened after which clients send again."""
        return sum(self._world.trace.seen[breach] for breach in ("site died", "core died", "connection lost"))


def is_gone_since(absences: Sequence[float], since: float) -> bool:
    """Whether a device has lost its connection since then."""
    return any(absence > since for absence in absences)
