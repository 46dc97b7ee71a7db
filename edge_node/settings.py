"""Settings of an edge node: those of its parts, composed."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import AfterValidator, ValidationInfo

from chassis.http import OperationsSettings
from chassis.logging import LoggingSettings
from chassis.settings import LocalPath, Settings
from edge_node.adapters.sqlite import StoreSettings
from edge_node.backplane.settings import BackplaneSettings
from edge_node.features.archive.settings import ArchiveSettings
from edge_node.features.discovery.settings import ContactSettings
from edge_node.listeners.settings import ListenerSettings
from edge_node.sessions.session import SessionLimits

Name = Annotated[str, MinLen(1)]
Seconds = Annotated[float, Gt(0), Le(86_400)]


class SessionSettings(Settings):
    """What an account and its sessions may have."""

    per_account_max: Annotated[int, Ge(1), Le(1000)] = 20
    """Sessions of one account at once; one more is answered `resource-constraint`."""

    resume_seconds: Annotated[int, Ge(0), Le(86_400)] = 600
    """How long a session whose connection is lost waits to be resumed (XEP-0198)."""

    unacknowledged_max: Annotated[int, Ge(10), Le(100_000)] = 2_000
    """Stanzas kept for one client that does not acknowledge them; beyond it the session ends, and messages wait."""

    request_after: Annotated[int, Ge(1), Le(1000)] = 10
    """Unacknowledged stanzas after which a client is asked to acknowledge (XEP-0198)."""

    request_seconds: Annotated[float, Gt(0), Le(3600)] = 10.0
    """How often a client with fewer than that is asked."""

    directed_max: Annotated[int, Ge(1), Le(10_000)] = 500
    """Addresses that one session may have sent directed presence to."""

    presence_grace_seconds: Seconds = 30.0
    """How long contacts at other sites are shown as they were while the link to the hub is down."""

    def limits(self, *, is_durable: bool, are_all_kept: bool) -> SessionLimits:
        """As sessions take them; see there."""
        return SessionLimits(
            self.request_after,
            self.unacknowledged_max,
            self.resume_seconds,
            self.request_seconds,
            is_durable,
            are_all_kept,
        )


class RequestSettings(Settings):
    """IQs that leave the site."""

    seconds: Annotated[float, Gt(0), Le(600)] = 30.0
    """How long an IQ to another site waits for its answer; then `remote-server-timeout`."""

    waiting_max: Annotated[int, Ge(1), Le(1_000_000)] = 20_000
    """How many may wait at once; one more is answered `resource-constraint`."""


class RosterSettings(Settings):
    """Bounds of contact lists."""

    items_max: Annotated[int, Ge(1), Le(100_000)] = 5_000
    """Contacts of one account, unanswered requests included; one more is answered `resource-constraint`."""

    name_characters_max: Annotated[int, Ge(16), Le(10_000)] = 1_023
    """Of a contact's name and of a group's; more is answered `not-acceptable`."""

    groups_max: Annotated[int, Ge(1), Le(10_000)] = 100
    """Groups that one contact is in; more are answered `not-acceptable`."""

    request_size_bytes_max: Annotated[int, Ge(100), Le(1_000_000)] = 10_000
    """What a request to subscribe says, which is kept until it is answered; more is answered `not-acceptable`."""


def above_two_heartbeats(dead_seconds: float, info: ValidationInfo) -> float:
    """Refuse a time in which a link that is well may be silent."""
    heartbeat_seconds = info.data.get("heartbeat_seconds")
    if heartbeat_seconds is not None and dead_seconds < 2 * heartbeat_seconds:
        raise ValueError(f"less than two heartbeats of {heartbeat_seconds:g} s")
    return dead_seconds


class UplinkSettings(Settings):
    """The link to the central hub."""

    hub: Name
    """`host:port` of the hub's link port."""

    hub_name: str = ""
    """The name in the hub's certificate, if it is not the host above."""

    authority: LocalPath
    """PEM file with the certificates of the authorities that the hub's certificate may come from."""

    certificate: LocalPath
    """PEM file with this site's certificate; its URI name is `chappe://site/NAME`."""

    key: LocalPath
    """PEM file with the private key of that certificate."""

    outbox_envelopes_max: Annotated[int, Ge(16), Le(100_000_000)] = 1_000_000
    """What may wait for the hub, stored; beyond it senders get `resource-constraint`."""

    outbox_bytes_max: Annotated[int, Ge(1 << 16), Le(1 << 40)] = 1 << 30
    """The same in bytes."""

    outbox_envelopes_in_memory_max: Annotated[int, Ge(16), Le(1_000_000)] = 4_096
    """Envelopes of the outbox kept in memory beside the store; the others are read when their turn comes."""

    outbox_bytes_in_memory_max: Annotated[int, Ge(1 << 16), Le(1 << 32)] = 16 << 20
    """These in bytes."""

    heartbeat_seconds: Annotated[float, Gt(0), Le(300)] = 15.0
    """How often the link is tried when nothing else crosses it."""

    dead_seconds: Annotated[float, Gt(0), Le(900), AfterValidator(above_two_heartbeats)] = 45.0
    """Silence after which the link counts as dead and is dialled anew; at least two heartbeats."""


class EdgeSettings(Settings):
    """One edge node: the XMPP server of one site."""

    domain: Name
    """The company's XMPP domain."""

    site: Name
    """Name of this site, as its certificate and the hub have it."""

    data: LocalPath = Path("data")
    """Folder of the store; one process at a time uses it."""

    listeners: ListenerSettings
    backplane: BackplaneSettings = BackplaneSettings()
    uplink: UplinkSettings | None = None
    """Without it the site stands alone with the accounts it has."""
    sessions: SessionSettings = SessionSettings()
    requests: RequestSettings = RequestSettings()
    rosters: RosterSettings = RosterSettings()
    archive: ArchiveSettings = ArchiveSettings()
    contact: ContactSettings = ContactSettings()
    store: StoreSettings = StoreSettings()
    operations: OperationsSettings = OperationsSettings()
    logging: LoggingSettings = LoggingSettings()

    tasks_max: Annotated[int, Ge(16), Le(1_000_000)] = 50_000
    """Requests that wait for the store at once; one more is answered `resource-constraint`."""

    drain_seconds: Seconds = 30.0
    """For the whole process to end, once asked to."""
