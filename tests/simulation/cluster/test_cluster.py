"""The laws of the whole cluster, on seeded days on which everything breaks that can.

``SEED=7`` runs one seed, ``SEEDS=1000`` that many; a failure names its own, and tells what happened.
"""

import hashlib
import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.cluster.laws import Broken, check
from tests.simulation.cluster.story import tell
from tests.simulation.cluster.world import World
from tests.support.virtual_time import run_in_virtual_time

REGRESSIONS = (
    0,  # a restarted core knew fewer stanzas of a client than the client had been told; and it forgot whom it watched
    25,  # a crash between the two rosters of a subscription left it on one side only
    50,  # a session that outlived the core was left with the presence that it had been shown last
    97,  # a commit that failed for an arrival was answered with an error, and then the message came again
    157,  # a message waited for the account although a session that it was for was yet to come back
    253,  # the same, when the other session was given up after its time
    263,  # a message to a full JID came between binding and `<enable/>`, and was lost with the connection
    296,  # what had waited was sent although the store had not taken its number
    430,  # a request was answered, and refused when its reader left
    915,  # what had waited was passed over before a session that no later core knew had got it
    1777,  # a session was shown somebody by a core that died; the next did not know that it had been available
    1837,  # a client that was gone before it said a word counted as one that is silent
    1987,  # a question asked by a session that was about to wake was not answered
    2671,  # somebody ended a subscription and left before that was stored: the other one never heard that he had gone
)
"""Seeds that once broke a law, whatever `SEEDS` says."""
LASTING_REGRESSIONS = (
    566,  # a core counted less than the listener had been told to be handled, which made it forget what was not
)
"""The same where listeners outlive their core."""
RICH_REGRESSIONS = (
    3,  # a contact at another site was removed while a device was away, which never heard that he had gone
    186,  # a subscription that was granted and ended at once was shown when it had ended
    466,  # a session came back to its client while a removal waited for the store, and went on showing the contact
    546,  # what was for a session that had been replaced came behind what was newer
)
"""The same where people do more."""
SEEDS = range(int(os.environ.get("SEEDS", "100")))
ONE = [int(os.environ["SEED"])] if os.environ.get("SEED") else None


def chosen(regressions: tuple[int, ...]) -> list[int]:
    """Which seeds to run."""
    return ONE or sorted({*regressions, *SEEDS})


def run(seed: int, *, is_lasting: bool = False, is_rich: bool = False) -> World:
    """Run a seed; a failure says how to repeat it, and what happened to those concerned."""
    worlds: list[World] = []

    async def look(world: World) -> None:
        worlds.append(world)
        await check(world)

    try:
        return run_in_virtual_time(tell(seed, look, is_lasting=is_lasting, is_rich=is_rich))
    except BaseExceptionGroup as errors:
        error = first(errors)
        if isinstance(error, Broken) and worlds:
            error.add_note(worlds[0].trace.about(*error.about))
        error.add_note(f"make sim SEED={seed} repeats this")
        raise error from None


def first(errors: BaseException) -> BaseException:
    """The error that ended the world."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


@pytest.mark.parametrize("seed", chosen(REGRESSIONS))
def test_the_laws_hold(seed: int) -> None:
    run(seed)


@pytest.mark.parametrize("seed", chosen(LASTING_REGRESSIONS))
def test_the_laws_hold_where_listeners_outlive_their_core(seed: int) -> None:
    run(seed, is_lasting=True)


@pytest.mark.parametrize("seed", chosen(RICH_REGRESSIONS))
def test_the_laws_hold_on_rich_days(seed: int) -> None:
    run(seed, is_lasting=seed % 2 == 0, is_rich=True)


def test_the_same_seed_is_the_same_world() -> None:
    assert run(3).trace.lines == run(3).trace.lines


def test_the_same_seed_is_the_same_world_in_every_process() -> None:
    """Neither how strings are hashed nor where objects lie makes a difference."""
    program = f"from {__name__} import fingerprint; print(fingerprint(32))"
    fingerprints = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(fingerprints) == 1


def fingerprint(seed: int) -> str:
    """What happened, in short."""
    return hashlib.sha256(repr(run(seed).trace.lines).encode()).hexdigest()


def test_the_troubles_occur() -> None:
    """The laws say little about quiet days."""
    seen: Counter[str] = Counter()
    for seed in range(10):
        world = run(seed)
        seen += world.trace.seen
        seen["messages"] += len(world.messages)
        seen["delivered"] += sum(len(message.receipts) for message in world.messages.values())
        seen["sent again"] += sum(message.was_resent for message in world.messages.values())
    assert seen["messages"] > 1000
    assert seen["delivered"] > 1000
    for trouble in (
        "site died",
        "hub died",
        "link broken",
        "partition",
        "connection lost",
        "store failed",
        "slow disk",
        "clock jumped",
        "sent again",
    ):
        assert seen[trouble] >= 5, trouble
