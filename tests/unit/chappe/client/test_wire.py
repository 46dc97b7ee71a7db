from pathlib import Path

import pytest

from chappe.client import Endpoint, LoginRefused, Transport, Unreachable
from chappe.client.wire import connect, context_for, facts_of
from tests.integration.listeners.conftest import Start
from tests.unit.chappe.client.conftest import MakeAccount


def test_without_tls_there_is_nothing_to_bind_to() -> None:
    assert not facts_of(None).is_encrypted
    assert facts_of(None).bindings == {}


async def test_a_connection_is_bound_to_the_servers_certificate(start: Start, account: MakeAccount, ca: Path) -> None:
    edge = await start()
    wire = await connect(account(edge, Transport.TLS).endpoint, "corp.example", ca)
    assert edge.listener.tls is not None
    assert wire.facts.bindings == {"tls-server-end-point": edge.listener.tls.end_point_binding}
    await wire.close()


async def test_a_web_server_that_speaks_no_xmpp(start: Start, account: MakeAccount, ca: Path) -> None:
    edge = await start()
    place = account(edge, Transport.WSS).endpoint
    with pytest.raises(Unreachable):
        await connect(Endpoint(place.host, place.port, Transport.WSS, "/elsewhere"), "corp.example", ca)


def test_a_file_that_holds_no_authority(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing\n")
    with pytest.raises(LoginRefused, match=r"ca\.pem"):
        context_for(Transport.TLS, tmp_path / "ca.pem")
