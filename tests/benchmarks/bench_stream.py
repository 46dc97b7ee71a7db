"""What a bound stream costs: CPU on top of its reader for each stanza, and memory while it is idle.

Run: python -m tests.benchmarks.bench_stream
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable

from tests.support.streams import ENCRYPTED, POOL, StreamPair, server_settings
from xmpp.parser import StreamReader
from xmpp.server_stream import ServerStream

STANZA = (
    b'<message type="chat" id="m1" to="bruno@corp.example"><body>Shall we meet at noon?</body>'
    b'<active xmlns="http://jabber.org/protocol/chatstates"/></message>'
)
HEADER = b'<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" version="1.0">'
SETTINGS = server_settings()
ROUNDS = 5
CALLS = 20_000
STREAMS = 500
LOGINS = 500


def bound_stream() -> ServerStream:
    """A server stream whose client is online, with stream management."""
    return StreamPair(server=SETTINGS, facts=ENCRYPTED).run().server.stream


def best_us_per_stanza(call: Callable[[bytes], object], stanzas: int) -> float:
    data = STANZA * stanzas
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS // stanzas):
            call(data)
        best = min(best, time.perf_counter() - start)
    return best / (CALLS // stanzas * stanzas) * 1e6


def idle_bytes_per_stream() -> float:
    bound_stream()  # fills caches
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    streams = [bound_stream() for _ in range(STREAMS)]
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / len(streams)


def main() -> None:
    reader = StreamReader(POOL)
    reader.receive(HEADER)
    stream = bound_stream()

    def take(data: bytes) -> None:
        stream.receive_data(data)
        stream.events_received()
        stream.messages_to_send()

    lines = []
    for stanzas in (1, 10):
        alone = best_us_per_stanza(reader.receive, stanzas)
        whole = best_us_per_stanza(take, stanzas)
        lines.append(f"{stanzas:>3} a read: reader {alone:.2f} us, stream {whole:.2f} us, added {whole - alone:.2f} us")
    lines.append(f"idle bound stream with its reader: {idle_bytes_per_stream():.0f} bytes")
    start = time.perf_counter()
    for _ in range(LOGINS):
        bound_stream()
    login_us = (time.perf_counter() - start) / LOGINS * 1e6
    lines.append(f"login, both sides, SCRAM-SHA-256-PLUS, keys cached: {login_us:.0f} us")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
