"""XMPP over real TCP sockets: STARTTLS, direct TLS, and plain where it is allowed."""

import ssl
from typing import Any

import pytest

from tests.integration.listeners.conftest import Start
from tests.support.clients import Clients
from xmpp.jid import JID
from xmpp.stanza import Stanza


def message(to: str, text: str = "hello") -> Stanza:
    body = f"<body>{text}</body>".encode()
    return Stanza("message", "chat", "m1", JID.parse(to), payloads=("{jabber:client}body",), inner=body)


@pytest.mark.parametrize("way", ["plain", "starttls", "direct"])
async def test_two_clients_talk(start: Start, clients: Clients, context: ssl.SSLContext, way: str) -> None:
    edge = await start(require_tls=way != "plain", has_tls=way != "plain")
    wishes: dict[str, Any] = {"tls": None if way == "plain" else context, "is_direct": way == "direct"}
    port = edge.tcp.tls_port if way == "direct" else edge.tcp.port
    anna = await clients.login(port, "anna", **wishes)
    bruno = await clients.login(port, "bruno", **wishes)
    anna.send(message("bruno@corp.example"))
    received = await bruno.stanza()
    assert received.inner == b"<body>hello</body>"
    assert received.sender == JID.parse("anna@corp.example/chosen")
    assert [each.facts.transport for each in edge.core.attachments] == [{"direct": "tls"}.get(way, "tcp")] * 2
    assert [each.facts.encrypted for each in edge.core.attachments] == [way != "plain"] * 2
