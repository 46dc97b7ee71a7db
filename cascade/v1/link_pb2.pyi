from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_MESSAGE: _ClassVar[Kind]
    KIND_PRESENCE: _ClassVar[Kind]
    KIND_IQ: _ClassVar[Kind]
KIND_UNSPECIFIED: Kind
KIND_MESSAGE: Kind
KIND_PRESENCE: Kind
KIND_IQ: Kind

class LinkFrame(_message.Message):
    __slots__ = ("hello", "welcome", "acknowledgement", "credit", "accounts", "accounts_held", "interest", "presence", "envelopes", "undeliverable", "heartbeat", "drain", "home_questions", "home_answers")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_HELD_FIELD_NUMBER: _ClassVar[int]
    INTEREST_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    UNDELIVERABLE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    HOME_QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    HOME_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    welcome: Welcome
    acknowledgement: Acknowledgement
    credit: Credit
    accounts: AccountChange
    accounts_held: AccountsHeld
    interest: InterestChange
    presence: _containers.RepeatedCompositeFieldContainer[AccountPresence]
    envelopes: _containers.RepeatedCompositeFieldContainer[Envelope]
    undeliverable: _containers.RepeatedCompositeFieldContainer[Undeliverable]
    heartbeat: Heartbeat
    drain: Drain
    home_questions: _containers.RepeatedCompositeFieldContainer[HomeQuestion]
    home_answers: _containers.RepeatedCompositeFieldContainer[HomeAnswer]
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., acknowledgement: _Optional[_Union[Acknowledgement, _Mapping]] = ..., credit: _Optional[_Union[Credit, _Mapping]] = ..., accounts: _Optional[_Union[AccountChange, _Mapping]] = ..., accounts_held: _Optional[_Union[AccountsHeld, _Mapping]] = ..., interest: _Optional[_Union[InterestChange, _Mapping]] = ..., presence: _Optional[_Iterable[_Union[AccountPresence, _Mapping]]] = ..., envelopes: _Optional[_Iterable[_Union[Envelope, _Mapping]]] = ..., undeliverable: _Optional[_Iterable[_Union[Undeliverable, _Mapping]]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ..., home_questions: _Optional[_Iterable[_Union[HomeQuestion, _Mapping]]] = ..., home_answers: _Optional[_Iterable[_Union[HomeAnswer, _Mapping]]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol", "site", "epoch", "accounts_version", "window_envelopes", "software", "acknowledged")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_VERSION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    site: str
    epoch: int
    accounts_version: int
    window_envelopes: int
    software: str
    acknowledged: int
    def __init__(self, protocol: _Optional[int] = ..., site: _Optional[str] = ..., epoch: _Optional[int] = ..., accounts_version: _Optional[int] = ..., window_envelopes: _Optional[int] = ..., software: _Optional[str] = ..., acknowledged: _Optional[int] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("protocol", "domain", "met", "window_envelopes", "software")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    MET_FIELD_NUMBER: _ClassVar[int]
    WINDOW_ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    domain: str
    met: int
    window_envelopes: int
    software: str
    def __init__(self, protocol: _Optional[int] = ..., domain: _Optional[str] = ..., met: _Optional[int] = ..., window_envelopes: _Optional[int] = ..., software: _Optional[str] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("sequence", "origin", "epoch", "sender", "recipients", "kind", "type", "id", "language", "payloads", "declarations", "inner", "sent_us", "deadline_ms", "trace", "hub_sequence")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    DECLARATIONS_FIELD_NUMBER: _ClassVar[int]
    INNER_FIELD_NUMBER: _ClassVar[int]
    SENT_US_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    HUB_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    origin: str
    epoch: int
    sender: str
    recipients: _containers.RepeatedScalarFieldContainer[str]
    kind: Kind
    type: str
    id: str
    language: str
    payloads: _containers.RepeatedScalarFieldContainer[str]
    declarations: bytes
    inner: bytes
    sent_us: int
    deadline_ms: int
    trace: bytes
    hub_sequence: int
    def __init__(self, sequence: _Optional[int] = ..., origin: _Optional[str] = ..., epoch: _Optional[int] = ..., sender: _Optional[str] = ..., recipients: _Optional[_Iterable[str]] = ..., kind: _Optional[_Union[Kind, str]] = ..., type: _Optional[str] = ..., id: _Optional[str] = ..., language: _Optional[str] = ..., payloads: _Optional[_Iterable[str]] = ..., declarations: _Optional[bytes] = ..., inner: _Optional[bytes] = ..., sent_us: _Optional[int] = ..., deadline_ms: _Optional[int] = ..., trace: _Optional[bytes] = ..., hub_sequence: _Optional[int] = ...) -> None: ...

class Acknowledgement(_message.Message):
    __slots__ = ("up_to", "refusals")
    UP_TO_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    up_to: int
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, up_to: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("sequence", "condition", "text", "recipients")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    condition: str
    text: str
    recipients: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sequence: _Optional[int] = ..., condition: _Optional[str] = ..., text: _Optional[str] = ..., recipients: _Optional[_Iterable[str]] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: int
    def __init__(self, envelopes: _Optional[int] = ...) -> None: ...

class Undeliverable(_message.Message):
    __slots__ = ("sender", "recipient", "kind", "id", "condition")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    sender: str
    recipient: str
    kind: Kind
    id: str
    condition: str
    def __init__(self, sender: _Optional[str] = ..., recipient: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., id: _Optional[str] = ..., condition: _Optional[str] = ...) -> None: ...

class AccountPresence(_message.Message):
    __slots__ = ("account", "version", "resources")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    account: str
    version: int
    resources: _containers.RepeatedCompositeFieldContainer[AvailableResource]
    def __init__(self, account: _Optional[str] = ..., version: _Optional[int] = ..., resources: _Optional[_Iterable[_Union[AvailableResource, _Mapping]]] = ...) -> None: ...

class AvailableResource(_message.Message):
    __slots__ = ("resource", "stanza")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    STANZA_FIELD_NUMBER: _ClassVar[int]
    resource: str
    stanza: bytes
    def __init__(self, resource: _Optional[str] = ..., stanza: _Optional[bytes] = ...) -> None: ...

class InterestChange(_message.Message):
    __slots__ = ("full", "added", "removed", "versions", "more")
    FULL_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    full: bool
    added: _containers.RepeatedScalarFieldContainer[str]
    removed: _containers.RepeatedScalarFieldContainer[str]
    versions: _containers.RepeatedScalarFieldContainer[int]
    more: bool
    def __init__(self, full: _Optional[bool] = ..., added: _Optional[_Iterable[str]] = ..., removed: _Optional[_Iterable[str]] = ..., versions: _Optional[_Iterable[int]] = ..., more: _Optional[bool] = ...) -> None: ...

class AccountChange(_message.Message):
    __slots__ = ("version", "full", "more", "upserted", "removed")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    UPSERTED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    version: int
    full: bool
    more: bool
    upserted: _containers.RepeatedCompositeFieldContainer[Account]
    removed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., full: _Optional[bool] = ..., more: _Optional[bool] = ..., upserted: _Optional[_Iterable[_Union[Account, _Mapping]]] = ..., removed: _Optional[_Iterable[str]] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("local", "disabled", "verifiers", "display_name")
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    VERIFIERS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    local: str
    disabled: bool
    verifiers: _containers.RepeatedCompositeFieldContainer[Verifier]
    display_name: str
    def __init__(self, local: _Optional[str] = ..., disabled: _Optional[bool] = ..., verifiers: _Optional[_Iterable[_Union[Verifier, _Mapping]]] = ..., display_name: _Optional[str] = ...) -> None: ...

class Verifier(_message.Message):
    __slots__ = ("hash", "salt", "iterations", "stored_key", "server_key")
    HASH_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    STORED_KEY_FIELD_NUMBER: _ClassVar[int]
    SERVER_KEY_FIELD_NUMBER: _ClassVar[int]
    hash: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes
    def __init__(self, hash: _Optional[str] = ..., salt: _Optional[bytes] = ..., iterations: _Optional[int] = ..., stored_key: _Optional[bytes] = ..., server_key: _Optional[bytes] = ...) -> None: ...

class AccountsHeld(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("sent_us", "reply")
    SENT_US_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    sent_us: int
    reply: bool
    def __init__(self, sent_us: _Optional[int] = ..., reply: _Optional[bool] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("reconnect_after_ms",)
    RECONNECT_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    reconnect_after_ms: int
    def __init__(self, reconnect_after_ms: _Optional[int] = ...) -> None: ...

class HomeQuestion(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    def __init__(self, account: _Optional[str] = ...) -> None: ...

class HomeAnswer(_message.Message):
    __slots__ = ("account", "site", "client_host", "client_port")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_HOST_FIELD_NUMBER: _ClassVar[int]
    CLIENT_PORT_FIELD_NUMBER: _ClassVar[int]
    account: str
    site: str
    client_host: str
    client_port: int
    def __init__(self, account: _Optional[str] = ..., site: _Optional[str] = ..., client_host: _Optional[str] = ..., client_port: _Optional[int] = ...) -> None: ...
