"""Attempts to prove who one is."""

import asyncio
from collections.abc import Callable

from edge_node.listeners.listener import Listener
from tests.unit.edge_node.listeners.conftest import Pair
from xmpp.events import AuthenticationFailed, StreamClosed

NewListener = Callable[..., Listener]


async def test_success_and_failure_are_counted(edge: NewListener) -> None:
    listener = edge()
    await Pair(listener).login()
    events = await Pair(listener, password="wrong").exchange()
    assert isinstance(events[0], AuthenticationFailed)
    unknown = await Pair(listener, "nobody").exchange()
    assert unknown == events
    assert listener.metrics.logins == {"success": 1, "failure": 2}


async def test_after_too_many_failures_the_stream_is_closed_before_anybody_is_asked(edge: NewListener) -> None:
    listener = edge(negotiation={"failures_per_account_max": 1, "failure_seconds": 3600})
    listener.throttle.failed("anna", "elsewhere", listener.loop.time())
    events = await Pair(listener).exchange()
    assert isinstance(events[-1], StreamClosed)
    assert "too many failed attempts" in str(events[-1].error)
    assert listener.metrics.logins == {"throttled": 1}
    await Pair(listener, "bruno").login()


async def test_a_password_is_checked_with_the_accounts_verifier(edge: NewListener) -> None:
    listener = edge()
    pair = Pair(listener)
    pair.connection.data_received(pair.client.data_to_send())
    login = pair.connection._login  # noqa: SLF001 - PLAIN is offered inside TLS only
    assert login is not None
    answers: list[bool] = []
    asked = asyncio.Event()

    class Stream:
        def password_checked(self, is_right: bool) -> None:
            answers.append(is_right)
            asked.set()

    for password in ("anna", "wrong"):
        login._account, login._password = "anna", password  # noqa: SLF001
        credentials = listener.core.disk.accounts["anna"]  # type: ignore[attr-defined]
        asked.clear()
        login.found(Stream(), credentials)  # type: ignore[arg-type]
        await asked.wait()
    assert answers == [True, False]


async def test_too_many_passwords_at_once_are_refused(edge: NewListener) -> None:
    listener = edge(negotiation={"passwords_waiting_max": 1})
    assert listener.passwords.check(listener.policy, "anna", None, "x", lambda _: None)
    pair = Pair(listener)
    login = pair.connection._login  # noqa: SLF001
    assert login is not None
    login._account, login._password = "anna", "anna"  # noqa: SLF001
    pair.connection.credentials_found(None)
    assert b"<resource-constraint" in b"".join(pair.transport.written)
