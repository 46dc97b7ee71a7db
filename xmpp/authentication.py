"""A client's attempts to authenticate, carried by RFC 6120's elements (section 6).

Rule: elements in, steps out; what a step means for the stream is the stream's affair.
Another carrier (XEP-0388) reads and writes other elements around the same exchanges.
"""

from xmpp.element import Element
from xmpp.errors import SASLCondition, SASLFailure
from xmpp.negotiation import Progress, ServerSettings, mechanisms_of, sasl_of
from xmpp.sasl import profile
from xmpp.sasl.mechanisms import TransportFacts
from xmpp.sasl.scram import Credentials
from xmpp.sasl.server import Challenge, PlainExchange, ScramExchange, ServerExchange, Step, begin
from xmpp.transitions import StreamMisuse


class Authentication:
    """One stream's attempts, one after the other; every method raises SASLFailure when the attempt fails."""

    __slots__ = ("_exchange", "_settings", "attempts")

    def __init__(self, settings: ServerSettings) -> None:
        """No attempt has been made."""
        self._settings = settings
        self._exchange: ServerExchange | None = None
        self.attempts = 0
        """How many have been begun."""

    @property
    def has_attempts_left(self) -> bool:
        """Whether the client may try once more."""
        return self.attempts < self._settings.sasl_attempts_max

    def begin(self, element: Element, facts: TransportFacts, progress: Progress) -> Step:
        """Take `<auth/>`."""
        settings = self._settings
        self.attempts += 1
        self._exchange = None
        if not sasl_of(settings).is_open_at(progress):
            raise SASLFailure(SASLCondition.ENCRYPTION_REQUIRED)
        name = element.get("mechanism") or ""
        exchange = begin(name, settings.authentication, facts, mechanisms_of(settings, facts), settings.token())
        self._exchange = exchange
        initial = profile.initial_response(element)
        return Challenge(b"") if initial is None else exchange.respond(initial)

    def respond(self, element: Element) -> Step:
        """Take `<response/>`."""
        if self._exchange is None:
            raise SASLFailure(SASLCondition.MALFORMED_REQUEST)
        return self._exchange.respond(profile.data_of(element))

    def credentials_found(self, credentials: Credentials | None) -> Step:
        """Take the answer to CredentialsWanted.  Raises StreamMisuse if that was not asked."""
        if not isinstance(self._exchange, ScramExchange):
            raise StreamMisuse("a password was presented, not a user name alone")
        return self._exchange.credentials_found(credentials)

    def password_checked(self, *, is_right: bool) -> Step:
        """Take the answer to PasswordWanted.  Raises StreamMisuse if that was not asked."""
        if not isinstance(self._exchange, PlainExchange):
            raise StreamMisuse("no password was presented")
        return self._exchange.password_checked(is_right=is_right)
