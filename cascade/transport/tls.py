"""Who is at the other end: certificates from files, re-read when they change, and the site's name in them.

A site's certificate carries exactly one URI subject alternative name ``chappe://site/NAME``.
"""

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


def channel_credentials(files: CertificateFiles) -> grpc.ChannelCredentials:
    """Return a site's credentials, as the files are now.  Raises OSError."""
    return grpc.ssl_channel_credentials(
        root_certificates=files.authority.read_bytes(),
        private_key=files.key.read_bytes(),
        certificate_chain=files.certificate.read_bytes(),
    )


def server_credentials(files: CertificateFiles) -> grpc.ServerCredentials:
    """Return the hub's credentials: they follow the files.  Raises OSError if they cannot be read now."""
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
    """Gives gRPC new material at the handshake that follows a change of the files."""

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files
        self._stamp = files.stamp()

    def fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC at each handshake, on a thread of its own; None = go on with what you have."""
        try:
            stamp = self._files.stamp()
            if stamp == self._stamp:
                return None
            configuration = _configuration(self._files)
        except OSError as error:
            _log.warning("link_certificate_unreadable", error=str(error))
            return None
        self._stamp = stamp
        _log.info("link_certificate_rotated", certificate=str(self._files.certificate))
        return configuration
