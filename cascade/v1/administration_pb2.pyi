from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Site(_message.Message):
    __slots__ = ("name", "client_host", "client_port", "linked", "linked_since_us", "accounts", "accounts_version", "accounts_held", "spooled_envelopes", "spooled_bytes", "software", "accounts_behind")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_HOST_FIELD_NUMBER: _ClassVar[int]
    CLIENT_PORT_FIELD_NUMBER: _ClassVar[int]
    LINKED_FIELD_NUMBER: _ClassVar[int]
    LINKED_SINCE_US_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_HELD_FIELD_NUMBER: _ClassVar[int]
    SPOOLED_ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    SPOOLED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_BEHIND_FIELD_NUMBER: _ClassVar[int]
    name: str
    client_host: str
    client_port: int
    linked: bool
    linked_since_us: int
    accounts: int
    accounts_version: int
    accounts_held: int
    spooled_envelopes: int
    spooled_bytes: int
    software: str
    accounts_behind: int
    def __init__(self, name: _Optional[str] = ..., client_host: _Optional[str] = ..., client_port: _Optional[int] = ..., linked: _Optional[bool] = ..., linked_since_us: _Optional[int] = ..., accounts: _Optional[int] = ..., accounts_version: _Optional[int] = ..., accounts_held: _Optional[int] = ..., spooled_envelopes: _Optional[int] = ..., spooled_bytes: _Optional[int] = ..., software: _Optional[str] = ..., accounts_behind: _Optional[int] = ...) -> None: ...

class AddSiteRequest(_message.Message):
    __slots__ = ("name", "client_host", "client_port", "replace")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_HOST_FIELD_NUMBER: _ClassVar[int]
    CLIENT_PORT_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    name: str
    client_host: str
    client_port: int
    replace: bool
    def __init__(self, name: _Optional[str] = ..., client_host: _Optional[str] = ..., client_port: _Optional[int] = ..., replace: _Optional[bool] = ...) -> None: ...

class ListSitesRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListSitesResponse(_message.Message):
    __slots__ = ("sites", "domain")
    SITES_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    sites: _containers.RepeatedCompositeFieldContainer[Site]
    domain: str
    def __init__(self, sites: _Optional[_Iterable[_Union[Site, _Mapping]]] = ..., domain: _Optional[str] = ...) -> None: ...

class AccountRecord(_message.Message):
    __slots__ = ("local", "site", "disabled", "display_name", "version", "held")
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    local: str
    site: str
    disabled: bool
    display_name: str
    version: int
    held: bool
    def __init__(self, local: _Optional[str] = ..., site: _Optional[str] = ..., disabled: _Optional[bool] = ..., display_name: _Optional[str] = ..., version: _Optional[int] = ..., held: _Optional[bool] = ...) -> None: ...

class PutAccountsRequest(_message.Message):
    __slots__ = ("options", "rows")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    options: PutOptions
    rows: _containers.RepeatedCompositeFieldContainer[AccountRow]
    def __init__(self, options: _Optional[_Union[PutOptions, _Mapping]] = ..., rows: _Optional[_Iterable[_Union[AccountRow, _Mapping]]] = ...) -> None: ...

class PutOptions(_message.Message):
    __slots__ = ("create_only", "dry_run", "initial_password")
    CREATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    INITIAL_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    create_only: bool
    dry_run: bool
    initial_password: str
    def __init__(self, create_only: _Optional[bool] = ..., dry_run: _Optional[bool] = ..., initial_password: _Optional[str] = ...) -> None: ...

class AccountRow(_message.Message):
    __slots__ = ("row", "local", "site", "password", "display_name")
    ROW_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    row: int
    local: str
    site: str
    password: str
    display_name: str
    def __init__(self, row: _Optional[int] = ..., local: _Optional[str] = ..., site: _Optional[str] = ..., password: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class PutAccountsResponse(_message.Message):
    __slots__ = ("created", "updated", "refused", "errors", "versions")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    created: int
    updated: int
    refused: int
    errors: _containers.RepeatedCompositeFieldContainer[RowError]
    versions: _containers.RepeatedCompositeFieldContainer[SiteVersion]
    def __init__(self, created: _Optional[int] = ..., updated: _Optional[int] = ..., refused: _Optional[int] = ..., errors: _Optional[_Iterable[_Union[RowError, _Mapping]]] = ..., versions: _Optional[_Iterable[_Union[SiteVersion, _Mapping]]] = ...) -> None: ...

class RowError(_message.Message):
    __slots__ = ("row", "local", "reason")
    ROW_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    row: int
    local: str
    reason: str
    def __init__(self, row: _Optional[int] = ..., local: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SiteVersion(_message.Message):
    __slots__ = ("site", "version")
    SITE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    site: str
    version: int
    def __init__(self, site: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class AwaitHeldResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAccountsRequest(_message.Message):
    __slots__ = ("site", "prefix")
    SITE_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    site: str
    prefix: str
    def __init__(self, site: _Optional[str] = ..., prefix: _Optional[str] = ...) -> None: ...

class ListAccountsResponse(_message.Message):
    __slots__ = ("accounts",)
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[AccountRecord]
    def __init__(self, accounts: _Optional[_Iterable[_Union[AccountRecord, _Mapping]]] = ...) -> None: ...

class GetAccountRequest(_message.Message):
    __slots__ = ("local",)
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    local: str
    def __init__(self, local: _Optional[str] = ...) -> None: ...

class SetPasswordRequest(_message.Message):
    __slots__ = ("local", "password")
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    local: str
    password: str
    def __init__(self, local: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class SetDisabledRequest(_message.Message):
    __slots__ = ("local", "disabled")
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    local: str
    disabled: bool
    def __init__(self, local: _Optional[str] = ..., disabled: _Optional[bool] = ...) -> None: ...

class GenerateAccountsRequest(_message.Message):
    __slots__ = ("site", "prefix", "count", "password")
    SITE_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    site: str
    prefix: str
    count: int
    password: str
    def __init__(self, site: _Optional[str] = ..., prefix: _Optional[str] = ..., count: _Optional[int] = ..., password: _Optional[str] = ...) -> None: ...
