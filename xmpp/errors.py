"""What may go wrong between two entities, as values and as exceptions.

    Exception
     ├── StreamError      ends the stream (RFC 6120, section 4.9)
     ├── StanzaError      answers one stanza (RFC 6120, section 8.3)
     └── SASLFailure      ends one authentication attempt (RFC 6120, section 6.5)

Each knows its element and can be read back from it.
"""

from enum import StrEnum
from typing import Self

from xmpp import namespaces
from xmpp.element import LANG, Element


class StreamCondition(StrEnum):
    """The stream error conditions of RFC 6120, section 4.9.3."""

    BAD_FORMAT = "bad-format"
    """XML that cannot be processed, where no condition below says why."""
    BAD_NAMESPACE_PREFIX = "bad-namespace-prefix"
    """A prefix that is not supported, or none where one is needed."""
    CONFLICT = "conflict"
    """A newer stream of the same entity takes this one's place."""
    CONNECTION_TIMEOUT = "connection-timeout"
    """The peer has been silent for too long."""
    HOST_GONE = "host-gone"
    """The domain asked for is no longer served here."""
    HOST_UNKNOWN = "host-unknown"
    """The domain asked for is not served here."""
    IMPROPER_ADDRESSING = "improper-addressing"
    """A stanza between servers lacks `to` or `from`."""
    INTERNAL_SERVER_ERROR = "internal-server-error"
    """The server cannot go on, by no fault of the peer's."""
    INVALID_FROM = "invalid-from"
    """A `from` that is not the address negotiated for this stream."""
    INVALID_NAMESPACE = "invalid-namespace"
    """A stream or content namespace that is not supported."""
    INVALID_XML = "invalid-xml"
    """XML that a validating server found not to follow its schema."""
    NOT_AUTHORIZED = "not-authorized"
    """Data came before the stream was authenticated."""
    NOT_WELL_FORMED = "not-well-formed"
    """What came is not XML with namespaces."""
    POLICY_VIOLATION = "policy-violation"
    """A local rule was broken, such as a bound on a stanza's size."""
    REMOTE_CONNECTION_FAILED = "remote-connection-failed"
    """Another entity that is needed for authentication cannot be reached."""
    RESET = "reset"
    """The stream must be opened again, because security was renegotiated."""
    RESOURCE_CONSTRAINT = "resource-constraint"
    """The server lacks the resources to serve this stream."""
    RESTRICTED_XML = "restricted-xml"
    """A comment, a processing instruction, a DTD or an entity reference."""
    SEE_OTHER_HOST = "see-other-host"
    """The stream belongs at another address, which the error names."""
    SYSTEM_SHUTDOWN = "system-shutdown"
    """The server is going down."""
    UNDEFINED_CONDITION = "undefined-condition"
    """None of these; an application's own condition says what."""
    UNSUPPORTED_ENCODING = "unsupported-encoding"
    """An encoding other than UTF-8."""
    UNSUPPORTED_FEATURE = "unsupported-feature"
    """A mandatory stream feature that the peer does not support."""
    UNSUPPORTED_STANZA_TYPE = "unsupported-stanza-type"
    """A first-level element that is not understood."""
    UNSUPPORTED_VERSION = "unsupported-version"
    """A version of XMPP that is not supported."""


class ErrorType(StrEnum):
    """What the sender of a refused stanza may do (RFC 6120, section 8.3.2)."""

    AUTH = "auth"
    """Try again after giving credentials."""
    CANCEL = "cancel"
    """Do not try again."""
    CONTINUE = "continue"
    """Go on: this was a warning."""
    MODIFY = "modify"
    """Try again with other data."""
    WAIT = "wait"
    """Try again later."""


class StanzaCondition(StrEnum):
    """The stanza error conditions of RFC 6120, section 8.3.3, with their usual types."""

    default_type: ErrorType

    def __new__(cls, value: str, default_type: ErrorType) -> Self:
        """Attach the type with which the RFC pairs a condition."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.default_type = default_type
        return member

    BAD_REQUEST = "bad-request", ErrorType.MODIFY
    """XML that does not follow the schema, or cannot be processed."""
    CONFLICT = "conflict", ErrorType.CANCEL
    """Something of that name or address exists already."""
    FEATURE_NOT_IMPLEMENTED = "feature-not-implemented", ErrorType.CANCEL
    """The feature is not there, or not for this address."""
    FORBIDDEN = "forbidden", ErrorType.AUTH
    """The sender lacks the permission."""
    GONE = "gone", ErrorType.CANCEL
    """The address has been given up for good; a new one may be named."""
    INTERNAL_SERVER_ERROR = "internal-server-error", ErrorType.CANCEL
    """The server failed, by no fault of the sender's."""
    ITEM_NOT_FOUND = "item-not-found", ErrorType.CANCEL
    """There is no such address or item."""
    JID_MALFORMED = "jid-malformed", ErrorType.MODIFY
    """What was given as an address is none."""
    NOT_ACCEPTABLE = "not-acceptable", ErrorType.MODIFY
    """Understood, but it breaks a criterion of the recipient's or the server's."""
    NOT_ALLOWED = "not-allowed", ErrorType.CANCEL
    """Nobody is allowed to do this."""
    NOT_AUTHORIZED = "not-authorized", ErrorType.AUTH
    """Credentials are missing or wrong."""
    POLICY_VIOLATION = "policy-violation", ErrorType.MODIFY
    """A local rule was broken."""
    RECIPIENT_UNAVAILABLE = "recipient-unavailable", ErrorType.WAIT
    """The recipient is away for the moment."""
    REDIRECT = "redirect", ErrorType.MODIFY
    """The recipient is at another address for the moment, which the error may name."""
    REGISTRATION_REQUIRED = "registration-required", ErrorType.AUTH
    """The sender must register first."""
    REMOTE_SERVER_NOT_FOUND = "remote-server-not-found", ErrorType.CANCEL
    """The recipient's domain does not exist."""
    REMOTE_SERVER_TIMEOUT = "remote-server-timeout", ErrorType.WAIT
    """The recipient's server could not be reached in time."""
    RESOURCE_CONSTRAINT = "resource-constraint", ErrorType.WAIT
    """The server is too busy, or the sender has used its share."""
    SERVICE_UNAVAILABLE = "service-unavailable", ErrorType.CANCEL
    """No such service here, or none that the sender may know of."""
    SUBSCRIPTION_REQUIRED = "subscription-required", ErrorType.AUTH
    """The sender must be subscribed first."""
    UNDEFINED_CONDITION = "undefined-condition", ErrorType.CANCEL
    """None of these; an application's own condition says what."""
    UNEXPECTED_REQUEST = "unexpected-request", ErrorType.WAIT
    """Understood, but not expected now."""


class SASLCondition(StrEnum):
    """The SASL failure conditions of RFC 6120, section 6.5."""

    ABORTED = "aborted"
    """The initiating entity gave up."""
    ACCOUNT_DISABLED = "account-disabled"
    """The account is disabled for the moment."""
    CREDENTIALS_EXPIRED = "credentials-expired"
    """The credentials are no longer valid."""
    ENCRYPTION_REQUIRED = "encryption-required"
    """The mechanism may be used only on an encrypted stream."""
    INCORRECT_ENCODING = "incorrect-encoding"
    """What came is not base64."""
    INVALID_AUTHZID = "invalid-authzid"
    """The identity to act as is malformed or not permitted."""
    INVALID_MECHANISM = "invalid-mechanism"
    """The mechanism was not offered."""
    MALFORMED_REQUEST = "malformed-request"
    """The data do not follow the mechanism's grammar."""
    MECHANISM_TOO_WEAK = "mechanism-too-weak"
    """A local rule wants a stronger mechanism for this account."""
    NOT_AUTHORIZED = "not-authorized"
    """The credentials are wrong (or the account does not exist)."""
    TEMPORARY_AUTH_FAILURE = "temporary-auth-failure"
    """The server cannot tell at the moment."""


class _Condition(Exception):
    """What the three errors share: they are equal if they say the same."""

    def _said(self) -> tuple[object, ...]:
        return tuple(vars(self).values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Condition) and type(other) is type(self) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((type(self), str(self)))


class StreamError(_Condition):
    """The stream must be closed with this error (RFC 6120, section 4.9)."""

    def __init__(
        self, condition: StreamCondition, text: str = "", address: str = "", application: Element | None = None
    ) -> None:
        """Make an error.

        Args:
            condition: what is wrong.
            text: a sentence for people.
            address: with `see-other-host`: `host` or `host:port`.
            application: an application's own, more exact condition.

        """
        super().__init__(f"{condition}: {text}" if text else str(condition))
        self.condition = condition
        self.text = text
        self.address = address
        self.application = application

    def element(self) -> Element:
        """Return `<stream:error/>`."""
        children = _described(namespaces.STREAM_ERRORS, self.condition, self.address, self.text)
        if self.application is not None:
            children = (*children, self.application)
        return Element(f"{{{namespaces.STREAMS}}}error", children=children)

    @classmethod
    def from_element(cls, element: Element) -> Self:
        """Read `<stream:error/>`; a condition that is not known becomes `undefined-condition`."""
        value, address, text = _description(namespaces.STREAM_ERRORS, element)
        known = {condition.value: condition for condition in StreamCondition}
        application = _application(namespaces.STREAM_ERRORS, element)
        return cls(known.get(value, StreamCondition.UNDEFINED_CONDITION), text, address, application)


class StanzaError(_Condition):
    """A stanza is answered with this error (RFC 6120, section 8.3)."""

    def __init__(
        self,
        condition: StanzaCondition,
        type: ErrorType | None = None,
        text: str = "",
        application: Element | None = None,
        address: str = "",
    ) -> None:
        """Make an error.

        Args:
            condition: what is wrong.
            type: what the sender may do; None means the condition's default type.
            text: a sentence for people.
            application: an application's own, more exact condition.
            address: with `gone` and `redirect`: the new address, a URI.

        """
        super().__init__(f"{condition}: {text}" if text else str(condition))
        self.condition = condition
        self.type = condition.default_type if type is None else type
        self.text = text
        self.application = application
        self.address = address

    def element(self) -> Element:
        """Return `<error/>`, as it stands in a stanza."""
        children = _described(namespaces.STANZA_ERRORS, self.condition, self.address, self.text)
        if self.application is not None:
            children = (*children, self.application)
        return Element(f"{{{namespaces.CLIENT}}}error", {"type": self.type.value}, children)

    @classmethod
    def from_element(cls, element: Element) -> Self:
        """Read `<error/>`; what is not known becomes `undefined-condition` and its default type."""
        value, address, text = _description(namespaces.STANZA_ERRORS, element)
        known = {condition.value: condition for condition in StanzaCondition}
        condition = known.get(value, StanzaCondition.UNDEFINED_CONDITION)
        types = {type_.value: type_ for type_ in ErrorType}
        application = _application(namespaces.STANZA_ERRORS, element)
        return cls(condition, types.get(element.get("type") or ""), text, application, address)


class SASLFailure(_Condition):
    """An authentication attempt fails with this (RFC 6120, section 6.5)."""

    def __init__(self, condition: SASLCondition, text: str = "") -> None:
        """Make a failure.

        Args:
            condition: what is wrong.
            text: a sentence for people.

        """
        super().__init__(f"{condition}: {text}" if text else str(condition))
        self.condition = condition
        self.text = text

    def element(self) -> Element:
        """Return `<failure/>`."""
        return Element(
            f"{{{namespaces.SASL}}}failure",
            children=_described(namespaces.SASL, self.condition, "", self.text),
        )

    @classmethod
    def from_element(cls, element: Element) -> Self:
        """Read `<failure/>`; a condition that is not known becomes `not-authorized`."""
        value, _, text = _description(namespaces.SASL, element)
        known = {condition.value: condition for condition in SASLCondition}
        return cls(known.get(value, SASLCondition.NOT_AUTHORIZED), text)


def _described(namespace: str, condition: str, content: str, text: str) -> tuple[Element, ...]:
    defined = Element(f"{{{namespace}}}{condition}", children=(content,) if content else ())
    if not text:
        return (defined,)
    return defined, Element(f"{{{namespace}}}text", {LANG: "en"}, (text,))


def _application(namespace: str, element: Element) -> Element | None:
    """Return the first child that is not of the errors' own namespace."""
    return next((child for child in element.elements if child.namespace != namespace), None)


def _description(namespace: str, element: Element) -> tuple[str, str, str]:
    """Return the condition's name, its content and the text."""
    condition = content = text = ""
    for child in element.elements:
        if child.namespace != namespace:
            continue
        if child.local == "text":
            text = child.text
        elif not condition:
            condition, content = child.local, child.text
    return condition, content, text
