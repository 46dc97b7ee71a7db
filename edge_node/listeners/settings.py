"""Settings of the ports where clients connect.  Every bound on what a client may cost is here, with its answer."""

import ipaddress
from typing import Annotated, Final

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator

from chassis.settings import Settings
from chassis.tls import TLSSettings

Port = Annotated[int, Ge(0), Le(65535)]


def _none(value: object) -> object:
    """TOML and the environment have no null: the word stands for it."""
    return None if value == "none" else value


OptionalPort = Annotated[Port | None, BeforeValidator(_none)]
"""A port, or "none"."""
Seconds = Annotated[float, Gt(0), Le(86_400)]
Count = Annotated[int, Ge(1), Le(1_000_000)]


def _network(text: str) -> str:
    ipaddress.ip_network(text)  # its ValueError says what is wrong
    return text


Network = Annotated[str, AfterValidator(_network)]
SizeBytes = Annotated[int, Ge(1024), Le(1024 * 1024 * 1024)]
PROCESSES_MAX: Final = 64


class NegotiationSettings(Settings):
    """What may be had before anybody knows who it is.  Each listener process counts for itself."""

    tls_seconds: Seconds = 10.0
    """For a TLS handshake; then the connection is dropped."""

    seconds: Seconds = 30.0
    """From the first byte to the bound resource; then `connection-timeout`."""

    size_bytes_max: SizeBytes = 65_536
    """Bytes that a client may send until then; more is a `policy-violation`."""

    connections_max: Count = 4_096
    """Connections that have no resource yet, of all clients; one more is answered `resource-constraint`."""

    connections_per_address_max: Count = 256
    """The same from one address (of IPv6: one network of 64 bits)."""

    sasl_attempts_max: Annotated[int, Ge(1), Le(20)] = 5
    """Failed attempts on one connection; then `policy-violation`.  Some clients try all that is offered, in turn."""

    failures_per_address_max: Count = 60
    """Failed attempts from one address, less one for each `failure_seconds`; further ones get `policy-violation`."""

    failures_per_account_max: Count = 30
    """The same for one account, whether it exists or not."""

    failure_seconds: Seconds = 10.0
    """How long it takes until one failure is forgotten."""

    failures_remembered_max: Count = 20_000
    """Addresses and accounts with failures that are remembered; the oldest is forgotten first."""

    password_threads: Annotated[int, Ge(1), Le(16)] = 1
    """Threads that check passwords of PLAIN, which costs much CPU by design."""

    passwords_waiting_max: Count = 64
    """Passwords that wait for such a thread; one more is answered `resource-constraint`."""


class RateSettings(Settings):
    """How fast a client may send.  Beyond it the connection is not read for a while: TCP slows the client down."""

    bytes_per_second: Annotated[int, Ge(1024), Le(1024 * 1024 * 1024)] = 262_144
    """Sustained."""

    burst_bytes: SizeBytes = 4 * 1024 * 1024
    """At once, after a time of silence."""

    stanzas_per_second: Annotated[int, Ge(1), Le(1_000_000)] = 500
    """Sustained."""

    burst_stanzas: Count = 5_000
    """At once, after a time of silence."""


class ConnectionSettings(Settings):
    """What one client's connection may cost."""

    stanza_size_bytes_max: Annotated[int, Ge(10_000), Le(1024 * 1024)] = 262_144
    """Of one stanza or WebSocket message; more is a `policy-violation` (RFC 6120 §13.12 wants 10,000 at least)."""

    depth_max: Annotated[int, Ge(8), Le(256)] = 64
    """How deep elements may be nested in a stanza."""

    unhandled_stanzas_max: Annotated[int, Ge(1), Le(65_536)] = 256
    """Stanzas received and not yet in the core's custody; then the connection is not read."""

    answer_seconds_max: Annotated[float, Ge(0.1), Le(3_600)] = 5.0
    """How long an answer to a client's request for an acknowledgement may wait for custody, give or take as much; then
    it says how far custody is."""

    write_buffer_bytes: SizeBytes = 65_536
    """Written and not yet taken by the kernel: a client from here on is slow."""

    write_buffer_bytes_max: SizeBytes = 4 * 1024 * 1024
    """The same, from where on the connection is dropped (`resource-constraint`)."""

    slow_seconds_max: Seconds = 60.0
    """How long a client may stay slow; then its connection is dropped."""

    keepalive_idle_seconds: Annotated[int, Ge(10), Le(32_767)] = 120
    """Silence after which the kernel asks whether the client is there; over WebSocket a ping is sent."""

    keepalive_seconds_max: Annotated[int, Ge(5), Le(32_767)] = 60
    """For the answer, and for the acknowledgement of whatever was sent; then the connection is dropped."""

    closing_seconds: Seconds = 5.0
    """For a client to read the end of its stream and send its own; then the connection is dropped."""


class TCPSettings(Settings):
    """The ports for XMPP over TCP."""

    host: str = "::"
    """Address to listen on; `::` is every address."""

    port: OptionalPort = 5222
    """XMPP with STARTTLS; 0 lets the kernel choose; "none": closed."""

    tls_port: OptionalPort = 5223
    """XMPP inside TLS from the first byte (XEP-0368, ALPN `xmpp-client`)."""


class HTTPSettings(Settings):
    """The port for XMPP over WebSocket (RFC 7395), at `/ws`, and for what browsers ask to find it (XEP-0156)."""

    host: str = "::"
    """Address to listen on."""

    port: OptionalPort = 5280
    """0 lets the kernel choose; "none": closed."""

    has_tls: bool = True
    """Whether this port speaks TLS itself.  If not, clients get in through `trusted_proxies`, or unencrypted."""

    public_url: str = ""
    """Where clients reach `/ws`, as host-meta tells them; empty: derived from the request's Host."""

    origins: tuple[str, ...] = ("*",)
    """Web pages that may connect: values of the Origin header; `*` is all."""

    trusted_proxies: tuple[Network, ...] = ()
    """Networks of proxies in front of this port: what they say by X-Forwarded-For and X-Forwarded-Proto is believed."""

    request_seconds: Seconds = 10.0
    """For a request, from the first byte to the last."""


class ListenerSettings(Settings):
    """Where clients connect."""

    processes: Annotated[int, Ge(0), Le(PROCESSES_MAX)] = 0
    """Listener processes; 0: the core listens itself, in its own process."""

    operations_port: OptionalPort = None
    """Where the first listener process shows `/metrics` and `/readyz`, on the host of `operations`; each further one
    takes the next port.  None: nowhere."""

    adoption_seconds: Seconds = 2.0
    """How long a core waits for a listener process that runs without calling it, before it starts another."""

    restart_seconds_min: Seconds = 0.2
    """First wait before a listener process that ended is started again; doubled each time that it did not serve."""

    restart_seconds_max: Seconds = 10.0
    """Longest such wait."""

    require_tls: bool = True
    """Whether a client must encrypt before it logs in.  Never is a password (PLAIN) taken without encryption."""

    tls: TLSSettings | None = None
    """Certificate and key; without them there is no TLS at all."""

    tls_reload_seconds: Seconds = 60.0
    """How often the certificate's files are looked at."""

    offers_plain: bool = True
    """Whether PLAIN is offered inside TLS, beside SCRAM."""

    connections_max: Count = 15_000
    """Connections of one process; one more is answered `resource-constraint`."""

    backlog: Annotated[int, Ge(16), Le(65_535)] = 1_024
    """Connections that the kernel keeps until they are accepted."""

    tcp: TCPSettings = TCPSettings()
    http: HTTPSettings = HTTPSettings()
    connection: ConnectionSettings = ConnectionSettings()
    negotiation: NegotiationSettings = NegotiationSettings()
    rate: RateSettings = RateSettings()

    drain_seconds: Seconds = 10.0
    """For clients to take the end of their streams when the process ends."""
