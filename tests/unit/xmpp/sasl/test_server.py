import base64

import pytest
from scramp import ScramClient

from tests.support.streams import BINDINGS, ENCRYPTED, PLAINTEXT, UNBOUND, credentials_of, server_policy
from xmpp.errors import SASLCondition, SASLFailure
from xmpp.sasl import Credentials, TransportFacts, derive, offered
from xmpp.sasl.scram import derive_keys, digest, exclusive_or, keyed_digest
from xmpp.sasl.server import (
    Challenge,
    CredentialsWanted,
    PasswordWanted,
    PlainExchange,
    ScramExchange,
    ServerPolicy,
    Success,
    account_of,
    begin,
)

POLICY = server_policy(announces_offer=False)


def scram(
    name: str, facts: TransportFacts = ENCRYPTED, policy: ServerPolicy = POLICY, nonce: str = "S"
) -> ScramExchange:
    exchange = begin(name, policy, facts, offered(facts, policy.hash_names, offers_plain=True), nonce)
    assert isinstance(exchange, ScramExchange)
    return exchange


def condition_of(failure: pytest.ExceptionInfo[SASLFailure]) -> SASLCondition:
    return failure.value.condition


def final(exchange: ScramExchange, first: str, header: bytes, nonce: str = "CS") -> bytes:
    """The client's final message, computed here and not by the product's client."""
    exchange.respond(first.encode())
    challenge = exchange.credentials_found(credentials_of("demo")).data.decode()
    bare = first.split(",", 2)[2]
    keys = derive_keys("demo", b"salt of SHA-256", 4096, "SHA-256")
    without_proof = f"c={base64.b64encode(header).decode()},r={nonce}"
    signed = f"{bare},{challenge},{without_proof}".encode()
    proof = exclusive_or(keys.client_key, keyed_digest("SHA-256", keys.stored_key, signed))
    return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()


@pytest.mark.parametrize(
    ("hash_name", "client_nonce", "server_nonce", "salt", "proof", "signature"),
    [
        (
            "SHA-1",
            "fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "SHA-256",
            "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
    ids=["RFC 5802", "RFC 7677"],
)
def test_the_rfcs_own_conversations(
    hash_name: str, client_nonce: str, server_nonce: str, salt: str, proof: str, signature: str
) -> None:
    exchange = scram(f"SCRAM-{hash_name}", UNBOUND, nonce=server_nonce)
    verifier = derive("pencil", base64.b64decode(salt), 4096, hash_name)
    nonce = client_nonce + server_nonce
    assert exchange.respond(f"n,,n=user,r={client_nonce}".encode()) == CredentialsWanted("user")
    challenge = exchange.credentials_found(Credentials({hash_name: verifier}))
    assert challenge == Challenge(f"r={nonce},s={salt},i=4096".encode())
    assert exchange.respond(f"c=biws,r={nonce},p={proof}".encode()) == Success("user", f"v={signature}".encode())


@pytest.mark.parametrize("announces_offer", [False, True])
@pytest.mark.parametrize(
    ("name", "binding"),
    [
        ("SCRAM-SHA-256", None),
        ("SCRAM-SHA-1", None),
        ("SCRAM-SHA-256-PLUS", ("tls-server-end-point", b"end point")),
        ("SCRAM-SHA-1-PLUS", ("tls-server-end-point", b"end point")),
    ],
)
def test_an_independent_client_logs_in(name: str, binding: tuple[str, bytes] | None, announces_offer: bool) -> None:
    facts = ENCRYPTED if binding else UNBOUND
    client = ScramClient([name], "anna", "demo", channel_binding=binding, c_nonce="client")
    exchange = scram(name, facts, server_policy(announces_offer=announces_offer))
    assert exchange.respond(client.get_client_first().encode()) == CredentialsWanted("anna")
    client.set_server_first(exchange.credentials_found(credentials_of("demo")).data.decode())
    step = exchange.respond(client.get_client_final().encode())
    assert isinstance(step, Success)
    assert step.account == "anna"
    client.set_server_final(step.data.decode())


def test_an_independent_client_with_a_wrong_password_is_refused() -> None:
    client = ScramClient(["SCRAM-SHA-256"], "anna", "wrong", c_nonce="client")
    exchange = scram("SCRAM-SHA-256", UNBOUND)
    exchange.respond(client.get_client_first().encode())
    client.set_server_first(exchange.credentials_found(credentials_of("demo")).data.decode())
    with pytest.raises(SASLFailure) as failure:
        exchange.respond(client.get_client_final().encode())
    assert condition_of(failure) is SASLCondition.NOT_AUTHORIZED


@pytest.mark.parametrize("binding", BINDINGS)
def test_several_bindings_are_served_at_once(binding: str) -> None:
    exchange = scram("SCRAM-SHA-256-PLUS")
    header = f"p={binding},,"
    message = final(exchange, f"{header}n=anna,r=C", header.encode() + BINDINGS[binding])
    assert isinstance(exchange.respond(message), Success)


@pytest.mark.parametrize(
    "bound",
    [
        b"p=tls-exporter,,other",
        b"p=tls-exporter,,",
        b"p=tls-server-end-point,,exported",
        b"n,,",
        b"p=tls-exporter,,end point",
    ],
)
def test_a_binding_that_does_not_match_is_refused(bound: bytes) -> None:
    exchange = scram("SCRAM-SHA-256-PLUS")
    message = final(exchange, "p=tls-exporter,,n=anna,r=C", bound)
    with pytest.raises(SASLFailure) as failure:
        exchange.respond(message)
    assert condition_of(failure) is SASLCondition.NOT_AUTHORIZED


def test_a_removed_plus_is_noticed() -> None:
    with pytest.raises(SASLFailure) as failure:
        scram("SCRAM-SHA-256").respond(b"y,,n=anna,r=C")
    assert condition_of(failure) is SASLCondition.NOT_AUTHORIZED


def test_a_client_that_could_bind_is_welcome_where_nothing_can_be_bound() -> None:
    assert scram("SCRAM-SHA-256", UNBOUND).respond(b"y,,n=anna,r=C") == CredentialsWanted("anna")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("SCRAM-SHA-256", b""),
        ("SCRAM-SHA-256", b"n,,"),
        ("SCRAM-SHA-256", b"n,n=anna,r=C"),
        ("SCRAM-SHA-256", b"x,,n=anna,r=C"),
        ("SCRAM-SHA-256", b"p=tls-exporter,,n=anna,r=C"),
        ("SCRAM-SHA-256-PLUS", b"n,,n=anna,r=C"),
        ("SCRAM-SHA-256-PLUS", b"p=tls-unique,,n=anna,r=C"),
        ("SCRAM-SHA-256", b"n,x=1,n=anna,r=C"),
        ("SCRAM-SHA-256", b"n,,r=C,n=anna"),
        ("SCRAM-SHA-256", b"n,,n=anna,r="),
        ("SCRAM-SHA-256", b"n,,n=,r=C"),
        ("SCRAM-SHA-256", b"n,,n=an=na,r=C"),
        ("SCRAM-SHA-256", b"n,,m=more,n=anna,r=C"),
        ("SCRAM-SHA-256", b"n,,n=anna,r=\xff"),
    ],
)
def test_a_malformed_first_message_is_refused(name: str, first: bytes) -> None:
    with pytest.raises(SASLFailure) as failure:
        scram(name).respond(first)
    assert condition_of(failure) is SASLCondition.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "message", [b"", b"c=biws,r=CS", b"r=CS,c=biws,p=AA==", b"c=biws,r=CS,p=AA==", b"c=?,r=CS,p=?"]
)
def test_a_malformed_final_message_is_refused(message: bytes) -> None:
    exchange = scram("SCRAM-SHA-256")
    exchange.respond(b"n,,n=anna,r=C")
    exchange.credentials_found(credentials_of("demo"))
    with pytest.raises(SASLFailure) as failure:
        exchange.respond(message)
    assert condition_of(failure) is SASLCondition.MALFORMED_REQUEST


def test_a_changed_nonce_is_refused() -> None:
    exchange = scram("SCRAM-SHA-256")
    with pytest.raises(SASLFailure) as failure:
        exchange.respond(final(exchange, "n,,n=anna,r=C", b"n,,", nonce="CX"))
    assert condition_of(failure) is SASLCondition.NOT_AUTHORIZED


@pytest.mark.parametrize("credentials", [None, Credentials({})], ids=["no account", "no such verifier"])
def test_an_account_that_does_not_exist_fails_like_a_wrong_password(credentials: Credentials | None) -> None:
    def conversation(found: Credentials | None) -> tuple[int, SASLFailure]:
        exchange = scram("SCRAM-SHA-256")
        exchange.respond(b"n,,n=anna,r=C")
        challenge = exchange.credentials_found(found).data
        proof = base64.b64encode(bytes(32)).decode()
        with pytest.raises(SASLFailure) as failure:
            exchange.respond(f"c=biws,r=CS,p={proof}".encode())
        return len(challenge.split(b",")), failure.value

    assert conversation(credentials) == conversation(credentials_of("demo"))


def test_the_offer_is_signed() -> None:
    exchange = scram("SCRAM-SHA-256", UNBOUND, server_policy())
    exchange.respond(b"n,,n=anna,r=C")
    offer = "\x1e".join(sorted(["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"])).encode()
    expected = b",h=" + base64.b64encode(digest("SHA-256", offer))
    assert exchange.credentials_found(None).data.endswith(expected)


@pytest.mark.parametrize(
    ("username", "authorization", "account"),
    [
        ("anna", "", "anna"),
        ("Anna", "", "anna"),
        ("anna", "anna@corp.example", "anna"),
        ("anna", "Anna@CORP.example", "anna"),
        ("\ua64a", "", "\ua64b"),  # letters that Unicode 3.2 has not
    ],
)
def test_a_user_name_becomes_an_account(username: str, authorization: str, account: str) -> None:
    assert account_of(username, authorization, "corp.example") == account


@pytest.mark.parametrize(
    ("username", "authorization", "condition"),
    [
        ("anna@corp.example", "", SASLCondition.NOT_AUTHORIZED),
        ("an na", "", SASLCondition.NOT_AUTHORIZED),
        ("anna/desk", "", SASLCondition.NOT_AUTHORIZED),
        ("anna\x07", "", SASLCondition.NOT_AUTHORIZED),
        ("\ufdfa" * 16_000, "", SASLCondition.NOT_AUTHORIZED),
        ("anna", "bruno@corp.example", SASLCondition.INVALID_AUTHZID),
        ("anna", "anna@corp.example/desk", SASLCondition.INVALID_AUTHZID),
        ("anna", "anna", SASLCondition.INVALID_AUTHZID),
        ("anna", "@", SASLCondition.INVALID_AUTHZID),
    ],
)
def test_nobody_acts_for_somebody_else(username: str, authorization: str, condition: SASLCondition) -> None:
    with pytest.raises(SASLFailure) as failure:
        account_of(username, authorization, "corp.example")
    assert condition_of(failure) is condition


def test_an_authorization_identity_is_read_from_scram_too() -> None:
    assert scram("SCRAM-SHA-256").respond(b"n,a=anna@corp.example,n=anna,r=C") == CredentialsWanted("anna")
    with pytest.raises(SASLFailure):
        scram("SCRAM-SHA-256").respond(b"n,a=bruno@corp.example,n=anna,r=C")


@pytest.mark.parametrize("facts", [PLAINTEXT, UNBOUND, ENCRYPTED])
@pytest.mark.parametrize("name", ["", "SCRAM-SHA-512", "EXTERNAL", "plain", "SCRAM-SHA-256-plus"])
def test_a_mechanism_that_was_not_offered_is_refused(name: str, facts: TransportFacts) -> None:
    with pytest.raises(SASLFailure) as failure:
        begin(name, POLICY, facts, offered(facts, POLICY.hash_names, offers_plain=True), "S")
    assert condition_of(failure) is SASLCondition.INVALID_MECHANISM


def plain() -> PlainExchange:
    exchange = begin("PLAIN", POLICY, UNBOUND, ("PLAIN",), "S")
    assert isinstance(exchange, PlainExchange)
    return exchange


def test_plain_asks_for_a_password_check() -> None:
    exchange = plain()
    assert exchange.respond(b"\0anna\0de mo") == PasswordWanted("anna", "de mo")
    assert exchange.password_checked(is_right=True) == Success("anna")


def test_plain_with_a_wrong_password_is_refused() -> None:
    exchange = plain()
    exchange.respond(b"anna@corp.example\0anna\0wrong")
    with pytest.raises(SASLFailure) as failure:
        exchange.password_checked(is_right=False)
    assert condition_of(failure) is SASLCondition.NOT_AUTHORIZED


def test_plain_succeeds_for_nobody_before_a_password_came() -> None:
    with pytest.raises(SASLFailure):
        plain().password_checked(is_right=True)


@pytest.mark.parametrize("data", [b"", b"anna", b"\0anna", b"\0anna\0", b"\0\0demo", b"\0a\0b\0c", b"\0anna\0\xff"])
def test_a_malformed_plain_message_is_refused(data: bytes) -> None:
    with pytest.raises(SASLFailure) as failure:
        plain().respond(data)
    assert condition_of(failure) is SASLCondition.MALFORMED_REQUEST
