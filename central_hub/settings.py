"""The hub's settings: those of its parts, in one TOML file."""

from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import Field

from central_hub.links.settings import LinksSettings
from central_hub.operations.settings import AdministrationSettings
from central_hub.spool.settings import SpoolSettings
from chassis.http import OperationsSettings
from chassis.logging import LoggingSettings
from chassis.settings import LocalPath, Settings


class StoreSettings(Settings):
    """The hub's own store."""

    folder: LocalPath
    """Folder of the directory and the spool; one hub at a time works on it."""

    backlog_max: Annotated[int, Ge(1), Le(10_000_000)] = 100_000
    """Writes that may wait for the disk; beyond it the store counts as unavailable."""


class HubSettings(Settings):
    """The central hub."""

    domain: Annotated[str, Field(min_length=1, max_length=255)]
    """The company's XMPP domain."""

    drain_seconds: Annotated[float, Gt(0), Le(600)] = 10.0
    """How long the hub takes to leave after SIGTERM."""

    store: StoreSettings
    links: LinksSettings
    administration: AdministrationSettings
    spool: SpoolSettings = SpoolSettings()
    operations: OperationsSettings = OperationsSettings(port=7403)
    logging: LoggingSettings = LoggingSettings()
