"""A port that cannot accept waits instead of spinning."""

import errno
import socket
from collections.abc import Callable
from typing import Any, cast

from edge_node.listeners.acceptor import Acceptor
from edge_node.listeners.listener import Listener

NewListener = Callable[..., Listener]


class Failing:
    """A listening socket that accepts nobody: the errors one after the other, the last one for ever."""

    def __init__(self, *errors: int) -> None:
        self.calls = 0
        self._errors = errors

    def accept(self) -> None:
        self.calls += 1
        raise OSError(self._errors[min(self.calls, len(self._errors)) - 1], "an error of the kernel's")

    def close(self) -> None:
        """Nothing is open."""


class Loop:
    """Who is read, and what comes later."""

    def __init__(self) -> None:
        self.readers: list[Any] = []
        self.later: list[tuple[float, Callable[..., None], Any]] = []

    def add_reader(self, sock: object, *_: object) -> None:
        self.readers.append(sock)

    def remove_reader(self, sock: object) -> None:
        if sock in self.readers:
            self.readers.remove(sock)

    def call_later(self, seconds: float, callback: Callable[..., None], *arguments: object) -> None:
        self.later.append((seconds, callback, arguments))


async def test_without_descriptors_the_port_is_left_alone_for_a_while(edge: NewListener) -> None:
    listener = edge()
    listener.loop = loop = Loop()  # type: ignore[assignment]
    acceptor = Acceptor(listener, lambda _: None, bytes)  # type: ignore[arg-type,return-value]
    exhausted = Failing(errno.EMFILE)
    sock = cast("socket.socket", exhausted)
    acceptor._sockets.append(sock)  # noqa: SLF001 - as if it listened
    loop.add_reader(sock)
    acceptor._accept(sock)  # noqa: SLF001 - as the loop does
    assert exhausted.calls == 1
    assert loop.readers == []
    assert listener.metrics.refused == {"exhausted": 1}
    seconds, callback, arguments = loop.later.pop()
    assert seconds >= 0.5
    callback(*arguments)
    assert loop.readers == [sock]
    acceptor._accept(sock)  # noqa: SLF001
    acceptor.stop()
    _, callback, arguments = loop.later.pop()
    callback(*arguments)
    assert loop.readers == []


async def test_an_error_that_is_not_known_neither_ends_nor_spins_the_port(edge: NewListener) -> None:
    listener = edge()
    listener.loop = loop = Loop()  # type: ignore[assignment]
    acceptor = Acceptor(listener, lambda _: None, bytes)  # type: ignore[arg-type,return-value]
    failing = Failing(errno.EPROTO, errno.ENETUNREACH, errno.EINVAL)
    sock = cast("socket.socket", failing)
    loop.add_reader(sock)
    acceptor._accept(sock)  # noqa: SLF001 - as the loop does
    assert failing.calls == 3, "what befell one client says nothing of the next"
    assert loop.readers == []
    assert listener.metrics.refused == {"failed": 1}
    assert len(loop.later) == 1


async def test_a_draining_listener_takes_nobody(edge: NewListener) -> None:
    listener = edge()
    listener.is_draining = True
    ours, theirs = socket.socketpair()
    acceptor = Acceptor(listener, lambda _: None, lambda: b"no")  # type: ignore[arg-type,return-value]
    acceptor._admit(ours, "192.0.2.7")  # noqa: SLF001 - as if it had been accepted
    assert theirs.recv(10) == b"no"
    assert theirs.recv(10) == b""
    assert listener.admission.connections == 0
    theirs.close()
