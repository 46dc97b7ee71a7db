"""From a password to verifiers, in threads: the password is neither kept nor logged, and the loop is never held."""

import asyncio
import os
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from xmpp.sasl import ScramVerifier, derive
from xmpp.sasl.saslprep import saslprep

HASHES = ("SHA-1", "SHA-256")
"""What every account gets: clients without SHA-256 still exist (XEP-0438 section 3.1)."""
SALT_BYTES = 16
DERIVATIONS_PER_TURN = 32
"""One worker's share of a batch: small enough that single changes get a turn during an import."""


class UnusablePassword(ValueError):
    """The password is empty, or holds characters that SASLprep (RFC 4013) forbids."""


class Derivation:
    """A bounded set of threads for PBKDF2 (which releases the interpreter's lock)."""

    def __init__(self, iterations: int) -> None:
        """Start no thread yet.

        Args:
            iterations: PBKDF2 rounds (RFC 5802 `i`): the work of one guess, and of one derivation.
        """
        self._iterations = iterations
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="hub-derivation")

    async def verifiers(self, password: str) -> tuple[ScramVerifier, ...]:
        """Derive the verifiers of one password; raise UnusablePassword."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, derive_all, password, self._iterations)

    async def verifiers_of_many(self, passwords: Sequence[str]) -> list[tuple[ScramVerifier, ...] | UnusablePassword]:
        """Derive for many, on all processors; answers in order, an unusable password as a value."""
        loop = asyncio.get_running_loop()
        shares = [passwords[i : i + DERIVATIONS_PER_TURN] for i in range(0, len(passwords), DERIVATIONS_PER_TURN)]
        running = [loop.run_in_executor(self._threads, derive_share, share, self._iterations) for share in shares]
        return [answer for share in running for answer in await share]

    def close(self) -> None:
        """Drop what has not begun, and let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def check_password(password: str) -> None:
    """Raise UnusablePassword if verifiers can't be derived of this."""
    try:
        prepared = saslprep(password)
    except ValueError:
        # the cause would carry parts of the password into a traceback
        raise UnusablePassword(
            "the password is too long, or holds characters that are not allowed (RFC 4013)"
        ) from None
    if not prepared:
        raise UnusablePassword("the password is empty")


def derive_all(password: str, iterations: int) -> tuple[ScramVerifier, ...]:
    """Make one verifier per hash, each with its own salt; raise UnusablePassword."""
    check_password(password)
    return tuple(derive(password, secrets.token_bytes(SALT_BYTES), iterations, name) for name in HASHES)


def derive_share(passwords: Sequence[str], iterations: int) -> list[tuple[ScramVerifier, ...] | UnusablePassword]:
    """Derive one worker's share."""
    answers: list[tuple[ScramVerifier, ...] | UnusablePassword] = []
    for password in passwords:
        try:
            answers.append(derive_all(password, iterations))
        except UnusablePassword as error:
            answers.append(error)
    return answers
