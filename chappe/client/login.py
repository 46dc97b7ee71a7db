"""From an address to a stream that is online: connect, negotiate, follow a redirection.

Each step either makes progress or raises; the whole has a deadline.
"""

import asyncio
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from chappe.client.account import Account
from chappe.client.endpoint import STARTTLS_PORT, Endpoint
from chappe.client.errors import LoginRefused, Unreachable
from chappe.client.wire import Wire, connect, distrust
from xmpp.client_stream import ClientSettings, ClientStream, Resumption
from xmpp.errors import SASLCondition, SASLFailure, StanzaError, StreamCondition, StreamError
from xmpp.events import (
    AuthenticationFailed,
    BindingFailed,
    ClientEvent,
    Online,
    Redirected,
    Resumed,
    ResumptionRefused,
    StreamClosed,
    TLSRequested,
)
from xmpp.parser import ParserPool
from xmpp.sasl import KeyCache
from xmpp.sasl.client import Login
from xmpp.stanza import ERROR

REDIRECTIONS_MAX = 3
KEYS_MAX = 8
TOKEN_BYTES = 18

PERMANENT = frozenset(
    {
        StreamCondition.CONFLICT,
        StreamCondition.HOST_GONE,
        StreamCondition.HOST_UNKNOWN,
        StreamCondition.INVALID_FROM,
        StreamCondition.NOT_AUTHORIZED,
        StreamCondition.UNSUPPORTED_VERSION,
    }
)
"""Stream errors after which trying again would bring the same, or harm another connection of the account."""


class _Elsewhere(Exception):
    """The account's home is at another endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint


@dataclass(frozen=True, slots=True)
class Established:
    """A stream that is online."""

    wire: Wire
    stream: ClientStream
    is_resumed: bool
    events: Sequence[ClientEvent | StreamClosed]
    """What came right behind."""

    endpoint: Endpoint
    """Where, after redirections."""

    lost: Sequence[bytes]
    """Stanzas of the session that could not be resumed, which the server is not known to have handled."""


class Door:
    """Lets one account in, as often as needed; remembers derived keys and where the account's home is."""

    def __init__(self, account: Account) -> None:
        """Nothing is tried yet."""
        self._account = account
        self._home = account.endpoint
        keys = KeyCache(KEYS_MAX)
        self._login = Login(username=account.jid.local or "", password=account.password, derive_keys=keys.derive_keys)
        self._pool = ParserPool()

    async def enter(self, resumption: Resumption | None) -> Established:
        """Log in, or resume.

        Raises:
            Unreachable: it may work later.
            LoginRefused: it will not.
        """
        try:
            async with asyncio.timeout(self._account.connect_seconds):
                return await self._enter(resumption)
        except TimeoutError as error:
            self._home = self._account.endpoint
            raise Unreachable(f"{self._home}: no answer in {self._account.connect_seconds:g} s") from error
        except Unreachable:
            # A home that has gone may have moved: ask where one is told.
            self._home = self._account.endpoint
            raise

    async def _enter(self, resumption: Resumption | None) -> Established:
        for _ in range(REDIRECTIONS_MAX + 1):
            wire = await connect(self._home, self._account.jid.domain, self._account.ca)
            try:
                return await self._negotiate(wire, resumption)
            except _Elsewhere as elsewhere:
                await wire.close()
                self._home = elsewhere.endpoint
            except ssl.SSLCertVerificationError as error:
                await wire.close()
                raise distrust(self._home, error) from error
            except OSError as error:
                await wire.close()
                raise Unreachable(f"{self._home}: {error.strerror or error}") from error
            except BaseException:
                await wire.close()
                raise
        raise Unreachable(f"{self._account.endpoint}: sent on {REDIRECTIONS_MAX} times, the last time to {self._home}")

    async def _negotiate(self, wire: Wire, resumption: Resumption | None) -> Established:
        stream = ClientStream(self._settings(resumption), wire.framing, self._pool, wire.facts)
        lost: list[bytes] = []
        while True:
            await wire.send(stream.messages_to_send())
            events = stream.events_received()
            for position, event in enumerate(events):
                match event:
                    case TLSRequested():
                        await wire.send(stream.messages_to_send())
                        stream.tls_established(await wire.start_tls())
                    case Online() | Resumed():
                        return Established(
                            wire, stream, isinstance(event, Resumed), events[position + 1 :], self._home, lost
                        )
                    case ResumptionRefused(h):
                        lost = left_of(resumption, h)
                    case Redirected(host, port):
                        raise _Elsewhere(home_at(host, port))
                    case AuthenticationFailed() | BindingFailed() | StreamClosed():
                        await wire.send(stream.messages_to_send())
                        raise self._refusal(event)
                    case _:
                        pass
            if not events:
                self._receive(stream, await wire.receive())

    @staticmethod
    def _receive(stream: ClientStream, data: bytes) -> None:
        if data:
            stream.receive_data(data)
        else:
            stream.receive_eof()

    def _settings(self, resumption: Resumption | None) -> ClientSettings:
        account = self._account
        # A resource that the server chose is asked for again, should the resumption be refused.
        resource = account.jid.resource if resumption is None else resumption.jid.resource
        return ClientSettings(
            domain=account.jid.domain,
            login=self._login,
            token=lambda: secrets.token_urlsafe(TOKEN_BYTES),
            resource=resource,
            requires_tls=account.requires_tls,
            resumption=resumption,
            unacknowledged_max=account.unacknowledged_max,
        )

    def _refusal(self, event: AuthenticationFailed | BindingFailed | StreamClosed) -> Exception:
        match event:
            case AuthenticationFailed(failure):
                return authentication_refusal(failure, self._account)
            case BindingFailed(stanza):
                error = stanza.find(ERROR)
                reason = "the address is malformed" if error is None else StanzaError.from_element(error)
                return LoginRefused(f"{self._home}: no session: {reason}")
            case StreamClosed(why):
                return closing(self._home, why)


def home_at(host: str, port: int | None) -> Endpoint:
    """Where a redirection leads: it names a place for XMPP over TCP, whatever was spoken before (RFC 6120 4.9.3.19)."""
    return Endpoint(host, STARTTLS_PORT if port is None else port)


def left_of(resumption: Resumption | None, h: int | None) -> list[bytes]:
    """What of a lost session the server has not handled, as far as it knows (XEP-0198 section 5)."""
    if resumption is None:
        return []
    if h is not None:
        try:
            resumption.queue.acknowledge(h)
        except StreamError:
            return []  # a server that counts wrongly must not make us send twice
    return [rendered for _, rendered in resumption.queue.unacknowledged()]


def authentication_refusal(failure: SASLFailure, account: Account) -> Exception:
    """What a failed attempt means."""
    if failure.condition is SASLCondition.TEMPORARY_AUTH_FAILURE:
        return Unreachable(f"{account.endpoint}: the server can't check passwords at the moment")
    if failure.condition is SASLCondition.NOT_AUTHORIZED:
        return LoginRefused(f"{account.jid}: wrong name or password")
    return LoginRefused(f"{account.jid}: {failure.text or failure.condition}")


def closing(endpoint: Endpoint, error: StreamError | None) -> Exception:
    """What the end of a stream means."""
    if error is None:
        return Unreachable(f"{endpoint}: the connection is lost")
    reason = f"{endpoint}: {error.condition}" + (f": {error.text}" if error.text else "")
    return LoginRefused(reason) if error.condition in PERMANENT else Unreachable(reason)
