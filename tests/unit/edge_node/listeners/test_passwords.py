"""Passwords of PLAIN are checked away from the loop."""

import asyncio

import pytest

from edge_node.backplane.policy import StreamPolicy
from edge_node.listeners.passwords import PasswordCheck
from edge_node.listeners.settings import NegotiationSettings
from xmpp.sasl import Credentials, derive

POLICY = StreamPolicy("corp.example", b"secret", 4096)
VERIFIERS = {name: derive("right", b"salt", 4096, name) for name in ("SHA-1", "SHA-256")}


@pytest.mark.parametrize(
    ("credentials", "password", "is_right"),
    [
        (Credentials(VERIFIERS), "right", True),
        (Credentials(VERIFIERS), "wrong", False),
        (Credentials({"SHA-1": VERIFIERS["SHA-1"]}), "right", True),
        (Credentials({}), "right", False),
        (None, "right", False),
    ],
)
async def test_a_password_is_right_or_not(credentials: Credentials | None, password: str, is_right: bool) -> None:
    check = PasswordCheck(NegotiationSettings(), asyncio.get_running_loop())
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    assert check.check(POLICY, "anna", credentials, password, answer.set_result)
    assert await answer is is_right
    check.close()


async def test_no_more_wait_than_may() -> None:
    check = PasswordCheck(NegotiationSettings(passwords_waiting_max=2), asyncio.get_running_loop())
    answers = [asyncio.get_running_loop().create_future() for _ in range(3)]
    taken = [check.check(POLICY, "anna", None, "x", answer.set_result) for answer in answers]
    assert taken == [True, True, False]
    assert await answers[1] is False
    assert check.check(POLICY, "anna", None, "x", answers[2].set_result)
    assert await answers[2] is False
    check.close()
