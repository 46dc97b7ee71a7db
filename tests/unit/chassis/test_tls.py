"""TLS of a port: handshakes in memory, certificates that change under it."""

import asyncio
import hashlib
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from chassis.pki import Authority, CertificateError, Subject
from chassis.tls import ServerTLS, server_end_point


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """A handshake without a socket; gives the client's end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[0]


def client_context(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.credential.certificate_pem.decode())


def shown(tls: ServerTLS, authority: Authority) -> bytes:
    """The certificate that a new client is shown."""
    certificate = shake_hands(tls.context, client_context(authority)).getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


def renew(authority: Authority, certificate: Path, key: Path) -> None:
    authority.issue(Subject(common_name="localhost", hosts=("localhost",))).write(certificate, key)


def test_handshake_with_protocol(authority: Authority, certificate_files: tuple[Path, Path]) -> None:
    tls = ServerTLS(*certificate_files, protocols=("xmpp-client",))
    client = client_context(authority)
    client.set_alpn_protocols(["xmpp-client"])
    end = shake_hands(tls.context, client)
    assert end.version() == "TLSv1.3"
    assert end.selected_alpn_protocol() == "xmpp-client"


def test_end_point_binding_is_of_the_certificate_shown(
    authority: Authority, certificate_files: tuple[Path, Path]
) -> None:
    tls = ServerTLS(*certificate_files)
    assert tls.end_point_binding == hashlib.sha256(shown(tls, authority)).digest()


def test_old_versions_are_refused(authority: Authority, certificate_files: tuple[Path, Path]) -> None:
    tls = ServerTLS(*certificate_files)
    assert tls.context.minimum_version is ssl.TLSVersion.TLSv1_2
    client = client_context(authority)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake_hands(tls.context, client).version() == "TLSv1.2"


def test_renewed_certificate_is_shown_to_new_clients(
    authority: Authority, certificate_files: tuple[Path, Path]
) -> None:
    tls = ServerTLS(*certificate_files)
    old = shown(tls, authority)
    assert not tls.reload()
    renew(authority, *certificate_files)
    assert tls.reload()
    new = shown(tls, authority)
    assert new != old
    assert tls.end_point_binding == hashlib.sha256(new).digest()


def test_faulty_renewal_keeps_the_old_certificate(authority: Authority, certificate_files: tuple[Path, Path]) -> None:
    certificate, _ = certificate_files
    tls = ServerTLS(*certificate_files)
    old = shown(tls, authority)
    certificate.write_bytes(authority.issue(Subject(common_name="other")).certificate_pem)
    with pytest.raises(CertificateError, match=r"tls\.crt, .*tls\.key: cannot be used"):
        tls.reload()
    assert shown(tls, authority) == old
    certificate.unlink()
    with pytest.raises(CertificateError, match=r"tls\.crt: cannot be read: No such file"):
        tls.reload()
    assert shown(tls, authority) == old


def test_files_that_change_while_they_are_read_break_nothing(
    authority: Authority, certificate_files: tuple[Path, Path]
) -> None:
    class Raced(ServerTLS):
        """Loads, and finds only then that somebody is writing the next pair."""

        def _load(self) -> tuple[ssl.SSLContext, bytes | None]:
            loaded = super()._load()
            certificate_files[0].write_bytes(b"-----BEGIN CERTIFICATE-----")
            return loaded

    tls = Raced(*certificate_files)
    for _ in range(2):
        renew(authority, *certificate_files)
        assert tls.reload()
        assert tls.end_point_binding == hashlib.sha256(shown(tls, authority)).digest()
    with pytest.raises(CertificateError):
        tls.reload()  # what was written then is looked at now


def test_encrypted_key_does_not_ask_the_terminal(authority: Authority, certificate_files: tuple[Path, Path]) -> None:
    certificate, key = certificate_files
    issued = authority.issue(Subject(common_name="localhost"))
    issued.write(certificate, key)
    key.write_bytes(
        issued.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(CertificateError, match="cannot be used"):
        ServerTLS(certificate, key)


async def test_watch_tells_of_each_change_once(authority: Authority, certificate_files: tuple[Path, Path]) -> None:
    certificate, key = certificate_files
    tls = ServerTLS(certificate, key)
    heard: asyncio.Queue[CertificateError | None] = asyncio.Queue(maxsize=8)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(tls.watch(0.001, heard.put_nowait))
        renew(authority, certificate, key)
        while await heard.get() is not None:  # both files changed one after the other: a mixed pair may be seen
            pass
        good = certificate.read_bytes()
        certificate.write_bytes(b"nonsense")
        assert isinstance(await heard.get(), CertificateError)
        certificate.write_bytes(good)
        os.utime(certificate)
        assert await heard.get() is None
        watch.cancel()
    assert heard.empty()


def self_signed(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
) -> x509.CertificateBuilder:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    name = x509.Name([])
    return x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))


def test_binding_uses_the_signatures_hash() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    certificate = self_signed(key).sign(key, hashes.SHA384())
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert server_end_point(certificate) == hashlib.sha384(der).digest()


def test_binding_is_not_defined_for_signatures_without_a_hash() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    assert server_end_point(self_signed(key).sign(key, None)) is None


def test_binding_is_not_known_for_signatures_that_are_not() -> None:
    certificate = self_signed(ec.generate_private_key(ec.SECP256R1())).sign(
        ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()
    )
    ecdsa_with_sha256, unheard_of = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d04037f")
    der = certificate.public_bytes(serialization.Encoding.DER).replace(ecdsa_with_sha256, unheard_of)
    assert server_end_point(x509.load_der_x509_certificate(der)) is None
