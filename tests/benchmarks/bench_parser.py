"""What the hot path of the language costs: reading and writing one chat message.

Run from the root: `python tests/benchmarks/bench_parser.py`.  Prints nanoseconds, the best of several runs.
"""

import sys
import timeit
from collections.abc import Callable

from xmpp.jid import JID
from xmpp.parser import ParserPool, StreamReader
from xmpp.stanza import Stanza, with_namespace

RUNS, REPEATS = 20_000, 7

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
MESSAGE = (
    b'<message to="boris@corp.example/phone" type="chat" id="a1b2c3d4-5678">'
    b"<body>Hello there, how are you doing today my friend? Lunch at half past twelve, as always?</body>"
    b'<active xmlns="http://jabber.org/protocol/chatstates"/><request xmlns="urn:xmpp:receipts"/>'
    b'<origin-id xmlns="urn:xmpp:sid:0" id="a1b2c3d4-5678-9abc-def0-123456789abc"/></message>'
)


def main() -> None:
    reader = StreamReader(ParserPool())
    reader.receive(HEADER)
    stanza = reader.receive(MESSAGE)[0]
    if not isinstance(stanza, Stanza):
        raise TypeError(stanza)
    stanza.sender = JID.parse("anna@corp.example/pc")
    rendered = stanza.render()
    bare = stanza.sender.bare_jid
    half = len(MESSAGE) // 2
    show(f"receive, {len(MESSAGE)} bytes, {len(stanza.payloads)} payloads", lambda: reader.receive(MESSAGE))
    show("receive in two pieces", lambda: (reader.receive(MESSAGE[:half]), reader.receive(MESSAGE[half:])))
    show("render", stanza.render)
    show("with_namespace", lambda: with_namespace(rendered))
    show("elements", lambda: stanza.copy().elements())
    show("JID.parse, known", lambda: JID.parse("boris@corp.example/phone"))
    show("JID.parse, new", lambda: JID("boris", "corp.example", "phone"))
    show("JID.with_resource", lambda: bare.with_resource("phone"))


def show(what: str, action: Callable[[], object]) -> None:
    best = min(timeit.repeat(action, number=RUNS, repeat=REPEATS)) / RUNS
    sys.stdout.write(f"{best * 1e9:8.0f} ns  {what}\n")


if __name__ == "__main__":
    main()
