from dataclasses import replace
from pathlib import Path

import pytest

from cascade.transport.tls import CertificateFiles, channel_credentials, server_credentials, site_in
from tests.support.certificates import Authority


@pytest.mark.parametrize(
    ("uris", "site"),
    [
        ([b"chappe://site/paris"], "paris"),
        ([b"https://corp.example/", b"chappe://site/paris"], "paris"),
        ([], None),
        ([b"chappe://site/"], None),
        ([b"chappe://hub/paris"], None),
        ([b"chappe://site/paris", b"chappe://site/lyon"], None),
    ],
)
def test_a_certificate_names_one_site_or_none(uris: list[bytes], site: str | None) -> None:
    assert site_in({"peer_uri": uris}) == site
    assert site_in({"x509_subject_alternative_name": uris}) is None


def test_files_are_stamped(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.issue_site("paris")
    before = files.stamp()
    assert files.stamp() == before
    files.certificate.touch()
    assert files.stamp() != before


def test_missing_files_are_an_os_error(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "ca.pem", tmp_path / "a.pem", tmp_path / "a.key")
    for read in (files.stamp, lambda: channel_credentials(files), lambda: server_credentials(files)):
        with pytest.raises(OSError, match=r"ca\.pem|a\.pem|a\.key"):
            read()


@pytest.mark.parametrize("broken", ["authority", "certificate", "key"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_files_that_cannot_be_used_are_named(tmp_path: Path, broken: str, content: bytes) -> None:
    files = Authority(tmp_path).issue_site("paris")
    files.check()
    path: Path = getattr(files, broken)
    path.write_bytes(content)
    for use in (files.check, lambda: channel_credentials(files), lambda: server_credentials(files)):
        with pytest.raises(OSError, match=path.name):
            use()


def test_a_key_that_is_not_the_certificates_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    paris, lyon = authority.issue_site("paris"), authority.issue_site("lyon")
    with pytest.raises(OSError, match=r"(?i)key.*mismatch"):
        replace(paris, key=lyon.key).check()
