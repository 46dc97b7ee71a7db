"""What a stream reports to its shell: facts, in the past tense.

A stanza is reported as itself, a `Stanza`, without a wrapper: there are many of them.
"""

from dataclasses import dataclass

from xmpp.errors import SASLFailure, StreamError
from xmpp.jid import JID
from xmpp.stanza import Stanza

# --- both roles --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TLSRequested:
    """Send what is pending, start TLS on the connection, then call `tls_established`."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The peer has handled this many stanzas (XEP-0198 section 4)."""

    h: int


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """The stream is over: send what is pending and close the connection."""

    error: StreamError | None
    """Why, if it was not simply closed; sent by us or by the peer."""

    is_clean: bool
    """Whether the peer ended the stream (`</stream:stream>`), and with it its session."""


# --- server ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CredentialsRequested:
    """Look up the account and call `credentials_found` (or `redirect`)."""

    account: str
    """Local part."""


@dataclass(frozen=True, slots=True)
class PasswordPresented:
    """Check the password, off the event loop, and call `password_checked` (or `redirect`)."""

    account: str
    password: str


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The client has proven to be this account."""

    account: str
    """Local part."""


@dataclass(frozen=True, slots=True)
class ResourceRequested:
    """Call `resource_bound` or `binding_refused`."""

    resource: str | None
    """What the client would like, unchecked; None leaves it to the server."""


@dataclass(frozen=True, slots=True)
class ManagementRequested:
    """Call `management_enabled` or `management_refused`."""

    can_resume: bool
    max_seconds: int | None
    """How long the client would like to be waited for."""


@dataclass(frozen=True, slots=True)
class ResumptionRequested:
    """Call `resumed` or `resumption_refused`."""

    previous_id: str
    h: int
    """The number of stanzas that the client has handled."""


ServerEvent = (
    Stanza
    | TLSRequested
    | CredentialsRequested
    | PasswordPresented
    | Authenticated
    | ResourceRequested
    | ManagementRequested
    | ResumptionRequested
    | Acknowledged
    | StreamClosed
)

# --- client ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Online:
    """A resource is bound: stanzas may be sent."""

    jid: JID


@dataclass(frozen=True, slots=True)
class ManagementEnabled:
    """The server counts stanzas from now on (XEP-0198 section 3)."""

    id: str | None
    """Resume the stream with this id; None if the server will not resume it."""

    max_seconds: int | None
    """How long the server waits for a resumption; None if it does not say."""


@dataclass(frozen=True, slots=True)
class ManagementRefused:
    """The server does not count stanzas."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The former stream goes on; what it had not delivered has been sent again."""

    jid: JID


@dataclass(frozen=True, slots=True)
class ResumptionRefused:
    """The former stream is lost; a new resource is being bound.  Look at the former stream's queue."""

    h: int | None
    """How many of the former stream's stanzas the server had handled, if it knows."""


@dataclass(frozen=True, slots=True)
class Redirected:
    """The account's home is elsewhere; StreamClosed follows."""

    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class AuthenticationFailed:
    """The server, or we ourselves, put an end to the attempt; StreamClosed follows."""

    failure: SASLFailure


@dataclass(frozen=True, slots=True)
class BindingFailed:
    """The server bound no resource; StreamClosed follows."""

    stanza: Stanza


ClientEvent = (
    Stanza
    | TLSRequested
    | AuthenticationFailed
    | Online
    | BindingFailed
    | ManagementEnabled
    | ManagementRefused
    | Resumed
    | ResumptionRefused
    | Redirected
    | Acknowledged
    | StreamClosed
)
