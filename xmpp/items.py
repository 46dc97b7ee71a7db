"""What a stream consists of, as its reader reports it."""

from dataclasses import dataclass

from xmpp.element import Element
from xmpp.errors import StreamError
from xmpp.stanza import Stanza


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """The attributes of a stream's opening tag, as they came (RFC 6120, section 4.7)."""

    to: str | None = None
    sender: str | None = None
    """The `from`."""
    version: str | None = None
    id: str | None = None
    lang: str | None = None
    raw: bytes = b""
    """The tag itself."""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The stream's closing tag."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What came cannot be accepted; the stream must be closed with this error."""

    error: StreamError

    @classmethod
    def of(cls, error: StreamError) -> "Fault":
        """Report an error that was raised, without the frames that its traceback holds."""
        return cls(StreamError(error.condition, error.text))


Item = StreamHeader | Stanza | Element | StreamEnd | Fault
"""A stanza is one of `jabber:client`; any other first-level element is an Element."""
