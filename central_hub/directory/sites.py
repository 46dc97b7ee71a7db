"""Sites as the hub knows them, and the rule for their names."""

import re
from dataclasses import dataclass

SITE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A DNS label: the name is a path segment of the certificate's URI and a label of metrics."""


class InvalidSiteName(ValueError):
    """The name is not a lower-case DNS label."""

    def __init__(self, name: str) -> None:
        """Refuse `name`."""
        super().__init__(f"{name!r} is not a site name: 1 to 63 lower-case letters, digits and inner hyphens")


@dataclass(frozen=True, slots=True)
class Site:
    """A branch, and where the clients of its people connect (host and port of RFC 6120 section 4.9.3.19)."""

    name: str
    client_host: str
    client_port: int
    base_version: int
    """Version of the site's accounts before the first change: the microsecond of its creation, or a later one from
    which on it is remembered which versions were given out."""


def checked_site_name(name: str) -> str:
    """Return `name`; raise InvalidSiteName for what can't be one."""
    if SITE_NAME.fullmatch(name) is None:
        raise InvalidSiteName(name)
    return name
