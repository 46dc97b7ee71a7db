"""Links over real sockets with mutual TLS: a hub that sends everything to Lyon, and the sites that dial it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TypeVar

import grpc.aio
import pytest
from cryptography import x509
from structlog.testing import capture_logs

from cascade.codec import encode_envelope, encode_frame
from cascade.custody import Custody, Routing
from cascade.envelope import Envelope
from cascade.frame import (
    AccountChange,
    AccountPresence,
    Frame,
    Heartbeat,
    HomeAnswer,
    InterestChange,
    Refusal,
    Undeliverable,
    Welcome,
)
from cascade.hub_link import HubStep
from cascade.inbox import Inbox
from cascade.link import FailureReason, LinkFailure, LinkSettings
from cascade.outbox import Outbox
from cascade.site_link import SiteLink
from cascade.spool import MemorySpoolStore
from cascade.transport.channel import METHOD, SERVICE
from cascade.transport.client import ClientSettings, LinkClient
from cascade.transport.ports import Refused
from cascade.transport.server import LinkConnection, LinkServer, ServerSettings
from cascade.transport.tls import CertificateFiles, channel_credentials
from tests.support.certificates import Authority

Item = TypeVar("Item")

SETTINGS = LinkSettings(window_envelopes=64)


class Hub:
    """Welcomes everybody, spools in memory, counts."""

    def __init__(self, spool: MemorySpoolStore) -> None:
        self.spool = spool
        self.custody = Custody(spool.extents(), envelopes_max=128, refusals_max=10)
        self.connections: dict[str, LinkConnection] = {}
        self.closed: list[LinkFailure] = []
        self.hellos = 0
        self.stepped = asyncio.Event()

    def on_step(self, connection: LinkConnection, step: HubStep) -> None:
        self.stepped.set()
        woken = {connection.site}
        if step.hello is not None:
            self.hellos += 1
            older = self.connections.get(connection.site)
            if older is not None:
                older.end(LinkFailure(FailureReason.SUPERSEDED, "a newer link"))
                older.link.close()
            self.connections[connection.site] = connection
            failure = connection.link.welcome(self.custody, "corp.example", "hub/1")
            assert failure is None
        if step.acknowledged:
            woken.update(self.custody.acknowledged(connection.site, step.acknowledged))
        for envelope in step.envelopes:
            if not envelope.sequence:
                connection.link.undeliverable(envelope, envelope.recipients[0], "remote-server-not-found")
            elif envelope.recipients == ("nobody@lyon",):
                refusal = Refusal(envelope.sequence, "item-not-found")
                woken.update(self.custody.accept(envelope, Routing({}, (refusal,))))
            else:
                woken.update(self.custody.accept(envelope, Routing({"lyon": envelope.recipients})))
        for account in step.home_questions:
            connection.link.answer_home(HomeAnswer(account, "lyon", "lyon.example", 5222))
        self.serve_spool(woken)
        for site in woken & self.connections.keys():
            self.connections[site].wake()

    def serve_spool(self, woken: set[str]) -> None:
        way = self.custody.forwarding("lyon")
        while (wanted := way.wanted_append()) is not None:
            self.spool.append(
                "lyon", wanted, lambda found: woken.update(self.custody.appended("lyon", as_answer(found)))
            )
        while (read := way.wanted_read()) is not None:
            self.spool.read("lyon", read.after_sequence, read.limit, lambda found: way.loaded(as_answer(found)))

    def on_closed(self, connection: LinkConnection, failure: LinkFailure, unsent: list[Envelope]) -> None:
        self.closed.append(failure)
        if self.connections.get(connection.site) is connection:
            del self.connections[connection.site]
        self.serve_spool(set())


def as_answer(found: Sequence[Item] | Exception) -> Sequence[Item]:
    assert not isinstance(found, Exception)
    return found


class Site:
    """A site that stores in memory and remembers what it was told."""

    def __init__(
        self,
        name: str,
        port: int,
        files: CertificateFiles,
        rows: dict[int, bytes] | None = None,
        **settings: float,
    ) -> None:
        self.name = name
        self.rows = dict(rows or {})
        self.received: list[Envelope] = []
        self.told: list[object] = []
        self.failures: list[LinkFailure] = []
        self.changed = asyncio.Event()
        self.stores = True
        self.faults = 0
        self.never_stores = False
        self.rows_when_refused: list[set[int]] = []
        outbox = Outbox(epoch=1, last_sequence=max(self.rows, default=0), envelopes_max=128, bytes_max=1 << 20)
        self.link = SiteLink(name, outbox, Inbox({}), 0, replace(SETTINGS, heartbeat_seconds=0.1))
        self.client = LinkClient(
            self.link,
            self,
            self,
            ClientSettings(
                target=f"127.0.0.1:{port}",
                certificates=files,
                hub_name="hub",
                backoff_seconds_min=0.01,
                backoff_seconds_max=0.1,
                store_retry_seconds=0.02,
                refused_backoff_seconds=settings.get("refused_backoff_seconds", 0.05),
            ),
            Random(1),
        )

    @staticmethod
    def envelope(sequence: int, origin: str, to: str = "chloe@lyon") -> Envelope:
        return Envelope(
            origin=origin, epoch=1, sequence=sequence, sender="anna@paris", recipients=(to,), kind="message"
        )

    def send(self, sequence: int, to: str = "chloe@lyon") -> None:
        envelope = self.envelope(sequence, self.name, to)
        self.rows[sequence] = encode_envelope(envelope)
        self.client.offer(envelope)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    @property
    def sequences(self) -> list[int]:
        return [envelope.sequence for envelope in self.received]

    # -- OutboxStore

    async def read(self, after_sequence: int, limit: int, /) -> Sequence[tuple[int, bytes]]:
        return sorted(row for row in self.rows.items() if row[0] > after_sequence)[:limit]

    async def trim(self, up_to_sequence: int, /) -> None:
        self.rows = {sequence: data for sequence, data in self.rows.items() if sequence > up_to_sequence}
        self.changed.set()

    # -- LinkHandler

    def on_envelopes(self, envelopes: list[Envelope], stored: Callable[[Sequence[Envelope]], None]) -> None:
        if not self.stores:
            self.stores = True
            self.client.store_failed()
            return
        self.received += envelopes
        stored(envelopes)
        self.changed.set()

    def on_unlinked(self, failure: LinkFailure) -> None:
        self.failures.append(failure)
        self.changed.set()

    def note(self, what: object) -> None:
        self.told.append(what)
        self.changed.set()

    def on_linked(self, welcome: Welcome) -> None:
        self.note(welcome)

    def on_presence(self, presence: list[AccountPresence]) -> None:
        self.note(presence)

    def on_interest(self, interest: InterestChange) -> None:
        self.note(interest)

    def on_accounts(self, change: AccountChange) -> None:
        if self.faults:
            self.faults -= 1
            raise KeyError(change.version)
        self.note(change)

    def on_home_answer(self, answer: HomeAnswer) -> None:
        self.note(answer)

    async def on_refused(self, refused: Sequence[Refused]) -> list[Refused]:
        self.rows_when_refused.append(set(self.rows))
        self.changed.set()
        if self.never_stores or not self.stores:
            self.stores = True
            return list(refused)
        for envelope, refusal in refused:
            self.note((envelope.sequence, refusal.condition))
        return []

    def on_undeliverable(self, undeliverable: Undeliverable) -> None:
        self.note(undeliverable)


class Cascade:
    """A hub on a port of its own, and the sites that a test starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.spool = MemorySpoolStore()
        self.hub_files = self.authority.issue_hub("hub")
        self.port = 0

    async def start_hub(self) -> None:
        self.hub = Hub(self.spool)
        settings = ServerSettings(address=f"127.0.0.1:{self.port}", certificates=self.hub_files, link=SETTINGS)
        self.server = LinkServer(self.hub, settings)
        self.port = await self.server.start()

    async def stop_hub(self, grace_seconds: float = 1.0) -> None:
        await self.server.stop(grace_seconds)

    @asynccontextmanager
    async def site(
        self,
        name: str,
        files: CertificateFiles | None = None,
        rows: dict[int, bytes] | None = None,
        **settings: float,
    ) -> AsyncIterator[Site]:
        site = Site(name, self.port, files or self.authority.issue_site(name), rows, **settings)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(site.client.run())
            yield site
            running.cancel()


@pytest.fixture
async def cascade(tmp_path: Path) -> AsyncIterator[Cascade]:
    cascade = Cascade(tmp_path)
    await cascade.start_hub()
    yield cascade
    await cascade.stop_hub(0)


async def test_envelopes_cross_and_leave_the_outbox(cascade: Cascade) -> None:
    async with cascade.site("paris") as paris, cascade.site("lyon") as lyon:
        for sequence in range(1, 301):
            paris.send(sequence)
        await lyon.until(lambda: len(lyon.received) == 300)
        assert lyon.sequences == list(range(1, 301))
        await paris.until(lambda: not paris.rows)


async def test_what_a_site_missed_waits_for_it(cascade: Cascade) -> None:
    async with cascade.site("paris") as paris:
        paris.send(1)
        await paris.until(lambda: not paris.rows)
        async with cascade.site("lyon") as lyon:
            await lyon.until(lambda: lyon.sequences == [1])


async def test_refusals_undeliverables_and_homes_are_answered(cascade: Cascade) -> None:
    async with cascade.site("paris") as paris:
        paris.send(1, "nobody@lyon")
        await paris.until(lambda: (1, "item-not-found") in paris.told)
        question = Envelope(origin="paris", epoch=1, sender="a@x", recipients=("b@lyon",), kind="iq", id="7")
        assert paris.client.offer_transient(question)
        undeliverable = Undeliverable("a@x", "b@lyon", "iq", "7", "remote-server-not-found")
        await paris.until(lambda: undeliverable in paris.told)
        assert paris.client.ask_home("chloe@x")
        await paris.until(lambda: HomeAnswer("chloe@x", "lyon", "lyon.example", 5222) in paris.told)


async def test_a_refusal_that_cannot_be_stored_is_given_again_and_the_outbox_waits(cascade: Cascade) -> None:
    async with cascade.site("paris") as paris:
        paris.stores = False
        paris.send(1, "nobody@lyon")
        paris.send(2)
        await paris.until(lambda: not paris.rows)
        assert [each for each in paris.told if isinstance(each, tuple)] == [(1, "item-not-found")]
        assert paris.rows_when_refused == [{1, 2}, {1, 2}]


async def test_a_refusal_that_was_not_stored_comes_again_after_a_restart(cascade: Cascade) -> None:
    """A hello of the same process must not have said that it was settled."""
    async with cascade.site("paris") as paris:
        paris.never_stores = True
        paris.send(1, "nobody@lyon")
        await paris.until(lambda: bool(paris.rows_when_refused))
        connection = cascade.hub.connections["paris"]
        connection.link.drain(1)
        connection.wake()
        await paris.until(lambda: cascade.hub.hellos == 2)
        rows = paris.rows
    async with cascade.site("paris", rows=rows) as restarted:
        await restarted.until(lambda: not restarted.rows)
        assert (1, "item-not-found") in restarted.told


async def test_a_hub_that_returns_is_found(cascade: Cascade) -> None:
    async with cascade.site("paris") as paris, cascade.site("lyon") as lyon:
        await lyon.until(lambda: lyon.client.is_linked)
        await cascade.stop_hub()
        await lyon.until(lambda: bool(lyon.failures))
        assert lyon.failures[0] == LinkFailure(FailureReason.DRAINING, "the hub leaves")
        await paris.until(lambda: bool(paris.failures))
        for sequence in (1, 2, 3):
            paris.send(sequence)
        await cascade.start_hub()
        await lyon.until(lambda: lyon.sequences == [1, 2, 3])


async def test_a_drain_sends_the_site_away_for_a_while(cascade: Cascade) -> None:
    async with cascade.site("lyon") as lyon:
        await lyon.until(lambda: lyon.client.is_linked)
        connection = cascade.hub.connections["lyon"]
        connection.link.drain(1)
        connection.wake()
        await lyon.until(lambda: bool(lyon.failures) and lyon.client.is_linked)
        assert [failure.reason for failure in lyon.failures] == [FailureReason.DRAINING]


async def test_what_could_not_be_stored_comes_again(cascade: Cascade) -> None:
    async with cascade.site("paris") as paris, cascade.site("lyon") as lyon:
        await lyon.until(lambda: lyon.client.is_linked)
        lyon.stores = False
        paris.send(1)
        await lyon.until(lambda: lyon.sequences == [1])
        assert lyon.failures[0].reason is FailureReason.STORE


async def test_a_frame_that_cannot_be_taken_costs_the_link_and_no_envelope(cascade: Cascade) -> None:
    async with cascade.site("lyon") as lyon:
        await lyon.until(lambda: lyon.client.is_linked)
        lyon.faults = 1
        connection = cascade.hub.connections["lyon"]
        connection.link.send_accounts(iter([AccountChange(9)]))
        for sequence in (1, 2):
            cascade.hub.custody.forwarding("lyon").offer(lyon.envelope(sequence, origin="paris"))
        connection.wake()
        await lyon.until(lambda: bool(lyon.failures) and lyon.client.is_linked)
        assert [failure.reason for failure in lyon.failures] == [FailureReason.FAULT]
        assert lyon.sequences == [1, 2]


async def test_an_outbox_that_is_an_old_copy_is_never_used_again(cascade: Cascade) -> None:
    cascade.hub.custody.ledger("paris").resume(1, 5)
    async with cascade.site("paris") as paris:
        await paris.until(lambda: bool(paris.failures))
        await cascade.stop_hub()
        await cascade.start_hub()
        async with cascade.site("lyon") as lyon:
            await lyon.until(lambda: lyon.client.is_linked)
        assert [failure.reason for failure in paris.failures] == [FailureReason.REGRESSED]
    assert cascade.hub.hellos == 1, "only Lyon came back to the hub that has forgotten"


async def test_a_certificate_of_a_foreign_authority_is_refused(cascade: Cascade) -> None:
    foreign = Authority(cascade.folder, "foreign").issue_site("lyon", "imposter")
    files = replace(foreign, authority=cascade.authority.file)
    with capture_logs() as logs:
        async with cascade.site("lyon", files) as imposter:
            await imposter.until(lambda: len(imposter.failures) > 2)
            assert {failure.reason for failure in imposter.failures} == {FailureReason.LOST}
    assert cascade.hub.hellos == 0
    down = [line for line in logs if line["event"] == "link_down"]
    assert len(down) < len(imposter.failures), "the same failure is logged once"


async def test_a_hub_of_a_foreign_authority_is_refused(cascade: Cascade) -> None:
    files = replace(cascade.authority.issue_site("lyon"), authority=Authority(cascade.folder, "foreign").file)
    async with cascade.site("lyon", files) as lyon:
        await lyon.until(lambda: bool(lyon.failures))
    assert cascade.hub.hellos == 0


async def test_a_site_that_says_another_name_is_refused(cascade: Cascade) -> None:
    with capture_logs() as logs:
        async with cascade.site("lyon", cascade.authority.issue_site("paris")) as liar:
            await liar.until(lambda: bool(liar.failures))
            assert liar.failures[0] == LinkFailure(FailureReason.IDENTITY, "paris says that it is lyon")
    assert cascade.hub.hellos == 0
    assert [(line["log_level"], line["reason"]) for line in logs if line["event"] == "link_closed"] == [
        ("warning", "identity")
    ]


async def test_a_certificate_without_a_site_is_refused(cascade: Cascade) -> None:
    with capture_logs() as logs:
        async with cascade.site("lyon", cascade.authority.issue_hub("somebody")) as nobody:
            await nobody.until(lambda: bool(nobody.failures))
            assert nobody.failures[0].reason is FailureReason.IDENTITY
    refused = next(line for line in logs if line["event"] == "link_refused")
    assert refused["text"] == "the certificate names no site"


async def test_a_newer_link_of_a_site_wins(cascade: Cascade) -> None:
    async with cascade.site("lyon") as older:
        await older.until(lambda: older.client.is_linked)
        async with cascade.site("lyon") as newer:
            await newer.until(lambda: newer.client.is_linked)
            await older.until(lambda: bool(older.failures))
            assert older.failures[0] == LinkFailure(FailureReason.SUPERSEDED, "a newer link")


async def test_a_new_certificate_of_the_site_is_taken_by_a_new_link(cascade: Cascade) -> None:
    async with cascade.site("lyon") as lyon:
        await lyon.until(lambda: lyon.client.is_linked)
        cascade.authority.issue_site("lyon")
        await lyon.until(lambda: bool(lyon.failures) and lyon.client.is_linked)
        assert lyon.failures[0].reason is FailureReason.ROTATED


async def test_a_link_stands_while_new_files_do_not_fit_together(cascade: Cascade) -> None:
    async with cascade.site("lyon") as lyon:
        await lyon.until(lambda: lyon.client.is_linked)
        files = cascade.authority.issue_site("lyon")
        old_key = files.key.read_bytes()
        await lyon.until(lambda: bool(lyon.failures) and lyon.client.is_linked)
        with capture_logs() as logs:
            files.key.write_bytes(old_key[: len(old_key) // 2])
            await _beats(cascade.hub, 4)
            assert (lyon.client.is_linked, len(lyon.failures)) == (True, 1)
            files.key.write_bytes(old_key)
            await lyon.until(lambda: len(lyon.failures) == 2 and lyon.client.is_linked)
        assert [failure.reason for failure in lyon.failures] == [FailureReason.ROTATED] * 2
        faults = [line for line in logs if line["event"] == "link_certificate_not_rotated"]
        assert len(faults) == 1
        assert str(files.key) in faults[0]["error"]


async def test_a_half_replaced_certificate_of_the_hub_does_not_stop_handshakes(cascade: Cascade) -> None:
    cascade.hub_files.key.write_bytes(b"half")
    with capture_logs() as logs:
        async with cascade.site("lyon") as lyon, cascade.site("paris") as paris:
            await lyon.until(lambda: lyon.client.is_linked)
            await paris.until(lambda: paris.client.is_linked)
    assert [line["event"] for line in logs if "certificate" in line["event"]] == ["link_certificate_not_rotated"]


async def test_a_new_certificate_of_the_hub_is_used_by_the_next_handshake(cascade: Cascade) -> None:
    async with cascade.site("lyon") as lyon:
        await lyon.until(lambda: lyon.client.is_linked)
        other = Authority(cascade.folder, "other")
        moved = other.issue("hub-new", [*_host("hub")])
        for old, new in (
            (cascade.hub_files.certificate, moved.certificate),
            (cascade.hub_files.key, moved.key),
        ):
            old.write_bytes(new.read_bytes())
        files = replace(cascade.authority.issue_site("nice"), authority=other.file)
        async with cascade.site("nice", files) as nice:
            await nice.until(lambda: nice.client.is_linked)
        assert (lyon.client.is_linked, lyon.failures) == (True, [])


@pytest.mark.parametrize(
    "data", [b"\xff\xff", encode_frame(Frame(heartbeat=Heartbeat(1))), b""], ids=["noise", "no hello", "empty"]
)
async def test_a_peer_that_breaks_the_rules_is_told_so(cascade: Cascade, data: bytes) -> None:
    credentials = channel_credentials(cascade.authority.issue_site("lyon"))
    options = [("grpc.ssl_target_name_override", "hub")]
    async with grpc.aio.secure_channel(f"127.0.0.1:{cascade.port}", credentials, options=options) as channel:
        call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(f"/{SERVICE}/{METHOD}")()
        await call.write(data)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call.read()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_port_that_is_taken_is_an_os_error(cascade: Cascade) -> None:
    settings = ServerSettings(address=f"127.0.0.1:{cascade.port}", certificates=cascade.hub_files, link=SETTINGS)
    with pytest.raises(OSError, match=str(cascade.port)):
        await LinkServer(cascade.hub, settings).start()


async def _beats(hub: Hub, count: int) -> None:
    """Wait for heartbeats: with the answer to each the site looks at its files."""
    async with asyncio.timeout(10):
        for _ in range(count):
            hub.stepped.clear()
            await hub.stepped.wait()


def _host(name: str) -> list[x509.GeneralName]:
    return [x509.DNSName(name)]
