"""Certificates and identities."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store

from chassis.clock import ManualClock
from chassis.pki import Authority, CertificateError, Credential, Identity, Subject, identity_of, identity_of_pem


@pytest.mark.parametrize("identity", [Identity("site", "paris"), Identity("admin", "root"), Identity("site", "a" * 63)])
def test_identity_goes_into_the_certificate_and_comes_out(authority: Authority, identity: Identity) -> None:
    issued = authority.issue(Subject(common_name="x", identity=identity))
    assert identity_of(issued.certificate) == identity
    assert identity_of_pem(issued.certificate_pem) == identity


@pytest.mark.parametrize("name", ["", "Paris", "-a", "a-", "a.b", "a/b", "a" * 64, "päris", "paris\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        Identity("site", name)


def certificate_naming(*uris: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = datetime(2030, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
    return builder.add_extension(names, critical=False).sign(key, hashes.SHA256())


@pytest.mark.parametrize(
    "uris",
    [
        ("https://site/paris",),
        ("chappe://site/paris/../lyon",),
        ("chappe://site/PARIS",),
        ("chappe://hub/paris",),
        ("chappe://site/paris", "chappe://site/lyon"),
        ("chappe://site/paris", "chappe://admin/paris"),
    ],
)
def test_certificate_that_does_not_say_who(uris: tuple[str, ...]) -> None:
    with pytest.raises(CertificateError, match="must have one identity"):
        identity_of(certificate_naming(*uris))


def test_certificate_without_names(authority: Authority) -> None:
    with pytest.raises(CertificateError, match="no subject alternative names"):
        identity_of(authority.issue(Subject(common_name="chappe://site/paris")).certificate)


def test_what_is_no_certificate() -> None:
    with pytest.raises(CertificateError, match="not a certificate"):
        identity_of_pem(b"chappe://site/paris")


def test_issued_certificates_verify_for_their_hosts_and_addresses() -> None:
    clock = ManualClock()
    authority = Authority.create("A", clock)
    issued = authority.issue(Subject(common_name="x", hosts=("hub.example",), addresses=("127.0.0.1",)))
    now = datetime.fromtimestamp(clock.now_us() // 1_000_000, UTC)
    policy = PolicyBuilder().store(Store([authority.credential.certificate]))
    verifier = policy.time(now).build_server_verifier(x509.DNSName("hub.example"))
    assert len(verifier.verify(issued.certificate, [])) == 2
    late = policy.time(now + timedelta(days=826)).build_server_verifier(x509.DNSName("hub.example"))
    with pytest.raises(x509.verification.VerificationError):
        late.verify(issued.certificate, [])
    stranger = Authority.create("A", clock).issue(Subject(common_name="x", hosts=("hub.example",)))
    with pytest.raises(x509.verification.VerificationError):
        verifier.verify(stranger.certificate, [])


def test_files_are_read_back_and_the_key_is_private(tmp_path: Path, authority: Authority) -> None:
    certificate, key = tmp_path / "a.crt", tmp_path / "a.key"
    issued = authority.issue(Subject(common_name="x"))
    for _ in range(2):
        issued.write(certificate, key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert Credential.read(certificate, key).certificate == issued.certificate
    assert sorted(tmp_path.iterdir()) == [certificate, key]
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_files_that_cannot_be_read(tmp_path: Path, authority: Authority) -> None:
    certificate, key = tmp_path / "a.crt", tmp_path / "a.key"
    with pytest.raises(CertificateError, match="cannot be read"):
        Credential.read(certificate, key)
    authority.issue(Subject(common_name="x")).write(certificate, key)
    certificate.write_bytes(authority.issue(Subject(common_name="y")).certificate_pem)
    with pytest.raises(CertificateError, match="the key is not the certificate's"):
        Credential.read(certificate, key)
