"""Checks passwords of PLAIN away from the event loop, a bounded number at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from edge_node.backplane.policy import StreamPolicy
from edge_node.listeners.settings import NegotiationSettings
from xmpp.sasl import Credentials, ScramVerifier, fake_verifier

_STRONGEST_FIRST = ("SHA-512", "SHA-256", "SHA-1")


class PasswordCheck:
    """The threads that derive keys; as slow for accounts that do not exist as for those that do."""

    def __init__(self, settings: NegotiationSettings, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting_max = settings.passwords_waiting_max
        self._loop = loop
        self._threads = ThreadPoolExecutor(settings.password_threads, thread_name_prefix="password")
        self._waiting = 0

    def close(self) -> None:
        """Check no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def check(
        self,
        policy: StreamPolicy,
        account: str,
        credentials: Credentials | None,
        password: str,
        checked: Callable[[bool], None],
    ) -> bool:
        """Find out whether it is the account's password, and call `checked` on the loop; False: too many wait."""
        if self._waiting >= self._waiting_max:
            return False
        self._waiting += 1

        def answer(future: Future[bool]) -> None:
            if not future.cancelled():
                self._loop.call_soon_threadsafe(self._answer, future, checked)

        self._threads.submit(_verifier(policy, account, credentials).matches, password).add_done_callback(answer)
        return True

    def _answer(self, future: "Future[bool]", checked: Callable[[bool], None]) -> None:
        self._waiting -= 1
        checked(future.result())


def _verifier(policy: StreamPolicy, account: str, credentials: Credentials | None) -> ScramVerifier:
    if credentials is not None:
        for hash_name in _STRONGEST_FIRST:
            if hash_name in credentials.verifiers:
                return credentials.verifiers[hash_name]
    return fake_verifier(policy.secret, account, "SHA-256", policy.fake_iterations)
