"""Who may not, or cannot, is refused clearly, and nobody else notices."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from cascade.codec import decode_frame, encode_frame
from cascade.envelope import Envelope
from cascade.frame import Frame, Hello
from cascade.transport.channel import METHOD, SERVICE
from tests.support.certificate_files import CertificateFolder
from tests.support.cluster import Cluster, cluster
from tests.support.persons import Person, chat
from tests.support.processes import PATIENCE_SECONDS, operations
from xmpp.errors import StanzaError
from xmpp.stanza import ERROR, Stanza

ROOM_BYTES = 64 * 1024
"""How much a full disk still takes."""
FILE_SIZE_MAX = resource.RLIM_INFINITY


async def test_foreign_certificate_on_a_link(tmp_path: Path) -> None:
    """An edge whose certificate another authority has issued gets no link; the site serves its people all the same."""
    foreign = CertificateFolder.create(tmp_path)
    async with cluster("paris", "lyon") as company:
        await company.add_people({"paris": ["anna"], "lyon": ["chloe"]})
        lyon = company["lyon"]
        await lyon.kill()
        lyon.write_settings(uplink=foreign.of("site", "lyon") | {"authority": str(company.pki.ca)})
        await lyon.start()
        down = await lyon.core.logged("link_down")
        assert down["reason"] == "lost" or down["level"] == "error", down
        assert '"ready":true' in await operations(lyon.operations, "/readyz")
        async with (
            Person(company.account("anna", company["paris"])) as anna,
            Person(company.account("chloe", lyon)) as chloe,
        ):
            anna.say("chloe@corp.example", "are you there?")
            await anna.taken()
            assert not chloe.messages
            assert not anna.errors
            await lyon.kill()
            lyon.write_settings()
            await lyon.start()
            await chloe.hears("are you there?")  # with the right certificate again


async def test_forged_sender() -> None:
    """A stolen branch server cannot speak for another branch."""
    async with cluster("paris", "lyon") as company:
        await company.add_people({"paris": ["anna", "bruno"], "lyon": ["chloe"]})
        await company["lyon"].kill()
        async with Person(company.account("bruno", company["paris"])) as bruno, thief(company, "lyon") as call:
            for sequence, sender in ((1, "anna@corp.example/desk"), (2, "chloe@corp.example/home")):
                await call.write(encode_frame(Frame(envelopes=[message(sequence, sender, "bruno@corp.example")])))
            refused: dict[int, str] = {}
            up_to = 0
            async with asyncio.timeout(PATIENCE_SECONDS):
                while up_to < 2:
                    acknowledgement = decode_frame(await call.read()).acknowledgement
                    if acknowledgement is not None:
                        up_to = acknowledgement.up_to
                        refused |= {refusal.sequence: refusal.condition for refusal in acknowledgement.refusals}
            assert refused == {1: "forbidden"}
            await bruno.hears("of sequence 2")  # order is kept, so the first would have come before
            assert bruno.bodies == ["of sequence 2"]


def message(sequence: int, sender: str, recipient: str) -> Envelope:
    return Envelope(
        origin="lyon",
        epoch=2**62,
        sequence=sequence,
        sender=sender,
        recipients=(recipient,),
        kind="message",
        type="chat",
        id=str(sequence),
        payloads=("{jabber:client}body",),
        inner=b"<body>of sequence %d</body>" % sequence,
    )


@asynccontextmanager
async def thief(company: Cluster, site: str) -> AsyncIterator[Any]:
    """A link opened by hand with a site's own certificate."""
    address = f"127.0.0.1:{company.hub.links}"
    async with grpc.aio.secure_channel(address, company.pki.credentials("site", site)) as channel:
        opened: Any = channel
        call = opened.stream_stream(f"/{SERVICE}/{METHOD}")()
        hello = Hello(
            site=site, epoch=2**62, acknowledged=0, accounts_version=0, window_envelopes=100, software="stolen"
        )
        await call.write(encode_frame(Frame(hello=hello)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while decode_frame(await call.read()).welcome is None:
                pass
        try:
            yield call
        finally:
            call.cancel()


async def test_full_disk() -> None:
    """What the disk cannot take is refused with `wait`, what it took comes, and it goes on when there is room."""
    async with cluster("paris", "lyon") as company:
        await company.add_people({"paris": ["anna", "bruno"], "lyon": ["chloe"]})
        async with (
            Person(company.account("anna", company["paris"])) as anna,
            Person(company.account("bruno", company["paris"])) as bruno,
            Person(company.account("chloe", company["lyon"])) as chloe,
        ):
            anna.say(bruno.jid.bare_jid, "before")
            await bruno.hears("before")
            core = company["paris"].core
            largest = max(file.stat().st_size for file in company["paris"].folder.glob("edge.sqlite*"))
            # No file may grow beyond this: what a full disk does, to this process only.
            resource.prlimit(core.pid, resource.RLIMIT_FSIZE, (largest + ROOM_BYTES, FILE_SIZE_MAX))
            written: list[tuple[str, Person]] = []
            padding = "x" * 8_000
            while not anna.errors:
                for recipient in (bruno, chloe):
                    number = str(len(written))
                    written.append((number, recipient))
                    anna.client.send(chat(recipient.jid.bare_jid, number + padding, id=number))
                await anna.taken()
            refused = {error.id: error_of(error) for error in anna.errors}
            assert {(error.condition.value, error.type.value) for error in refused.values()} == {
                ("resource-constraint", "wait")
            }
            resource.prlimit(core.pid, resource.RLIMIT_FSIZE, (FILE_SIZE_MAX, FILE_SIZE_MAX))

            await takes_again(anna, bruno)
            anna.say(chloe.jid.bare_jid, "after")
            await chloe.hears("after")
            for recipient in (bruno, chloe):
                expected = [number for number, to in written if to is recipient and number not in refused]
                heard = [body.removesuffix(padding) for body in recipient.bodies if body.endswith(padding)]
                assert heard == expected
            assert not any(person.disconnections for person in (anna, bruno, chloe))


def error_of(stanza: Stanza) -> StanzaError:
    error = stanza.find(ERROR)
    assert error is not None
    return StanzaError.from_element(error)


async def takes_again(sender: Person, recipient: Person) -> None:
    """Send until one is taken: the store looks from time to time whether there is room."""
    attempts = 0
    while "after" not in recipient.bodies:
        known = len(sender.errors)
        attempts += 1
        assert attempts < 1_000
        sender.client.send(chat(recipient.jid.bare_jid, "after", id=f"after {attempts}"))
        await sender.taken()
        if len(sender.errors) == known:
            await recipient.hears("after")


@pytest.mark.parametrize("site", ["lyon", "berlin"])
async def test_link_of_a_name_that_is_not_its_own(site: str) -> None:
    """The certificate decides who a site is: not what it says, and only if the hub knows it."""
    async with cluster("paris", "lyon") as company:
        await company["lyon"].kill()
        company["lyon"].write_settings(uplink=company.pki.of("site", "paris" if site == "lyon" else "berlin"))
        seen = len(company["paris"].core.lines)
        await company["lyon"].start()
        down = await company["lyon"].core.logged("link_down")
        assert down["level"] == "error", down
        assert not [line for line in company["paris"].core.lines[seen:] if line["event"] == "link_down"]
