"""Certificates: making an authority and what it issues, and reading from a certificate who its holder is.

A holder's identity is a URI among the certificate's subject alternative names: `chappe://site/NAME` for a site's end
of a link, `chappe://admin/NAME` for an administrator.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chassis.clock import MICROSECONDS, Clock
from chassis.errors import OperatorError

Role = Literal["site", "admin"]

_IDENTITY: Final = re.compile(r"chappe://(site|admin)/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)")
_SKEW: Final = timedelta(hours=1)
"""Certificates are valid from a little before they are made: clocks of branches differ."""


class CertificateError(OperatorError):
    """A certificate or key that cannot be read, does not match, or does not say what it must."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who holds a certificate."""

    role: Role
    name: str

    def __post_init__(self) -> None:
        if _IDENTITY.fullmatch(self.uri) is None:
            raise ValueError(f"not a name of 1 to 63 small letters, digits and inner hyphens: {self.name!r}")

    @property
    def uri(self) -> str:
        """The form in the certificate."""
        return f"chappe://{self.role}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a certificate is for: its identity (if any), host names and IP addresses."""

    common_name: str
    identity: Identity | None = None
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def alternative_names(self) -> Iterable[x509.GeneralName]:
        """As they stand in the certificate."""
        yield from (x509.DNSName(host) for host in self.hosts)
        yield from (x509.IPAddress(ip_address(address)) for address in self.addresses)
        if self.identity is not None:
            yield x509.UniformResourceIdentifier(self.identity.uri)


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and its private key (ECDSA P-256)."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate, as TLS libraries read it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key (PKCS #8, not encrypted)."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def write(self, certificate: Path, key: Path) -> None:
        """Write both files; the key is readable by its owner only from the first byte on."""
        _write(key, self.key_pem, 0o600)
        _write(certificate, self.certificate_pem, 0o644)

    @classmethod
    def read(cls, certificate: Path, key: Path) -> Self:
        """Read both files.  Raises `CertificateError`."""
        try:
            loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
            read = x509.load_pem_x509_certificate(certificate.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise CertificateError(f"{certificate}, {key}: cannot be read: {error}") from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey) or loaded.public_key() != read.public_key():
            raise CertificateError(f"{certificate}, {key}: the key is not the certificate's, or not an ECDSA key")
        return cls(read, loaded)


class Authority:
    """A certificate authority of one's own, for links, administrators, and the demo's clients."""

    def __init__(self, credential: Credential, clock: Clock) -> None:
        self.credential = credential
        self._clock = clock

    @classmethod
    def create(cls, common_name: str, clock: Clock, valid: timedelta = timedelta(days=3650)) -> Self:
        """Make an authority that can issue certificates for hosts and people, but no further authorities."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name)
        builder = _builder(name, name, key, clock, valid)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        return cls(Credential(builder.sign(key, hashes.SHA256()), key), clock)

    def issue(self, subject: Subject, valid: timedelta = timedelta(days=825)) -> Credential:
        """Make a key and a certificate for it, good for both ends of TLS."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.credential.certificate
        builder = _builder(_name(subject.common_name), issuer.subject, key, self._clock, valid)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(authority=False), critical=True)
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.credential.key.public_key()), critical=False
        )
        names = list(subject.alternative_names())
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Credential(builder.sign(self.credential.key, hashes.SHA256()), key)


def identity_of(certificate: x509.Certificate) -> Identity:
    """Who holds the certificate, which the TLS layer has verified.

    Raises `CertificateError` if it names nobody, or more than one.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise CertificateError("the certificate has no subject alternative names, so no chappe:// identity") from None
    found = [
        match
        for uri in names.get_values_for_type(x509.UniformResourceIdentifier)
        if (match := _IDENTITY.fullmatch(uri))
    ]
    if len(found) != 1:
        raise CertificateError(
            f"the certificate must have one identity chappe://site/NAME or chappe://admin/NAME, not {len(found)}"
        )
    return Identity("site" if found[0][1] == "site" else "admin", found[0][2])


def identity_of_pem(pem: bytes) -> Identity:
    """The same for a certificate as gRPC hands it out.  Raises `CertificateError`."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError(f"not a certificate: {error}") from None
    return identity_of(certificate)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, clock: Clock, valid: timedelta
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(clock.now_us() // MICROSECONDS, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file at once, so that a reader sees the old content or the new."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
