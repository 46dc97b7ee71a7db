"""Guessing, probing and cheating at the login."""

import base64
import re

import pytest

from tests.integration.abuse.bystanders import Bystanders
from tests.integration.abuse.conftest import Connect
from tests.integration.abuse.edge_process import EdgeProcess
from tests.integration.abuse.offender import Offender, Way, next_address

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
FAILURE = re.compile(rb"<failure [^>]*><([a-z-]+)/>")
CHALLENGE = re.compile(rb"<challenge [^>]*>([^<]+)</challenge>")
WRONG_PROOF = base64.b64encode(bytes(32)).decode()


async def failure(offender: Offender) -> str:
    found = FAILURE.search(await offender.read_until(b"</failure>"))
    assert found is not None
    return found[1].decode()


def auth(mechanism: str, text: str) -> bytes:
    return f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{text}</auth>".encode()


@pytest.mark.parametrize("way", [Way.TLS, Way.WEBSOCKET])
@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (auth("PLAIN", "!!!"), "incorrect-encoding"),
        (auth("PLAIN", "AAA"), "incorrect-encoding"),
        (auth("PLAIN", base64.b64encode(b"no separators").decode()), "malformed-request"),
        (auth("PLAIN", base64.b64encode(b"\0\0").decode()), "malformed-request"),
        (auth("PLAIN", base64.b64encode(b"\0\xff\0\xff").decode()), "malformed-request"),
        (auth("PLAIN", base64.b64encode(b"anna\0mallory\0mallory").decode()), "invalid-authzid"),
        (auth("DIGEST-MD5", ""), "invalid-mechanism"),
        (auth("", ""), "invalid-mechanism"),
        (auth("scram-sha-256", ""), "invalid-mechanism"),
        (auth("SCRAM-SHA-256", base64.b64encode(b"nonsense").decode()), "malformed-request"),
        (auth("SCRAM-SHA-256", base64.b64encode(b"n,,n=mallory,r=").decode()), "malformed-request"),
        (auth("SCRAM-SHA-256", base64.b64encode(b"n,,n=mal=xxlory,r=abc").decode()), "malformed-request"),
        (auth("SCRAM-SHA-256", base64.b64encode(b"n,,m=x,n=mallory,r=abc").decode()), "malformed-request"),
        (auth("SCRAM-SHA-256", base64.b64encode(b"y,,n=mallory,r=abc").decode()), "not-authorized"),
        (auth("SCRAM-SHA-256-PLUS", base64.b64encode(b"n,,n=mallory,r=abc").decode()), "malformed-request"),
        (auth("SCRAM-SHA-256-PLUS", base64.b64encode(b"p=tls-unique,,n=m,r=a").decode()), "malformed-request"),
    ],
)
async def test_malformed_attempts(
    bystanders: Bystanders, connect: Connect, way: Way, data: bytes, condition: str
) -> None:
    offender = await connect(way)
    await offender.features()
    offender.send(data)
    assert await failure(offender) == condition
    await bystanders.talk()


async def test_no_attempt_before_tls(bystanders: Bystanders, connect: Connect) -> None:
    offender = await connect(Way.TCP)
    assert b"mechanism" not in await offender.features()
    offender.authenticate("PLAIN", b"\0mallory\0mallory")
    answer = await offender.read_until(b">")
    assert b"success" not in answer
    await bystanders.talk()


async def test_attempts_on_one_connection_are_counted(bystanders: Bystanders, connect: Connect) -> None:
    offender = await connect(Way.TLS)
    await offender.features()
    for number in range(5):
        offender.authenticate("PLAIN", f"\0mallory\0guess {number}".encode())
        assert await failure(offender) == "not-authorized"
    assert await offender.verdict() == "policy-violation"
    await bystanders.talk()


async def test_a_hundred_failures(bystanders: Bystanders, connect: Connect, edge: EdgeProcess) -> None:
    """The address is refused before it has cost a hundred checks, and others log in."""
    address = next_address()
    failures = refusals = 0
    while failures + refusals < 100:
        offender = await connect(Way.TLS, address)
        await offender.features()
        for _ in range(5):
            offender.authenticate("PLAIN", f"\0nobody{failures + refusals}\0guess".encode())
            answer = await offender.read_until(b">")
            if b"<stream:error" in answer:
                refusals += 1
                break
            await offender.read_until(b"</failure>")
            failures += 1
        offender.leave()
    assert failures <= 64, "failures_per_address_max, and what was forgotten meanwhile"
    assert (await edge.metrics())['edge_logins_total{result="throttled"}'] >= refusals
    await (await connect(Way.TLS)).log_in()
    await bystanders.talk()


async def first_challenge(connect: Connect, name: str) -> dict[str, str]:
    """What SCRAM shows of an account to anybody."""
    offender = await connect(Way.TLS)
    await offender.features()
    offender.authenticate("SCRAM-SHA-256", f"n,,n={name},r=abc".encode())
    found = CHALLENGE.search(await offender.read_until(b"</challenge>"))
    assert found is not None
    parts = dict(part.split("=", 1) for part in base64.b64decode(found[1]).decode().split(","))
    final = f"c=biws,r={parts['r']},p={WRONG_PROOF}"
    offender.send(f"<response xmlns='{SASL}'>{base64.b64encode(final.encode()).decode()}</response>".encode())
    assert await failure(offender) == "not-authorized"
    offender.leave()
    return parts


async def test_an_unknown_account_looks_like_a_known_one(bystanders: Bystanders, connect: Connect) -> None:
    known, unknown = await first_challenge(connect, "mallory"), await first_challenge(connect, "nobody")
    assert known.keys() == unknown.keys()
    assert known["i"] == unknown["i"]
    assert (await first_challenge(connect, "nobody"))["s"] == unknown["s"], "as constant as a real salt"
    assert known["h"] == unknown["h"]
    await bystanders.talk()


@pytest.mark.parametrize("name", ["mallory", "nobody", "no body", "\u00ad", "x" * 2000, "a@b", "anna/x"])
async def test_wrong_passwords_of_all_names_end_alike(bystanders: Bystanders, connect: Connect, name: str) -> None:
    offender = await connect(Way.TLS)
    await offender.features()
    offender.authenticate("PLAIN", f"\0{name}\0wrong".encode())
    assert await failure(offender) == "not-authorized"
    await bystanders.talk()


async def test_nothing_is_taken_before_success(bystanders: Bystanders, connect: Connect) -> None:
    """Pipelined behind the right password: what was sent before the server had agreed does not count."""
    offender = await connect(Way.TLS)
    await offender.features()
    password = base64.b64encode(b"\0mallory\0mallory").decode()
    offender.write(auth("PLAIN", password) + b"<message to='anna@corp.example'><body>early</body></message>")
    assert await offender.verdict() == "not-authorized"
    await bystanders.talk()
