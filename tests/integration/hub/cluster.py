"""A hub on loopback with certificates of its own authority, and sites and administrators to call it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from cascade.codec import decode_frame, encode_frame
from cascade.envelope import Envelope
from cascade.frame import Acknowledgement, Frame, Hello
from cascade.transport.channel import METHOD, SERVICE
from cascade.v1.administration_pb2_grpc import AdministrationStub
from central_hub.app import Ports, serving
from central_hub.settings import HubSettings
from chassis.clock import SystemClock
from chassis.lifecycle import Drain
from chassis.pki import Authority, Identity, Role, Subject

DOMAIN = "corp.example"
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Pki:
    """An authority and a folder for what it issues."""

    folder: Path
    authority: Authority

    @classmethod
    def create(cls, folder: Path) -> "Pki":
        folder.mkdir()
        pki = cls(folder, Authority.create("test authority", SystemClock()))
        (folder / "ca.pem").write_bytes(pki.authority.credential.certificate_pem)
        hub = pki.authority.issue(Subject(common_name="hub", hosts=("localhost",), addresses=("127.0.0.1",)))
        hub.write(folder / "hub.pem", folder / "hub.key")
        return pki

    def issue(self, role: Role, name: str) -> tuple[Path, Path]:
        certificate, key = self.folder / f"{role}-{name}.pem", self.folder / f"{role}-{name}.key"
        self.authority.issue(Subject(common_name=name, identity=Identity(role, name))).write(certificate, key)
        return certificate, key

    def credentials(self, role: Role, name: str) -> grpc.ChannelCredentials:
        certificate, key = self.issue(role, name)
        return grpc.ssl_channel_credentials(
            (self.folder / "ca.pem").read_bytes(), key.read_bytes(), certificate.read_bytes()
        )


def hub_settings(pki: Pki, data: Path, **links: object) -> HubSettings:
    files = {"certificate": pki.folder / "hub.pem", "key": pki.folder / "hub.key", "authority": pki.folder / "ca.pem"}
    return HubSettings.model_validate(
        {
            "domain": DOMAIN,
            "drain_seconds": 2.0,
            "store": {"folder": data},
            "links": {"host": "127.0.0.1", "port": 0, **files, **links},
            "administration": {"port": 0, "scram_iterations": 4096, **files},
            "operations": {"port": 0},
        }
    )


@asynccontextmanager
async def hub(settings: HubSettings) -> AsyncIterator[Ports]:
    async with serving(settings, SystemClock(), Drain()) as ports:
        yield ports


@asynccontextmanager
async def administrator(ports: Ports, pki: Pki, role: Role = "admin") -> AsyncIterator[Any]:
    async with grpc.aio.secure_channel(f"127.0.0.1:{ports.administration}", pki.credentials(role, "op")) as channel:
        yield AdministrationStub(channel)


class Site:
    """A site's end of a link, frame by frame, that remembers what it has got."""

    def __init__(self, name: str, call: Any) -> None:  # noqa: ANN401 - the stubs do not know that frames may pass as bytes
        self.name = name
        self.call = call
        self.got = Frame()
        self.accounts_version = 0
        self.acknowledged = 0
        self.refusals: dict[int, tuple[str, tuple[str, ...]]] = {}
        self.accounts: dict[str, bool] = {}
        self.snapshots = 0

    async def send(self, frame: Frame) -> None:
        await self.call.write(encode_frame(frame))

    async def ended(self) -> grpc.StatusCode:
        """Read what is left (the status comes behind it) and return how the hub has ended the link."""
        async with asyncio.timeout(WAIT_SECONDS):
            try:
                while isinstance(await self.call.read(), bytes):
                    pass
            except grpc.aio.AioRpcError as error:
                return error.code()
            code = await self.call.code()
            assert isinstance(code, grpc.StatusCode)
            return code

    async def receive(self) -> Frame:
        """Take one frame; the parts gather in `got`, and accounts are confirmed."""
        async with asyncio.timeout(WAIT_SECONDS):
            data = await self.call.read()
        assert isinstance(data, bytes), "the hub has ended the link"
        frame = decode_frame(data)
        self.got.welcome = frame.welcome or self.got.welcome
        self.got.presence += frame.presence
        self.got.envelopes += frame.envelopes
        self.got.undeliverable += frame.undeliverable
        self.got.home_answers += frame.home_answers
        self.got.interest = frame.interest or self.got.interest
        self.got.drain_ms = self.got.drain_ms if frame.drain_ms is None else frame.drain_ms
        if frame.acknowledgement is not None:
            self.acknowledged = frame.acknowledgement.up_to
            self.refusals |= {r.sequence: (r.condition, r.recipients) for r in frame.acknowledgement.refusals}
        if frame.accounts is not None:
            self.accounts |= {account.local: account.is_disabled for account in frame.accounts.upserted}
            self.accounts_version = frame.accounts.version
            self.snapshots += frame.accounts.is_full and not frame.accounts.has_more
            await self.send(Frame(accounts_held=frame.accounts.version))
        return frame

    async def until_accounts(self, version: int) -> None:
        while self.accounts_version < version:
            await self.receive()

    async def until_acknowledged(self, sequence: int) -> None:
        while self.acknowledged < sequence:
            await self.receive()

    async def until_envelopes(self, count: int) -> list[Envelope]:
        while len(self.got.envelopes) < count:
            await self.receive()
        return self.got.envelopes

    async def acknowledge_all(self) -> None:
        await self.send(Frame(acknowledgement=Acknowledgement(self.got.envelopes[-1].hub_sequence)))

    def message(self, sequence: int, sender: str, *recipients: str) -> Envelope:
        return Envelope(
            origin=self.name,
            epoch=7,
            sequence=sequence,
            sender=sender,
            recipients=recipients,
            kind="message",
            id=str(sequence),
            inner=b"<body>hello</body>",
        )


@asynccontextmanager
async def linked(
    ports: Ports, pki: Pki, name: str, *, claims: str = "", released: int = 0, accounts_version: int = 0
) -> AsyncIterator[Site]:
    """Dial, say hello, and wait for the welcome."""
    async with dialled(ports, pki, name) as site:
        hello = Hello(
            site=claims or name,
            epoch=7,
            acknowledged=released,
            accounts_version=accounts_version,
            window_envelopes=100,
            software="test\x1b[31m",
        )
        await site.send(Frame(hello=hello))
        while site.got.welcome is None:
            await site.receive()
        yield site


@asynccontextmanager
async def dialled(ports: Ports, pki: Pki, name: str, role: Role = "site") -> AsyncIterator[Site]:
    async with grpc.aio.secure_channel(f"127.0.0.1:{ports.links}", pki.credentials(role, name)) as channel:
        opened: Any = channel
        call = opened.stream_stream(f"/{SERVICE}/{METHOD}")()
        try:
            yield Site(name, call)
        finally:
            call.cancel()
