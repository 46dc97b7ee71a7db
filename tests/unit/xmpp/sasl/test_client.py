import base64

import pytest

from tests.support.streams import BINDINGS, ENCRYPTED, PLAINTEXT, UNBOUND
from xmpp.errors import SASLCondition, SASLFailure
from xmpp.sasl import TransportFacts
from xmpp.sasl.client import ClientExchange, Login, Offer, PlainClient, ScramClient, choose
from xmpp.sasl.mechanisms import downgrade_hash

LOGIN = Login(username="user", password="pencil")
ALL = ("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
SALT = base64.b64encode(b"salt").decode()


def chosen(
    mechanisms: tuple[str, ...], bindings: tuple[str, ...], facts: TransportFacts, nonce: str = "C"
) -> ClientExchange:
    return choose(LOGIN, Offer(mechanisms, bindings), facts, nonce)


@pytest.mark.parametrize(
    ("mechanisms", "bindings", "facts", "name", "first"),
    [
        (ALL, tuple(BINDINGS), ENCRYPTED, "SCRAM-SHA-256-PLUS", b"p=tls-exporter,,n=user,r=C"),
        (ALL, ("tls-server-end-point",), ENCRYPTED, "SCRAM-SHA-256-PLUS", b"p=tls-server-end-point,,n=user,r=C"),
        (ALL[:3], tuple(BINDINGS), ENCRYPTED, "SCRAM-SHA-1-PLUS", b"p=tls-exporter,,n=user,r=C"),
        (ALL, (), ENCRYPTED, "SCRAM-SHA-256", b"n,,n=user,r=C"),
        (ALL, tuple(BINDINGS), UNBOUND, "SCRAM-SHA-256", b"n,,n=user,r=C"),
        (ALL[:2], (), ENCRYPTED, "SCRAM-SHA-1", b"y,,n=user,r=C"),
        (ALL[:2], (), PLAINTEXT, "SCRAM-SHA-1", b"n,,n=user,r=C"),
        (ALL[:1], (), ENCRYPTED, "PLAIN", b"\0user\0pencil"),
    ],
)
def test_the_strongest_mechanism_in_common_is_chosen(
    mechanisms: tuple[str, ...], bindings: tuple[str, ...], facts: TransportFacts, name: str, first: bytes
) -> None:
    exchange = chosen(mechanisms, bindings, facts)
    assert (exchange.name, exchange.first_message()) == (name, first)


@pytest.mark.parametrize(
    ("mechanisms", "facts", "login"),
    [
        ((), ENCRYPTED, LOGIN),
        (("EXTERNAL",), ENCRYPTED, LOGIN),
        (("PLAIN",), PLAINTEXT, LOGIN),
        (("PLAIN",), ENCRYPTED, Login(username="user", password="pencil", allows_plain=False)),
        (("SCRAM-SHA-256-PLUS",), UNBOUND, LOGIN),
    ],
)
def test_nothing_is_chosen_that_is_unknown_or_unsafe(
    mechanisms: tuple[str, ...], facts: TransportFacts, login: Login
) -> None:
    with pytest.raises(SASLFailure) as failure:
        choose(login, Offer(mechanisms), facts, "C")
    assert failure.value.condition is SASLCondition.INVALID_MECHANISM


@pytest.mark.parametrize(
    ("name", "nonce", "challenge", "answer", "signature"),
    [
        (
            "SCRAM-SHA-1",
            "fyko+d2lbbFgONRv9qkxdawL",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "SCRAM-SHA-256",
            "rOprNGfwEbeRWgbNEkqO",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
    ids=["RFC 5802", "RFC 7677"],
)
def test_the_rfcs_own_conversations(name: str, nonce: str, challenge: bytes, answer: bytes, signature: bytes) -> None:
    exchange = chosen((name,), (), PLAINTEXT, nonce)
    assert exchange.first_message() == f"n,,n=user,r={nonce}".encode()
    assert exchange.respond(challenge) == answer
    exchange.finish(signature)


@pytest.mark.parametrize(
    ("challenge", "condition"),
    [
        (b"", SASLCondition.MALFORMED_REQUEST),
        (b"\xff", SASLCondition.MALFORMED_REQUEST),
        (f"r=CS,s={SALT}".encode(), SASLCondition.MALFORMED_REQUEST),
        (f"r=CS,s={SALT},i=x".encode(), SASLCondition.MALFORMED_REQUEST),
        (b"r=CS,s=?,i=4096", SASLCondition.MALFORMED_REQUEST),
        (f"r=XS,s={SALT},i=4096".encode(), SASLCondition.MALFORMED_REQUEST),
        (f"r=C,s={SALT},i=4096".encode(), SASLCondition.MALFORMED_REQUEST),
        (f"r=CS,s={SALT},i=4095".encode(), SASLCondition.MECHANISM_TOO_WEAK),
        (f"r=CS,s={SALT},i=1000001".encode(), SASLCondition.MECHANISM_TOO_WEAK),
        (f"r=CS,s={SALT},i=4096,h=AAAA".encode(), SASLCondition.NOT_AUTHORIZED),
    ],
)
def test_a_server_that_is_not_to_be_trusted_gets_no_answer(challenge: bytes, condition: SASLCondition) -> None:
    with pytest.raises(SASLFailure) as failure:
        chosen(("SCRAM-SHA-1",), (), PLAINTEXT).respond(challenge)
    assert failure.value.condition is condition


def test_a_signed_offer_that_was_seen_is_accepted_and_other_extensions_are_ignored() -> None:
    mechanisms, bindings = ("SCRAM-SHA-1", "PLAIN"), ("tls-unique",)
    signed = downgrade_hash("SHA-1", mechanisms, bindings)
    exchange = chosen(mechanisms, bindings, UNBOUND)
    assert exchange.respond(f"r=CS,s={SALT},i=4096,x=1,h={signed}".encode()).startswith(b"c=")


def test_a_second_challenge_is_refused() -> None:
    exchange = chosen(("SCRAM-SHA-1",), (), PLAINTEXT)
    exchange.respond(f"r=CS,s={SALT},i=4096".encode())
    with pytest.raises(SASLFailure):
        exchange.respond(f"r=CS,s={SALT},i=4096".encode())


def test_a_success_without_an_exchange_is_refused() -> None:
    with pytest.raises(SASLFailure):
        chosen(("SCRAM-SHA-1",), (), PLAINTEXT).finish(b"v=")


def test_a_wrong_signature_is_refused() -> None:
    exchange = chosen(("SCRAM-SHA-1",), (), PLAINTEXT)
    exchange.respond(f"r=CS,s={SALT},i=4096".encode())
    with pytest.raises(SASLFailure) as failure:
        exchange.finish(b"v=AAAA")
    assert failure.value.condition is SASLCondition.NOT_AUTHORIZED


def test_a_user_name_is_escaped_and_prepared() -> None:
    exchange = choose(Login(username="a,b=\u00adc", password="x"), Offer(("SCRAM-SHA-1",)), PLAINTEXT, "C")
    assert exchange.first_message() == b"n,,n=a=2Cb=3Dc,r=C"
    assert isinstance(exchange, ScramClient)


def test_plain_answers_no_challenge_and_trusts_a_success() -> None:
    exchange = chosen(("PLAIN",), (), ENCRYPTED)
    assert isinstance(exchange, PlainClient)
    with pytest.raises(SASLFailure):
        exchange.respond(b"")
    exchange.finish(b"")


@pytest.mark.parametrize(("username", "password"), [("an\x07na", "demo"), ("anna", "de\x07mo")])
def test_a_login_that_no_server_could_accept_is_refused_at_once(username: str, password: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        Login(username=username, password=password)
