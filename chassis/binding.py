"""Why an address cannot be listened on, in one line that names the setting."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.errors import OperatorError

_HINTS = {
    errno.EADDRINUSE: "another process listens there; end it or choose another",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE, and a socket file a writable folder",
    errno.ENOENT: "the folder of the socket file does not exist",
}


class BindFailed(OperatorError):
    """An address of the settings cannot be listened on."""


@contextmanager
def naming_setting(setting: str, address: str) -> Iterator[None]:
    """Turn an `OSError` of binding into `BindFailed`.

    Arguments: the dotted path of the `setting`, the `address` as an operator writes it (`127.0.0.1:5222`, a path).
    """
    try:
        yield
    except socket.gaierror:
        raise BindFailed(f"{setting}: cannot listen on {address}: the name has no address") from None
    except OSError as error:
        number = error.errno or 0
        reason = os.strerror(number) if number else str(error)
        hint = f" ({_HINTS[number]})" if number in _HINTS else ""
        raise BindFailed(f"{setting}: cannot listen on {address}: {reason}{hint}") from None
