"""A feature is a value: it says what it is and what it does, and nobody calls `register`."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from edge_node.pipeline.passage import Passage
from edge_node.sessions.session import Session
from xmpp.element import Element
from xmpp.errors import StanzaError
from xmpp.jid import JID
from xmpp.stanza import Stanza


@dataclass(frozen=True, slots=True)
class Spec:
    """A specification that a feature implements; `docs/xeps.md` is made from these."""

    document: str
    """For example "RFC 6121" or "XEP-0199"."""
    version: str = ""
    note: str = ""


class To(Enum):
    """Whom an IQ request is addressed to, as far as the edge answers for him."""

    SERVER = auto()
    """The domain itself."""
    ACCOUNT = auto()
    """The bare JID of a local account, or no address at all (RFC 6120 section 10.3.3)."""


class Query(NamedTuple):
    """The key of an IQ handler."""

    type: str
    """get or set."""
    payload: str
    """Clark name of the payload."""
    to: To


@dataclass(frozen=True, slots=True)
class Request:
    """An IQ of type get or set, for a handler."""

    stanza: Stanza
    sender: JID
    """The full JID it came from, certain."""
    account: JID | None
    """The local account that it is addressed to (bare); None for the server."""
    session: Session | None
    """The local session that sent it; None when it came over the cascade."""

    @property
    def payload(self) -> Element:
        """The one payload, parsed."""
        return self.stanza.elements()[0]

    @property
    def is_own(self) -> bool:
        """Whether the account addressed is the sender's own."""
        return self.account is not None and self.sender.bare == self.account.bare


Answer = Stanza | None
"""The response; None when the handler answers later on its own."""

IQHandler = Callable[[Request], Answer | Coroutine[Any, Any, Answer]]
"""Answers a request, at once or as a coroutine.  A raised `StanzaError` becomes the error response."""


class Drop(NamedTuple):
    """Verdict: the stanza ends here, and its sender is told nothing."""

    reason: str


Verdict = None | Drop | StanzaError
"""None lets the stanza pass."""

Guard = Callable[[Passage], Verdict]
"""May it pass?  Runs in list order, the first verdict that is not None wins; if it raises, nothing passes."""

Record = Callable[[Passage], None]
"""Adds to `passage.acceptance` what is to be stored; if it raises, the stanza is refused with type wait."""

Copy = Callable[[Passage], None]
"""Runs after acceptance; if it raises that is logged and counted, and everything else goes on."""


class SessionObserver(Protocol):
    """What a feature is told of the life of local sessions.  Synchronous; slow work goes to `tasks`."""

    def available(self, session: Session, *, first: bool) -> None:
        """Available presence was sent, for the first time or again; `first`: the account had no available resource."""

    def unavailable(self, session: Session, *, last: bool) -> None:
        """The session is no longer available; `last`: the account has no available resource left."""

    def closed(self, session: Session) -> None:
        """The session is over."""


@dataclass(frozen=True, slots=True)
class Stages:
    """What a feature does with messages in one direction."""

    guards: tuple[Guard, ...] = ()
    records: tuple[Record, ...] = ()
    copies: tuple[Copy, ...] = ()


NO_STAGES = Stages()
NO_HANDLERS: Mapping[Query, IQHandler] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One capability of the edge."""

    name: str
    specs: tuple[Spec, ...]
    server_features: tuple[str, ...] = ()
    """Advertised by service discovery of the domain."""
    account_features: tuple[str, ...] = ()
    """Advertised by service discovery of an account."""
    stream_features: tuple[Element, ...] = ()
    """Advertised in `<stream:features/>` after authentication."""
    iq: Mapping[Query, IQHandler] = field(default_factory=lambda: NO_HANDLERS)
    outbound: Stages = NO_STAGES
    """For messages leaving a local session."""
    inbound: Stages = NO_STAGES
    """For messages about to reach a local account."""
    sessions: SessionObserver | None = None


class FeatureConflict(Exception):
    """Two features claim the same query."""


def handlers_of(features: Sequence[Feature]) -> Mapping[Query, IQHandler]:
    """All IQ handlers in one table.

    Raises:
        FeatureConflict: two features claim one query; both are named.
    """
    table: dict[Query, IQHandler] = {}
    owner: dict[Query, str] = {}
    for feature in features:
        for query, handler in feature.iq.items():
            if query in table:
                message = f"features {owner[query]} and {feature.name} both answer {query}"
                raise FeatureConflict(message)
            table[query] = handler
            owner[query] = feature.name
    return table
