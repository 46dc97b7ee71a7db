"""The states of a stream, and how facts lead from one to another.

Rule: everything that leads from one state to another is in the two tables here; this file knows neither XML nor bytes.

Theory of operation
    A stream is opened up to three times over one connection: in the clear, after STARTTLS, and after SASL
    (RFC 6120 section 4.3.3).  OPENING and REOPENING wait for the peer's header, before and after authentication.
    Between header and end the two sides take turns, so that at each moment one thing is awaited, and the state says
    which.  Where the answer has to come from outside (a store, the TLS library), the state is one of `PAUSED`: whatever
    the peer sends meanwhile is kept, within a bound, and read when the answer has come.
    A fact that the table does not list for a state cannot happen there.  A peer's element is only turned into a fact
    after the stream has seen that it is expected; so a missing entry means that our own side called what it may not,
    and raises StreamMisuse.
    CLOSED is reachable from everywhere, by an error, by the end of the connection or by both sides' closing tags.
"""

from collections.abc import Mapping
from enum import Enum, auto


class StreamState(Enum):
    """What the stream is waiting for."""

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python, at every look into a table

    OPENING = auto()
    """The peer's first header, or the one after STARTTLS."""
    NEGOTIATING = auto()
    """Server: STARTTLS or SASL.  Client: the features that offer them."""
    REQUESTING_TLS = auto()
    """Client: the answer to `<starttls/>`."""
    UPGRADING = auto()
    """The TLS handshake, done by the shell."""
    AUTHENTICATING = auto()
    """The other side's next SASL message."""
    VERIFYING = auto()
    """Server: credentials, or the result of a password check, from the shell."""
    REOPENING = auto()
    """The header of the authenticated stream."""
    AUTHENTICATED = auto()
    """Server: resource binding or resumption.  Client: the features that offer them."""
    BINDING = auto()
    """Server: the resource, from the shell.  Client: the result of binding."""
    RESUMING = auto()
    """Server: the former session, from the shell.  Client: the result of resumption."""
    BOUND = auto()
    """Server: whatever follows binding at once; a legacy session request is answered."""
    ONLINE = auto()
    """Stanzas."""
    CLOSING = auto()
    """The peer's closing tag, after ours."""
    CLOSED = auto()
    """Nothing."""


class Fact(Enum):
    """What happened."""

    HEADER_TAKEN = auto()
    TLS_WANTED = auto()
    TLS_AGREED = auto()
    TLS_ESTABLISHED = auto()
    MESSAGE_SENT = auto()
    ANSWER_WANTED = auto()
    ATTEMPT_FAILED = auto()
    AUTHENTICATION_DONE = auto()
    RESOURCE_WANTED = auto()
    RESOURCE_BOUND = auto()
    BINDING_REFUSED = auto()
    RESUMPTION_WANTED = auto()
    STREAM_RESUMED = auto()
    RESUMPTION_REFUSED = auto()
    NEGOTIATION_OVER = auto()
    END_SENT = auto()
    END = auto()


Table = Mapping[StreamState, Mapping[Fact, StreamState]]

_S = StreamState
_F = Fact

SERVER_TRANSITIONS: Table = {
    _S.OPENING: {_F.HEADER_TAKEN: _S.NEGOTIATING},
    _S.NEGOTIATING: {
        _F.TLS_AGREED: _S.UPGRADING,
        _F.MESSAGE_SENT: _S.AUTHENTICATING,
        _F.ANSWER_WANTED: _S.VERIFYING,
        _F.ATTEMPT_FAILED: _S.NEGOTIATING,
    },
    _S.UPGRADING: {_F.TLS_ESTABLISHED: _S.OPENING},
    _S.AUTHENTICATING: {
        _F.ANSWER_WANTED: _S.VERIFYING,
        _F.ATTEMPT_FAILED: _S.NEGOTIATING,
        _F.AUTHENTICATION_DONE: _S.REOPENING,
    },
    _S.VERIFYING: {
        _F.MESSAGE_SENT: _S.AUTHENTICATING,
        _F.ATTEMPT_FAILED: _S.NEGOTIATING,
        _F.AUTHENTICATION_DONE: _S.REOPENING,
    },
    _S.REOPENING: {_F.HEADER_TAKEN: _S.AUTHENTICATED},
    _S.AUTHENTICATED: {_F.RESOURCE_WANTED: _S.BINDING, _F.RESUMPTION_WANTED: _S.RESUMING},
    _S.BINDING: {_F.RESOURCE_BOUND: _S.BOUND, _F.BINDING_REFUSED: _S.AUTHENTICATED},
    _S.RESUMING: {_F.STREAM_RESUMED: _S.ONLINE, _F.RESUMPTION_REFUSED: _S.AUTHENTICATED},
    _S.BOUND: {_F.NEGOTIATION_OVER: _S.ONLINE},
    _S.ONLINE: {},
    _S.CLOSING: {},
}
"""Without END_SENT and END, which `after` adds for all states."""

CLIENT_TRANSITIONS: Table = {
    _S.OPENING: {_F.HEADER_TAKEN: _S.NEGOTIATING},
    _S.NEGOTIATING: {_F.TLS_WANTED: _S.REQUESTING_TLS, _F.MESSAGE_SENT: _S.AUTHENTICATING},
    _S.REQUESTING_TLS: {_F.TLS_AGREED: _S.UPGRADING},
    _S.UPGRADING: {_F.TLS_ESTABLISHED: _S.OPENING},
    _S.AUTHENTICATING: {_F.MESSAGE_SENT: _S.AUTHENTICATING, _F.AUTHENTICATION_DONE: _S.REOPENING},
    _S.REOPENING: {_F.HEADER_TAKEN: _S.AUTHENTICATED},
    _S.AUTHENTICATED: {_F.RESOURCE_WANTED: _S.BINDING, _F.RESUMPTION_WANTED: _S.RESUMING},
    _S.BINDING: {_F.RESOURCE_BOUND: _S.ONLINE},
    _S.RESUMING: {_F.STREAM_RESUMED: _S.ONLINE, _F.RESUMPTION_REFUSED: _S.BINDING},
    _S.ONLINE: {},
    _S.CLOSING: {},
}
"""Without END_SENT and END, which `after` adds for all states."""

AWAITING_HEADER = frozenset({StreamState.OPENING, StreamState.REOPENING})
"""The peer's header has to come, and a server's own has not been sent."""

PAUSED = frozenset({StreamState.VERIFYING, StreamState.BINDING, StreamState.RESUMING})
"""Server: what arrives is kept until the shell has answered."""


class StreamMisuse(RuntimeError):
    """Our own side called what the stream's state does not allow; never caused by a peer."""


def after(table: Table, state: StreamState, fact: Fact) -> StreamState:
    """The state that follows.  Raises StreamMisuse."""
    if fact is Fact.END and state is not StreamState.CLOSED:
        return StreamState.CLOSED
    if fact is Fact.END_SENT and state not in (StreamState.CLOSING, StreamState.CLOSED):
        return StreamState.CLOSING
    try:
        return table[state][fact]
    except KeyError as error:
        raise StreamMisuse(f"{fact.name} cannot happen while {state.name}") from error
