"""Who is at the other end: certificates from files, re-read when they change, and the site's name in them.

A site's certificate carries exactly one URI subject alternative name ``chappe://site/NAME``.
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

SITE_URI = "chappe://site/"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files of one side of a link."""

    authority: Path
    """Certificates of the authorities that the peer's certificate may come from."""
    certificate: Path
    """Our certificate chain."""
    key: Path

    def stamp(self) -> tuple[int, ...]:
        """Return what changes when one of the files changes.  Raises OSError."""
        return tuple(path.stat().st_mtime_ns for path in (self.authority, self.certificate, self.key))

    def check(self) -> None:
        """See that all can be read and that the key is the certificate's: gRPC itself does not say.

        Raises:
            OSError: which, and why not.

        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.authority)
        except OSError as error:
            raise OSError(f"{self.authority}: {error.strerror or error}") from error
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self.certificate, self.key, password="")
        except OSError as error:
            raise OSError(f"{self.certificate}, {self.key}: {error.strerror or error}") from error


def channel_credentials(files: CertificateFiles) -> grpc.ChannelCredentials:
    """Return a site's credentials, as the files are now.  Raises OSError if they cannot be used."""
    files.check()
    return grpc.ssl_channel_credentials(
        root_certificates=files.authority.read_bytes(),
        private_key=files.key.read_bytes(),
        certificate_chain=files.certificate.read_bytes(),
    )


def server_credentials(files: CertificateFiles) -> grpc.ServerCredentials:
    """Return the hub's credentials: they follow the files.  Raises OSError if they cannot be used now."""
    files.check()
    return grpc.dynamic_ssl_server_credentials(
        _configuration(files),
        _Rotation(files).fetch,  # type: ignore[arg-type]  # the stubs do not know None
        require_client_authentication=True,
    )


def site_in(auth_context: Mapping[str, Iterable[bytes]]) -> str | None:
    """Return the name of the site that a verified certificate names; None unless it names exactly one."""
    uris = [name.decode("utf-8", "replace") for name in auth_context.get("peer_uri", ())]
    sites = [uri.removeprefix(SITE_URI) for uri in uris if uri.startswith(SITE_URI)]
    return sites[0] if len(sites) == 1 and sites[0] else None


def _configuration(files: CertificateFiles) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(files.key.read_bytes(), files.certificate.read_bytes())], root_certificates=files.authority.read_bytes()
    )


class _Rotation:
    """Gives gRPC new material at the handshake that follows a change of the files, once they fit together."""

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files
        self._stamp = files.stamp()
        self._fault = ""

    def fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC at each handshake, on a thread of its own; None = go on with what you have."""
        try:
            stamp = self._files.stamp()
            if stamp == self._stamp:
                return None
            self._files.check()
            configuration = _configuration(self._files)
        except OSError as error:
            if str(error) != self._fault:
                self._fault = str(error)
                _log.warning("link_certificate_not_rotated", error=self._fault)
            return None
        self._stamp, self._fault = stamp, ""
        _log.info("link_certificate_rotated", certificate=str(self._files.certificate))
        return configuration
