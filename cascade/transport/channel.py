"""What client and server of a link must agree on: the method, the options of gRPC, and how a failure is told."""

import grpc

from cascade.link import FailureReason, LinkFailure
from cascade.v1 import link_pb2

SERVICE = link_pb2.DESCRIPTOR.services_by_name["Link"].full_name
METHOD = "Connect"

MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""No frame may be larger: room for one of the largest envelopes, and for whatever else gathers behind it."""

Options = list[tuple[str, int]]

_COMMON: Options = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    # Address translators forget idle flows after 60 s or more.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]

CLIENT_OPTIONS: Options = [
    *_COMMON,
    # Each attempt is a connection of its own: the client backs off by itself.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]

SERVER_OPTIONS: Options = [
    *_COMMON,
    # Without these the clients' keepalive is answered with "too many pings".
    ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ("grpc.http2.max_ping_strikes", 0),
    # A second hub on the same port is an error, not a silent half of the traffic.
    ("grpc.so_reuseport", 0),
]

_CODES = {
    FailureReason.VERSION: grpc.StatusCode.FAILED_PRECONDITION,
    FailureReason.EPOCH: grpc.StatusCode.FAILED_PRECONDITION,
    FailureReason.IDENTITY: grpc.StatusCode.PERMISSION_DENIED,
    FailureReason.MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
    FailureReason.SUPERSEDED: grpc.StatusCode.ABORTED,
}

_REASONS = {reason.value: reason for reason in FailureReason}


def status_of(failure: LinkFailure) -> tuple[grpc.StatusCode, str]:
    """Return how the hub tells a site why it ends the link."""
    return _CODES.get(failure.reason, grpc.StatusCode.UNAVAILABLE), f"{failure.reason.value}: {failure.text}"


def failure_of(details: str) -> LinkFailure:
    """Return why the hub, or gRPC itself, has ended the link."""
    reason, separator, text = details.partition(": ")
    known = _REASONS.get(reason) if separator else None
    return LinkFailure(FailureReason.LOST, details) if known is None else LinkFailure(known, text)
