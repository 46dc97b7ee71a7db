import pytest

from central_hub.operations.administrators import NotAnAdministrator, administrator
from chassis.clock import SystemClock
from chassis.pki import Authority, Identity, Subject

AUTHORITY = Authority.create("test", SystemClock())


def authentication(identity: Identity | None) -> dict[str, list[bytes]]:
    credential = AUTHORITY.issue(Subject(common_name="x", identity=identity, hosts=("localhost",)))
    return {"x509_pem_cert": [credential.certificate_pem]}


def test_administrator_is_named() -> None:
    assert administrator(authentication(Identity("admin", "olga"))) == "olga"


@pytest.mark.parametrize("identity", [Identity("site", "paris"), None])
def test_others_are_not(identity: Identity | None) -> None:
    with pytest.raises(NotAnAdministrator):
        administrator(authentication(identity))


def test_no_certificate_is_nobody() -> None:
    with pytest.raises(NotAnAdministrator):
        administrator({})
