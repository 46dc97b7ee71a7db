"""Frames as bytes, and what frames carry as the language's own values.  Pure.

A batch on the socket is a msgpack array of frames after its length in 4 bytes, most significant first.
"""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import msgspec

from edge_node.backplane.frames import (
    VERSION,
    BindingRefused,
    Close,
    CredentialsFound,
    FromCore,
    FromListener,
    Reattach,
    Receive,
    Verifier,
    Welcome,
)
from edge_node.backplane.policy import StreamPolicy
from edge_node.backplane.ports import ConnectionFacts, Reattachment
from xmpp.element import Element, parse_fragment, serialize
from xmpp.errors import ErrorType, StanzaCondition, StanzaError, StreamCondition, StreamError
from xmpp.jid import JID
from xmpp.sasl import Credentials, ScramVerifier
from xmpp.stanza import Stanza

LENGTH_SIZE_BYTES: Final = 4
BATCH_SIZE_BYTES_MAX: Final = 64 * 1024 * 1024
"""A longer batch is a fault of the sender, who writes long before (`FLUSH_SIZE_BYTES`)."""

FLUSH_SIZE_BYTES: Final = 256 * 1024
"""What gathers beyond this is written at once instead of at the end of the loop's turn."""

_ENCODER: Final = msgspec.msgpack.Encoder()
_Frame = TypeVar("_Frame")


class FrameError(Exception):
    """Bytes that are no frames of this version: the connection is of no further use."""


def batch(frames: Sequence[FromListener | FromCore]) -> bytes:
    """Return what carries these frames on the socket."""
    body = bytearray(LENGTH_SIZE_BYTES)
    _ENCODER.encode_into(frames, body, LENGTH_SIZE_BYTES)
    body[:LENGTH_SIZE_BYTES] = (len(body) - LENGTH_SIZE_BYTES).to_bytes(LENGTH_SIZE_BYTES, "big")
    return bytes(body)


class BatchReader(Generic[_Frame]):
    """Cuts a stream of bytes into frames; holds at most one batch that is not complete."""

    __slots__ = ("_decoder", "_held")

    def __init__(self, decoder: "msgspec.msgpack.Decoder[list[_Frame]]") -> None:
        """Read the frames of one direction."""
        self._decoder = decoder
        self._held = b""

    def receive(self, data: bytes) -> list[_Frame]:
        """Return the frames that are complete now, in order.

        Raises:
            FrameError: the bytes are no frames of this version.
        """
        if self._held:
            data = self._held + data
        frames: list[_Frame] = []
        start, end = 0, len(data)
        while end - start >= LENGTH_SIZE_BYTES:
            body = start + LENGTH_SIZE_BYTES
            size = int.from_bytes(data[start:body], "big")
            if size > BATCH_SIZE_BYTES_MAX:
                raise FrameError(f"a batch of {size} bytes")
            if end - body < size:
                break
            start = body + size
            try:
                frames += self._decoder.decode(memoryview(data)[body:start])
            except msgspec.MsgspecError as error:
                raise FrameError(str(error)) from error
        self._held = data[start:] if start < end else b""
        return frames


def listener_frames() -> "BatchReader[FromListener]":
    """Read what a listener says."""
    return BatchReader(msgspec.msgpack.Decoder(list[FromListener]))


def core_frames() -> "BatchReader[FromCore]":
    """Read what the core says."""
    return BatchReader(msgspec.msgpack.Decoder(list[FromCore]))


def receive_frame(connection: int, stanza: Stanza) -> Receive:
    """Return the frame of a stanza from a client."""
    to, sender = stanza.to, stanza.sender
    return Receive(
        connection,
        stanza.kind,
        stanza.type,
        stanza.id,
        None if to is None else to.full,
        None if sender is None else sender.full,
        stanza.lang,
        stanza.payloads,
        stanza.inner,
        stanza.declarations,
        stanza.malformed,
    )


def stanza_of(frame: Receive) -> Stanza:
    """Return the stanza as it was in the listener."""
    to, sender = frame.to, frame.sender
    return Stanza(
        frame.kind,
        frame.type,
        frame.id,
        None if to is None else JID.parse(to),
        None if sender is None else JID.parse(sender),
        frame.lang,
        frame.payloads,
        frame.inner,
        frame.declarations,
        frame.malformed,
    )


def welcome_frame(policy: StreamPolicy) -> Welcome:
    """Return the frame that takes a listener on."""
    features = [serialize(feature) for feature in policy.features]
    return Welcome(VERSION, policy.domain, policy.secret, policy.fake_iterations, features)


def policy_of(frame: Welcome) -> StreamPolicy:
    """Return what holds for streams."""
    features = tuple(child for data in frame.features for child in parse_fragment(data) if isinstance(child, Element))
    return StreamPolicy(frame.domain, frame.secret, frame.fake_iterations, features)


def reattach_frame(connection: int, facts: ConnectionFacts, state: Reattachment) -> Reattach:
    """Return the frame that brings a bound connection back."""
    return Reattach(
        connection,
        facts.remote_address,
        facts.transport,
        facts.encrypted,
        state.jid.full,
        state.session_key,
        state.handled,
        state.written,
    )


def reattachment_of(frame: Reattach) -> tuple[ConnectionFacts, Reattachment]:
    """Return what the listener remembers."""
    return (
        ConnectionFacts(frame.remote_address, frame.transport, frame.encrypted),
        Reattachment(JID.parse(frame.jid), frame.session_key, frame.handled, frame.written),
    )


def credentials_frame(connection: int, credentials: Credentials | None) -> CredentialsFound:
    """Return the frame of an account's verifiers."""
    if credentials is None:
        return CredentialsFound(connection, None)
    verifiers = credentials.verifiers.values()
    return CredentialsFound(
        connection, [Verifier(v.hash_name, v.salt, v.iterations, v.stored_key, v.server_key) for v in verifiers]
    )


def credentials_of(frame: CredentialsFound) -> Credentials | None:
    """Return the verifiers."""
    if frame.verifiers is None:
        return None
    return Credentials(
        {
            v.hash_name: ScramVerifier(v.hash_name, v.salt, v.iterations, v.stored_key, v.server_key)
            for v in frame.verifiers
        }
    )


def refusal_frame(connection: int, error: StanzaError) -> BindingRefused:
    """Return the frame of a refused binding."""
    application = _rendered(error.application)
    return BindingRefused(connection, error.condition.name, error.type, error.text, application, error.address)


def refusal_of(frame: BindingRefused) -> StanzaError:
    """Return why the binding was refused."""
    application = _element_of(frame.application)
    return StanzaError(StanzaCondition[frame.condition], ErrorType(frame.type), frame.text, application, frame.address)


def close_frame(connection: int, error: StreamError | None) -> Close:
    """Return the frame that ends a stream."""
    if error is None:
        return Close(connection, "", "", "")
    return Close(connection, error.condition, error.text, error.address, _rendered(error.application))


def error_of(frame: Close) -> StreamError | None:
    """Return why the stream ends."""
    if not frame.condition:
        return None
    application = _element_of(frame.application)
    return StreamError(StreamCondition(frame.condition), frame.text, frame.address, application)


def _rendered(element: Element | None) -> bytes:
    return b"" if element is None else serialize(element)


def _element_of(rendered: bytes) -> Element | None:
    return next((child for child in parse_fragment(rendered) if isinstance(child, Element)), None)
