"""A client: `xmpp.ClientStream` over real connections, which it opens, loses and opens again.

For the terminal client, for bots, for the demo and for tests.
"""

from chappe.client.account import Account
from chappe.client.client import Client
from chappe.client.endpoint import Endpoint, Transport, parse_endpoint
from chappe.client.errors import ClientError, LoginRefused, NotConnected, RequestTimedOut, Unreachable
from chappe.client.events import Connected, Disconnected, Ended, Event

__all__ = [
    "Account",
    "Client",
    "ClientError",
    "Connected",
    "Disconnected",
    "Ended",
    "Endpoint",
    "Event",
    "LoginRefused",
    "NotConnected",
    "RequestTimedOut",
    "Transport",
    "Unreachable",
    "parse_endpoint",
]
