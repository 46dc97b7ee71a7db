"""A conversation as a test: what a stream hears, what it must say, what it must report."""

from typing import Generic, TypeVar

from xmpp.client_stream import ClientStream
from xmpp.server_stream import ServerStream

S = TypeVar("S", ServerStream, ClientStream)


class Playbook(Generic[S]):
    """Wraps one stream; each step returns the book itself, so that a conversation reads from top to bottom."""

    def __init__(self, stream: S, piece_bytes: int | None = None) -> None:
        """With `piece_bytes`, what is heard arrives in pieces of that size."""
        self.stream: S = stream
        self._piece_bytes = piece_bytes

    def hears(self, data: bytes) -> "Playbook[S]":
        size = self._piece_bytes or max(len(data), 1)
        for start in range(0, len(data), size):
            self.stream.receive_data(data[start : start + size])
        return self

    def says(self, *messages: bytes) -> "Playbook[S]":
        assert self.stream.messages_to_send() == list(messages)
        return self

    def reports(self, *events: object) -> "Playbook[S]":
        assert self.stream.events_received() == list(events)
        return self
