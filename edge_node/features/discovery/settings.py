"""Settings of service discovery."""

from collections.abc import Iterator
from typing import Annotated

from annotated_types import MaxLen, MinLen

from chassis.settings import Settings

URI = Annotated[str, MinLen(3), MaxLen(1000)]
Addresses = Annotated[tuple[URI, ...], MaxLen(20)]


class ContactSettings(Settings):
    """Where people who have a question about this server may turn, as URIs: `mailto:`, `xmpp:`, `https:` (XEP-0157)."""

    abuse: Addresses = ()
    """For reports of abuse."""

    admin: Addresses = ()
    """Of the administrators."""

    feedback: Addresses = ()
    """For praise and complaints."""

    sales: Addresses = ()
    """For those who want to buy."""

    security: Addresses = ()
    """For reports of vulnerabilities."""

    status: Addresses = ()
    """Where it is told whether the service works."""

    support: Addresses = ()
    """For those who need help."""

    def named(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each kind with its addresses, those without addresses left out."""
        for name in type(self).model_fields:
            addresses: tuple[str, ...] = getattr(self, name)
            if addresses:
                yield name, addresses
