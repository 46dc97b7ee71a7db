"""The language of the backplane: frames between a listener process and the core.

A frame is a msgpack array that starts with its number; what gathered in one turn of the loop is one *batch*: an array
of frames after its length (`edge_node.backplane.codec`).  The first frame of a connection is `Hello` (listener) and
`Welcome` or `Refusal` (core).  Everything else mirrors the calls of `edge_node.backplane.ports`, in their order.
"""

from typing import Final, Literal

import msgspec

VERSION: Final = 2
"""Of this language.  Both sides must speak the same: a core that meets another version refuses it."""


class _Frame(msgspec.Struct, array_like=True, gc=False, tag_field="frame"):
    """One call across the seam."""


# ------------------------------------------------------------------------------------------------- listener to core


class Hello(_Frame, tag=1):
    """Who calls."""

    version: int
    listener: int
    """Index of the listener process at its edge node."""
    process: int
    """Its process id, for logs and for the supervisor."""


class Attach(_Frame, tag=2):
    """`Core.attach`; `connection` is unique in the life of the listener process."""

    connection: int
    remote_address: str
    transport: str
    encrypted: bool


class Reattach(_Frame, tag=3):
    """`Core.reattach`."""

    connection: int
    remote_address: str
    transport: str
    encrypted: bool
    jid: str
    session_key: int
    handled: int
    written: int


class FindCredentials(_Frame, tag=4):
    """`Attachment.find_credentials`."""

    connection: int
    username: str


class Authenticated(_Frame, tag=5):
    """`Attachment.authenticated`."""

    connection: int
    account: str


class Bind(_Frame, tag=6):
    """`Attachment.bind`."""

    connection: int
    resource: str | None


class EnableManagement(_Frame, tag=7):
    """`Attachment.enable_management`."""

    connection: int
    resume: bool
    max_seconds: int | None


class Resume(_Frame, tag=8):
    """`Attachment.resume`."""

    connection: int
    previous_id: str
    h: int


class Receive(_Frame, tag=9):
    """`Attachment.receive`: the stanza's slots, so that the core need not parse it again."""

    connection: int
    kind: Literal["message", "presence", "iq"]
    type: str | None
    id: str | None
    to: str | None
    sender: str | None
    lang: str | None
    payloads: tuple[str, ...]
    inner: bytes
    declarations: bytes = b""
    malformed: Literal["to", "from"] | None = None


class Acknowledge(_Frame, tag=10):
    """`Attachment.acknowledge`."""

    connection: int
    h: int


class Detach(_Frame, tag=11):
    """`Attachment.detach`."""

    connection: int
    clean: bool
    reason: str


# ------------------------------------------------------------------------------------------------- core to listener


class Welcome(_Frame, tag=32):
    """The core takes this listener's connections, and says what holds for their streams (`StreamPolicy`)."""

    version: int
    domain: str
    secret: bytes
    fake_iterations: int
    features: list[bytes]
    """Their elements, rendered."""


class Refusal(_Frame, tag=33):
    """The core does not: the listener drains and ends."""

    reason: str


class Drain(_Frame, tag=34):
    """Take no new streams, end those that are open, then the process."""


class Verifier(msgspec.Struct, array_like=True, gc=False):
    """A `ScramVerifier`."""

    hash_name: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


class CredentialsFound(_Frame, tag=35):
    """`Channel.credentials_found`; None: no such account."""

    connection: int
    verifiers: list[Verifier] | None


class Redirect(_Frame, tag=36):
    """`Channel.redirect`."""

    connection: int
    host: str
    port: int


class Bound(_Frame, tag=37):
    """`Channel.bound`."""

    connection: int
    jid: str
    session_key: int


class BindingRefused(_Frame, tag=38):
    """`Channel.binding_refused`."""

    connection: int
    condition: str
    type: str
    text: str
    application: bytes
    """Its element, rendered; nearly always empty."""
    address: str


class ManagementEnabled(_Frame, tag=39):
    """`Channel.management_enabled`."""

    connection: int
    resumption_id: str
    max_seconds: int
    session_key: int


class ManagementRefused(_Frame, tag=40):
    """`Channel.management_refused`."""

    connection: int


class Resumed(_Frame, tag=41):
    """`Channel.resumed`."""

    connection: int
    previous_id: str
    h: int
    jid: str
    session_key: int


class ResumptionRefused(_Frame, tag=42):
    """`Channel.resumption_refused`."""

    connection: int
    h: int | None


class Deliver(_Frame, tag=43):
    """`Channel.deliver` to many: the bytes cross once."""

    data: bytes
    connections: list[int]


class Nonza(_Frame, tag=44):
    """`Channel.nonza`."""

    connection: int
    data: bytes


class Handled(_Frame, tag=45):
    """`Channel.handled`."""

    connection: int
    h: int


class Close(_Frame, tag=46):
    """`Channel.close`; an empty condition: no error."""

    connection: int
    condition: str
    text: str
    address: str
    application: bytes = b""
    """Its element, rendered; nearly always empty."""


class PauseReading(_Frame, tag=47):
    """`Channel.pause_reading`."""

    connection: int


class ResumeReading(_Frame, tag=48):
    """`Channel.resume_reading`."""

    connection: int


ForConnection = (
    Attach
    | Reattach
    | FindCredentials
    | Authenticated
    | Bind
    | EnableManagement
    | Resume
    | Receive
    | Acknowledge
    | Detach
)
FromListener = Hello | ForConnection
FromCore = (
    Welcome
    | Refusal
    | Drain
    | CredentialsFound
    | Redirect
    | Bound
    | BindingRefused
    | ManagementEnabled
    | ManagementRefused
    | Resumed
    | ResumptionRefused
    | Deliver
    | Nonza
    | Handled
    | Close
    | PauseReading
    | ResumeReading
)
