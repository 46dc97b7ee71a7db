"""What may go wrong for a client.

ClientError
 ├── Unreachable        no connection, or one that broke before anybody was logged in
 ├── LoginRefused       the server, or we, put an end to it: trying again is of no use
 ├── NotConnected       nothing can be sent now
 └── RequestTimedOut    no answer came in time

What another entity answers with is an `xmpp.errors.StanzaError`.
"""


class ClientError(Exception):
    """The text is for a person."""


class Unreachable(ClientError):
    """No server answers there, or the connection broke; it may be there later."""


class LoginRefused(ClientError):
    """The password, the certificate, the account or the address is wrong."""


class NotConnected(ClientError):
    """The client has no connection, and no session that a later connection would resume."""


class RequestTimedOut(ClientError):
    """A request got no answer in its time."""
