"""The replica of a site's own accounts follows the hub, and who may not be here any more is not."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from cascade.frame import Account, AccountChange, Verifier
from cascade.link import FailureReason, LinkFailure
from tests.support.edge import Client, Edge
from xmpp.errors import StreamCondition

LOST = LinkFailure(FailureReason.LOST, "the WAN is cut")


def account(local: str, password: bytes = b"one", *, is_disabled: bool = False) -> Account:
    return Account(local, is_disabled, (Verifier("SHA-256", b"salt", 4096, password, password),))


async def take(edge: Edge, *changes: AccountChange) -> None:
    with capture_logs():
        for change in changes:
            edge.parts.arrivals.on_accounts(change)
        await edge.settle()


async def held(edge: Edge) -> list[str]:
    """Who is at home, by the store; memory says the same."""
    _, accounts = await edge.store.accounts.load()
    assert all(edge.parts.directory.is_home(each.local) for each in accounts)
    assert len(edge.parts.directory) == len(accounts)
    return sorted(each.local for each in accounts)


def ends(*clients: Client) -> list[StreamCondition | None]:
    """Why streams have ended; None for those that have not."""
    reasons = [client.wire.closed[0] if client.wire.closed else None for client in clients]
    return [None if reason is None else reason.condition for reason in reasons]


async def test_a_change_is_durable_before_the_hub_is_told(edge: Edge) -> None:
    edge.store.hold()
    await take(edge, AccountChange(7, (account("emil"),)))
    assert (edge.hub.accounts_version, edge.parts.directory.is_home("emil")) == (0, False)
    edge.store.release()
    await edge.settle()
    assert (edge.hub.accounts_version, edge.parts.directory.version) == (7, 7)
    assert await held(edge) == ["anna", "bruno", "chloe", "emil"]


async def test_a_change_in_parts_is_applied_whole(edge: Edge) -> None:
    await take(edge, AccountChange(7, (account("emil"),), is_full=True, has_more=True))
    await take(edge, AccountChange(7, (account("fanny"),), has_more=True))
    assert edge.hub.accounts_version == 0
    await take(edge, AccountChange(7, (account("anna"),)))
    assert edge.hub.accounts_version == 7
    assert await held(edge) == ["anna", "emil", "fanny"]


async def test_parts_of_a_change_that_was_interrupted_are_forgotten(edge: Edge) -> None:
    await take(edge, AccountChange(7, (account("emil"),), ("anna",), is_full=True, has_more=True))
    edge.parts.arrivals.on_unlinked(LOST)
    await take(edge, AccountChange(8, (account("fanny"),)))
    assert await held(edge) == ["anna", "bruno", "chloe", "fanny"]


async def test_changes_are_applied_in_their_order(edge: Edge) -> None:
    await take(edge, AccountChange(7, (account("emil"),)), AccountChange(8, (), ("emil",)))
    assert edge.hub.accounts_version == 8
    assert await held(edge) == ["anna", "bruno", "chloe"]


async def test_a_change_that_comes_twice_matters_once(edge: Edge) -> None:
    await take(edge, AccountChange(2, (account("anna", b"one"),)))
    anna = await edge.login("anna", "phone")
    for _ in range(2):
        await take(edge, AccountChange(2, (account("anna", b"one"),), ("nobody",)))
    assert anna.is_online
    assert await held(edge) == ["anna", "bruno", "chloe"]


async def test_who_may_not_be_here_any_more_is_told_why(edge: Edge) -> None:
    await take(edge, AccountChange(2, tuple(account(each) for each in ("anna", "bruno", "chloe", "emil"))))
    removed, disabled, changed, other = [await edge.login(each, "x") for each in ("anna", "bruno", "chloe", "emil")]
    changes = (account("bruno", is_disabled=True), account("chloe", b"other"), account("emil"))
    await take(edge, AccountChange(3, changes, ("anna",)))
    assert ends(removed, disabled, changed, other) == [
        StreamCondition.NOT_AUTHORIZED,
        StreamCondition.NOT_AUTHORIZED,
        StreamCondition.RESET,
        None,
    ]
    assert [edge.parts.directory.is_home(each) for each in ("anna", "bruno")] == [False, True]


async def test_a_session_that_hibernates_ends_too(edge: Edge) -> None:
    await take(edge, AccountChange(2, (account("anna"),)))
    anna = await edge.login("anna", "phone", managed=True)
    await anna.drop()
    await take(edge, AccountChange(3, (account("anna", is_disabled=True),)))
    assert edge.parts.registry.by_key(anna.wire.key) is None


async def test_a_snapshot_ends_whom_it_does_not_name(edge: Edge) -> None:
    bruno = await edge.login("bruno", "desk")
    await take(edge, AccountChange(3, (account("anna"),), is_full=True))
    assert ends(bruno) == [StreamCondition.NOT_AUTHORIZED]
    assert await held(edge) == ["anna"]


@pytest.mark.parametrize("trouble", ["the store fails", "too much is under way"])
async def test_what_cannot_be_applied_is_asked_for_again(edge: Edge, trouble: str) -> None:
    anna = await edge.login("anna", "phone")
    change = AccountChange(3, (), ("anna",))
    tasks: Any = edge.core.tasks
    bound = tasks._tasks_max  # noqa: SLF001
    if trouble == "the store fails":
        edge.store.custody.is_failing = True
    else:
        tasks._tasks_max = 0  # noqa: SLF001
    await take(edge, change)
    assert (edge.hub.failures, edge.hub.accounts_version, anna.is_online) == (1, 0, True)
    edge.store.custody.is_failing, tasks._tasks_max = False, bound  # noqa: SLF001
    await take(edge, change)
    assert (edge.hub.failures, edge.hub.accounts_version, anna.is_online) == (1, 3, False)
