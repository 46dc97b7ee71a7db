"""One connection of a listener process, as the core sees it."""

from typing import Protocol

from edge_node.backplane import frames
from edge_node.backplane.codec import close_frame, credentials_frame, refusal_frame
from xmpp.errors import StanzaError, StreamError
from xmpp.jid import JID
from xmpp.sasl import Credentials


class Peer(Protocol):
    """The listener process that holds the socket."""

    def put(self, frame: frames.FromCore) -> None:
        """Write a frame at the end of this turn of the loop."""

    def deliver(self, connection: int, data: bytes) -> None:
        """Write a delivery; one that follows on with the same bytes joins its frame."""


class RemoteChannel:
    """`Channel` over the backplane; after the listener is lost, calls do nothing."""

    __slots__ = ("_connection", "_peer")

    def __init__(self, peer: Peer, connection: int) -> None:
        self._peer = peer
        self._connection = connection

    def credentials_found(self, credentials: Credentials | None) -> None:
        self._peer.put(credentials_frame(self._connection, credentials))

    def redirect(self, host: str, port: int) -> None:
        self._peer.put(frames.Redirect(self._connection, host, port))

    def bound(self, jid: JID, session_key: int) -> None:
        self._peer.put(frames.Bound(self._connection, jid.full, session_key))

    def binding_refused(self, error: StanzaError) -> None:
        self._peer.put(refusal_frame(self._connection, error))

    def management_enabled(self, resumption_id: str, max_seconds: int, key: int) -> None:
        self._peer.put(frames.ManagementEnabled(self._connection, resumption_id, max_seconds, key))

    def management_refused(self) -> None:
        self._peer.put(frames.ManagementRefused(self._connection))

    def resumed(self, previous_id: str, h: int, jid: JID, session_key: int) -> None:
        self._peer.put(frames.Resumed(self._connection, previous_id, h, jid.full, session_key))

    def resumption_refused(self, h: int | None) -> None:
        self._peer.put(frames.ResumptionRefused(self._connection, h))

    def deliver(self, data: bytes) -> None:
        self._peer.deliver(self._connection, data)

    def nonza(self, data: bytes) -> None:
        self._peer.put(frames.Nonza(self._connection, data))

    def handled(self, h: int) -> None:
        self._peer.put(frames.Handled(self._connection, h))

    def close(self, error: StreamError | None) -> None:
        self._peer.put(close_frame(self._connection, error))

    def pause_reading(self) -> None:
        self._peer.put(frames.PauseReading(self._connection))

    def resume_reading(self) -> None:
        self._peer.put(frames.ResumeReading(self._connection))
