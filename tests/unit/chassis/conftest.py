"""An authority and the files of a certificate."""

from pathlib import Path

import pytest

from chassis.clock import SystemClock
from chassis.pki import Authority, Subject


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create("Test authority", SystemClock())


@pytest.fixture
def certificate_files(tmp_path: Path, authority: Authority) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    authority.issue(Subject(common_name="localhost", hosts=("localhost",))).write(certificate, key)
    return certificate, key
