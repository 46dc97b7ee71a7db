"""A certificate authority for tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cascade.transport.tls import SITE_URI, CertificateFiles

VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
VALID_TO = VALID_FROM + timedelta(days=365 * 80)


class Authority:
    """Issues certificates into a folder, as the files that a link reads."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.file = folder / f"{name}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self.file.write_bytes(_pem(self._sign(self._name, self._key.public_key(), constraints, is_critical=True)))

    def issue_site(self, site: str, file_name: str | None = None) -> CertificateFiles:
        """Issue a certificate that names a site."""
        return self.issue(file_name or site, [x509.UniformResourceIdentifier(SITE_URI + site)])

    def issue_hub(self, host: str) -> CertificateFiles:
        """Issue a certificate that names a host."""
        return self.issue(host, [x509.DNSName(host)])

    def issue(self, file_name: str, names: list[x509.GeneralName]) -> CertificateFiles:
        """Issue a certificate with these subject alternative names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, file_name)])
        certificate = self._sign(subject, key.public_key(), x509.SubjectAlternativeName(names), is_critical=False)
        files = CertificateFiles(self.file, self.folder / f"{file_name}.pem", self.folder / f"{file_name}.key")
        files.certificate.write_bytes(_pem(certificate))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        extension: x509.ExtensionType,
        *,
        is_critical: bool,
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(VALID_FROM)
            .not_valid_after(VALID_TO)
            .add_extension(extension, critical=is_critical)
            .sign(self._key, hashes.SHA256())
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
