import pytest

from tests.support.streams import PLAINTEXT, UNBOUND, credentials_of, server_settings
from xmpp.authentication import Authentication
from xmpp.errors import SASLCondition, SASLFailure
from xmpp.negotiation import Progress
from xmpp.sasl import profile
from xmpp.sasl.server import Challenge, CredentialsWanted, PasswordWanted, Success
from xmpp.transitions import StreamMisuse

PLAIN = profile.authentication("PLAIN", b"\0anna\0demo")
SCRAM = profile.authentication("SCRAM-SHA-256", b"n,,n=anna,r=C")


def test_an_attempt_with_a_password() -> None:
    authentication = Authentication(server_settings())
    assert authentication.begin(PLAIN, UNBOUND, Progress.ENCRYPTED) == PasswordWanted("anna", "demo")
    assert authentication.password_checked(is_right=True) == Success("anna")


def test_an_attempt_with_verifiers() -> None:
    authentication = Authentication(server_settings())
    assert authentication.begin(SCRAM, UNBOUND, Progress.ENCRYPTED) == CredentialsWanted("anna")
    assert isinstance(authentication.credentials_found(credentials_of("demo")), Challenge)


def test_each_attempt_stands_alone_and_counts() -> None:
    authentication = Authentication(server_settings(sasl_attempts_max=2))
    authentication.begin(PLAIN, UNBOUND, Progress.ENCRYPTED)
    assert authentication.attempts == 1
    with pytest.raises(SASLFailure):
        authentication.begin(profile.authentication("NONE", b""), UNBOUND, Progress.ENCRYPTED)
    assert not authentication.has_attempts_left
    with pytest.raises(StreamMisuse):
        authentication.password_checked(is_right=True)


def test_a_response_to_nothing_is_refused() -> None:
    with pytest.raises(SASLFailure) as failure:
        Authentication(server_settings()).respond(profile.message(profile.RESPONSE, b"x"))
    assert failure.value.condition is SASLCondition.MALFORMED_REQUEST


def test_where_tls_is_required_nothing_begins_without_it() -> None:
    with pytest.raises(SASLFailure) as failure:
        Authentication(server_settings()).begin(SCRAM, PLAINTEXT, Progress.NOTHING)
    assert failure.value.condition is SASLCondition.ENCRYPTION_REQUIRED
