"""Who calls: the name in an administrator's certificate (URI chappe://admin/NAME)."""

from collections.abc import Iterable, Mapping

from chassis.pki import CertificateError, identity_of_pem

PEM_PROPERTY = "x509_pem_cert"
"""gRPC's name for the certificate of the peer, which TLS has verified."""


class NotAnAdministrator(Exception):
    """The certificate is valid, but is no administrator's; `found` is for the log."""

    def __init__(self, found: str) -> None:
        """Keep what the certificate says."""
        super().__init__("this needs an administrator's certificate (URI chappe://admin/NAME)")
        self.found = found


def administrator(authentication: Mapping[str, Iterable[bytes]]) -> str:
    """Return the administrator's name of a call.

    Args:
        authentication: gRPC's authentication context of the call.

    Raises:
        NotAnAdministrator: the certificate names a site, nobody, or more than one.
    """
    try:
        identity = identity_of_pem(b"".join(authentication.get(PEM_PROPERTY, ())))
    except CertificateError as error:
        raise NotAnAdministrator(str(error)) from None
    if identity.role != "admin":
        raise NotAnAdministrator(identity.uri)
    return identity.name
