"""TLS of a listening port, which takes up a renewed certificate without a restart."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from chassis.pki import CertificateError
from chassis.settings import LocalPath, Settings


class TLSSettings(Settings):
    """The certificate that a port shows."""

    certificate: LocalPath
    """PEM file of the certificate, followed by those between it and the authority."""

    key: LocalPath
    """PEM file of its private key, not encrypted."""


class ServerTLS:
    """The context of a server, TLS 1.2 or newer, and the binding of its certificate: ask for them at each handshake.

    Arguments: the `certificate` (with its chain) and `key` files, and the protocols offered by ALPN (RFC 7301).
    Raises `CertificateError` if they cannot be used.
    """

    def __init__(self, certificate: Path, key: Path, protocols: Sequence[str] = ()) -> None:
        self._certificate = certificate
        self._key = key
        self._protocols = tuple(protocols)
        self._seen = self._stamp()
        self.context, self.end_point_binding = self._load()

    def reload(self) -> bool:
        """Take the files up if they have changed; tells whether they had.

        Handshakes from now on use the new ones, connections that stand keep the old.  Raises `CertificateError`, and
        then goes on with the old ones, if the new cannot be used.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        # A context of its own: whatever becomes of the files meanwhile, the one in use is not touched.
        self.context, self.end_point_binding = self._load()
        self._seen = stamp  # of before: what changed since is seen next time
        return True

    async def watch(self, interval_seconds: float, reloaded: Callable[[CertificateError | None], None]) -> None:
        """Reload whenever the files change, for ever; `reloaded` hears of each time and of what was wrong with it."""
        faulty = None
        while True:
            await asyncio.sleep(interval_seconds)
            try:
                if self.reload():
                    faulty = None
                    reloaded(None)
            except CertificateError as error:
                if faulty != str(error):
                    faulty = str(error)
                    reloaded(error)

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        try:
            states = [path.stat() for path in (self._certificate, self._key)]
        except OSError as error:
            raise CertificateError(f"{error.filename}: cannot be read: {error.strerror}") from None
        return tuple((state.st_mtime_ns, state.st_size, state.st_ino) for state in states)

    def _load(self) -> tuple[ssl.SSLContext, bytes | None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        try:
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
            binding = server_end_point(x509.load_pem_x509_certificate(self._certificate.read_bytes()))
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise CertificateError(f"{self._certificate}, {self._key}: cannot be used: {error}") from None
        if self._protocols:
            context.set_alpn_protocols(list(self._protocols))
        return context, binding


def server_end_point(certificate: x509.Certificate) -> bytes | None:
    """The channel binding tls-server-end-point (RFC 5929 §4.1).

    None where it is not defined (Ed25519, Ed448), and for signatures that are not known here.
    """
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        return None
    if algorithm.name in {"md5", "sha1"}:
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate.public_bytes(serialization.Encoding.DER))
    return digest.finalize()


def _no_password() -> str:
    raise ValueError("the key is encrypted")
