"""What an envelope costs on its way, in microseconds of CPU.

Three processes on loopback with mutual TLS: a site that sends, a hub that routes and passes on, and a site that
receives.  Stores answer at once, so this is the cascade alone.  Prints one JSON line per process and the codec's costs.

Run: python -m tests.benchmarks.bench_cascade [envelopes]
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import IO

import uvloop

from cascade.codec import decode_frame, encode_envelope, encode_frame
from cascade.custody import Custody, Routing
from cascade.envelope import Envelope
from cascade.frame import Frame
from cascade.hub_link import HubStep
from cascade.inbox import Inbox
from cascade.link import LinkFailure, LinkSettings
from cascade.outbox import Outbox
from cascade.site_link import SiteLink
from cascade.transport.client import ClientSettings, LinkClient
from cascade.transport.ports import Refused
from cascade.transport.server import LinkConnection, LinkServer, ServerSettings
from cascade.transport.tls import CertificateFiles
from tests.support.certificates import Authority

ROUND = 64
SETTINGS = LinkSettings(window_envelopes=4096)


def envelope(sequence: int) -> Envelope:
    return Envelope(
        origin="paris",
        epoch=1,
        sequence=sequence,
        sender="anna@corp.example/phone",
        recipients=("chloe@corp.example",),
        kind="message",
        type="chat",
        id="6c1f6f3a-1f0c-4a66",
        payloads=("{jabber:client}body", "{urn:xmpp:receipts}request"),
        inner=b"<body>" + b"x" * 200 + b"</body><request xmlns='urn:xmpp:receipts'/>",
        sent_us=1_700_000_000_000_000,
    )


def emit(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def report(role: str, envelopes: int, began_cpu: float, began: float) -> None:
    emit(
        {
            "role": role,
            "envelopes": envelopes,
            "us_cpu_per_envelope": round((cpu_seconds() - began_cpu) / envelopes * 1e6, 2),
            "envelopes_per_second": round(envelopes / (time.perf_counter() - began)),
        }
    )


class Relay:
    """A hub that sends everything to Lyon."""

    def __init__(self) -> None:
        self.custody = Custody({}, envelopes_max=8192, refusals_max=16)
        self.connections: dict[str, LinkConnection] = {}
        self.passed = 0
        self.began = (0.0, 0.0)
        self.is_over = asyncio.Event()

    def on_step(self, connection: LinkConnection, step: HubStep) -> None:
        if step.hello is not None:
            connection.link.welcome(self.custody, "corp.example")
            self.connections[connection.site] = connection
        if step.envelopes and not self.passed:
            self.began = (cpu_seconds(), time.perf_counter())
        woken = set(self.custody.acknowledged(connection.site, step.acknowledged)) if step.acknowledged else set()
        for item in step.envelopes:
            woken.update(self.custody.accept(item, Routing({"lyon": item.recipients})))
        self.passed += len(step.envelopes)
        for site in woken:
            self.connections[site].wake()

    def on_closed(self, connection: LinkConnection, failure: LinkFailure, unsent: list[Envelope]) -> None:
        if connection.site == "paris":
            self.is_over.set()


class Quiet:
    """A site's handler that stores at once and counts."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.received = 0
        self.linked = asyncio.Event()
        self.unlinked = asyncio.Event()
        self.received_all = asyncio.Event()
        self.began = (0.0, 0.0)

    def on_linked(self, *_: object) -> None:
        self.linked.set()

    def on_unlinked(self, *_: object) -> None:
        self.unlinked.set()

    def on_envelopes(self, envelopes: list[Envelope], stored: Callable[[Sequence[Envelope]], None]) -> None:
        if not self.received:
            self.began = (cpu_seconds(), time.perf_counter())
        self.received += len(envelopes)
        stored(envelopes)
        if self.received == self.expected:
            self.received_all.set()

    def ignore(self, *_: object) -> None:
        return

    on_presence = on_interest = on_accounts = on_home_answer = on_undeliverable = ignore

    async def on_refused(self, *_: object) -> list[Refused]:
        return []


class EmptyStore:
    """An outbox store that has nothing; trimmed tells how far the hub has answered."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.trimmed_to = 0
        self.moved = asyncio.Event()

    async def read(self, after_sequence: int, limit: int, /) -> Sequence[tuple[int, bytes]]:
        return ()

    async def trim(self, up_to_sequence: int, /) -> None:
        self.trimmed_to = up_to_sequence
        self.moved.set()


async def hub(files: CertificateFiles) -> None:
    relay = Relay()
    server = LinkServer(relay, ServerSettings(address="127.0.0.1:0", certificates=files, link=SETTINGS))
    emit(await server.start())
    await relay.is_over.wait()
    report("hub", relay.passed, *relay.began)
    await server.stop(0)


async def site(name: str, files: CertificateFiles, port: int, envelopes: int) -> None:
    outbox = Outbox(epoch=1, last_sequence=0, envelopes_max=8192, bytes_max=1 << 26)
    handler, store = Quiet(envelopes), EmptyStore(envelopes)
    settings = ClientSettings(target=f"127.0.0.1:{port}", certificates=files, hub_name="hub")
    client = LinkClient(SiteLink(name, outbox, Inbox({}), 0, SETTINGS), handler, store, settings, Random(1))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(client.run())
        await handler.linked.wait()
        emit("linked")
        if name == "lyon":
            await handler.received_all.wait()
            report(name, envelopes, *handler.began)
            await handler.unlinked.wait()
        else:
            began = (cpu_seconds(), time.perf_counter())
            for sequence in range(1, envelopes + 1):
                item = envelope(sequence)
                encode_envelope(item)  # the outbox store's share
                client.offer(item)
                if sequence % ROUND == 0:
                    await asyncio.sleep(0)
                    while outbox.in_memory > 4096 - ROUND:
                        store.moved.clear()
                        await store.moved.wait()
            while store.trimmed_to < envelopes:
                store.moved.clear()
                await store.moved.wait()
            report(name, envelopes, *began)
        running.cancel()


def codec() -> None:
    def microseconds(action: Callable[[], object]) -> float:
        return round(min(timeit.repeat(action, number=300, repeat=5)) / 300 / ROUND * 1e6, 2)

    def build_and_encode() -> None:
        for sequence in range(1, ROUND + 1):
            encode_envelope(envelope(sequence))

    frame = Frame(envelopes=[envelope(sequence) for sequence in range(1, ROUND + 1)])
    data = encode_frame(frame)
    costs = {
        "build_and_encode": microseconds(build_and_encode),
        "join_into_frame": microseconds(lambda: encode_frame(frame)),
        "decode": microseconds(lambda: decode_frame(data)),
        "decode_to_pass_on": microseconds(lambda: decode_frame(data, keeps_encoded=True)),
        "bytes": len(data) // ROUND,
    }
    emit({"codec_us_per_envelope": costs})


def main() -> None:
    if len(sys.argv) > 2:
        role, port, envelopes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
        files = CertificateFiles(*(Path(sys.argv[4]) / part for part in ("ca.pem", f"{role}.pem", f"{role}.key")))
        uvloop.run(hub(files) if role == "hub" else site(role, files, port, envelopes))
        return
    codec()
    envelopes = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder), "ca")
        authority.issue_hub("hub")
        for name in ("paris", "lyon"):
            authority.issue_site(name)

        def start(role: str, port: int) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "tests.benchmarks.bench_cascade", role, str(port), str(envelopes), folder]
            return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

        hub_process = start("hub", 0)
        port = json.loads(next(lines_of(hub_process)))
        processes = [hub_process]
        for name in ("lyon", "paris"):
            processes.append(start(name, port))
            while next(lines_of(processes[-1])) != '"linked"\n':
                continue
        for process in reversed(processes):
            output, _ = process.communicate(timeout=120)
            sys.stdout.writelines(line for line in output.splitlines(keepends=True) if line.startswith("{"))


def lines_of(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


if __name__ == "__main__":
    main()
