"""What a connection has only until a resource is bound: deadlines, bounds, and attempts to prove who it is."""

from typing import Protocol

from edge_node.backplane.ports import Attachment
from edge_node.listeners.listener import Listener
from xmpp.errors import StreamCondition, StreamError
from xmpp.events import (
    Authenticated,
    CredentialsRequested,
    PasswordPresented,
    ResourceRequested,
    ResumptionRequested,
)
from xmpp.sasl import Credentials
from xmpp.server_stream import ServerStream
from xmpp.transitions import StreamState

Question = CredentialsRequested | PasswordPresented | Authenticated | ResourceRequested | ResumptionRequested

_UNDER_WAY = frozenset({StreamState.VERIFYING, StreamState.AUTHENTICATING})


class Asker(Protocol):
    """The connection that logs in."""

    def close(self, error: StreamError | None) -> None:
        """End the stream."""

    def proceed(self) -> None:
        """The stream has been answered: take its events, write what it has to say."""


class Login:
    """From the first byte to the bound resource."""

    __slots__ = ("_account", "_asker", "_listener", "_password", "bytes_left", "due_tick", "network")

    def __init__(self, listener: Listener, asker: Asker, network: str) -> None:
        self._listener = listener
        self._asker = asker
        self._account = ""
        self._password: str | None = None
        self.network = network
        self.due_tick = listener.wheel.tick_after(listener.settings.negotiation.seconds)
        """When it must be done."""
        self.bytes_left = listener.settings.negotiation.size_bytes_max

    def ask(self, question: Question, attachment: Attachment) -> None:
        """Put a question of the stream's to the core, unless too many attempts have failed."""
        match question:
            case CredentialsRequested(account):
                self._begin(account, None, attachment)
            case PasswordPresented(account, password):
                self._begin(account, password, attachment)
            case Authenticated(account):
                self._account = ""
                self._listener.metrics.logins["success"] += 1
                attachment.authenticated(account)
            case ResourceRequested(resource):
                attachment.bind(resource)
            case ResumptionRequested(previous_id, h):
                attachment.resume(previous_id, h)

    def _begin(self, account: str, password: str | None, attachment: Attachment) -> None:
        self._account, self._password = account, password
        listener = self._listener
        if listener.throttle.allows(account, self.network, listener.loop.time()):
            attachment.find_credentials(account)
            return
        self._account = ""
        listener.metrics.logins["throttled"] += 1
        self._asker.close(StreamError(StreamCondition.POLICY_VIOLATION, "too many failed attempts: try again later"))

    def found(self, stream: ServerStream, credentials: Credentials | None) -> None:
        """Give the core's answer to the stream; a password is checked first."""
        password, self._password = self._password, None
        if password is None:
            stream.credentials_found(credentials)
            self._asker.proceed()
            return

        def checked(is_right: bool) -> None:
            stream.password_checked(is_right)
            self._asker.proceed()

        listener = self._listener
        if not listener.passwords.check(listener.policy, self._account, credentials, password, checked):
            self._asker.close(StreamError(StreamCondition.RESOURCE_CONSTRAINT, "too many log in at the moment"))

    def forget(self) -> None:
        """The attempt ends by no fault of the client's."""
        self._account = ""

    def follow(self, stream: ServerStream) -> None:
        """Notice a failed attempt: the stream waits for the next one, or has ended."""
        if self._account and stream.state not in _UNDER_WAY:
            listener = self._listener
            listener.throttle.failed(self._account, self.network, listener.loop.time())
            listener.metrics.logins["failure"] += 1
            self._account = ""
