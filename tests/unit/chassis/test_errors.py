"""Everything that an operator can put right is one family."""

import pytest

from chassis import errors
from chassis.binding import BindFailed
from chassis.errors import OperatorError
from chassis.lock import LockHeld
from chassis.pki import CertificateError
from chassis.settings import SettingsError


@pytest.mark.parametrize("kind", [BindFailed, CertificateError, LockHeld, SettingsError])
def test_family(kind: type[Exception]) -> None:
    assert issubclass(kind, OperatorError)
    assert f" {kind.__name__} " in (errors.__doc__ or "")
