"""The hub over real gRPC: who is let in, what is passed on, and what survives."""

import time
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from cascade.envelope import Envelope
from cascade.frame import AccountPresence, AvailableResource, Frame, Hello, InterestChange
from cascade.v1 import administration_pb2 as messages
from central_hub.app import Ports
from tests.integration.hub.cluster import Pki, administrator, dialled, hub, hub_settings, linked
from tests.support.processes import figures

PARIS = messages.AddSiteRequest(name="paris", client_host="paris.corp.example", client_port=5222)
LYON = messages.AddSiteRequest(name="lyon", client_host="lyon.corp.example", client_port=5322)
PEOPLE = [("anna", "paris"), ("bruno", "paris"), ("chloe", "lyon"), ("david", "lyon")]


async def settle(ports: Ports, pki: Pki) -> None:
    """Add two sites and four people."""
    rows = [
        messages.AccountRow(row=n, local=local, site=site, password="demo") for n, (local, site) in enumerate(PEOPLE, 1)
    ]
    async with administrator(ports, pki) as admin:
        await admin.AddSite(PARIS)
        await admin.AddSite(LYON)
        answer = await admin.PutAccounts(iter([messages.PutAccountsRequest(rows=rows)]))
        assert (answer.created, answer.refused) == (4, 0)


async def test_message_crosses_and_is_acknowledged_when_the_destination_has_it(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris, linked(ports, pki, "lyon") as lyon:
            await paris.send(
                Frame(envelopes=[paris.message(1, "anna@corp.example/a", "chloe@corp.example", "david@corp.example/b")])
            )
            (envelope,) = await lyon.until_envelopes(1)
            assert (envelope.origin, envelope.sequence, envelope.inner) == ("paris", 1, b"<body>hello</body>")
            assert envelope.recipients == ("chloe@corp.example", "david@corp.example/b")
            assert paris.acknowledged == 0
            await lyon.acknowledge_all()
            await paris.until_acknowledged(1)
            assert not paris.refusals


async def test_forged_unknown_and_foreign_are_refused(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris:
            await paris.send(
                Frame(
                    envelopes=[
                        paris.message(1, "chloe@corp.example/x", "anna@corp.example"),
                        paris.message(2, "anna@corp.example/x", "nobody@corp.example"),
                        paris.message(3, "anna@corp.example/x", "somebody@elsewhere.example"),
                    ]
                )
            )
            await paris.until_acknowledged(3)
    assert {n: condition for n, (condition, _) in paris.refusals.items()} == {
        1: "forbidden",
        2: "item-not-found",
        3: "remote-server-not-found",
    }


async def test_spool_keeps_order_across_a_restart_of_the_hub(pki: Pki, data: Path) -> None:
    settings = hub_settings(pki, data)
    async with hub(settings) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris:
            for n in range(1, 21):
                await paris.send(Frame(envelopes=[paris.message(n, "anna@corp.example/a", "chloe@corp.example")]))
            await paris.until_acknowledged(20)  # lyon is away: the spool answers for it
    async with hub(settings) as ports, linked(ports, pki, "paris", released=20) as paris:
        await paris.send(Frame(envelopes=[paris.message(21, "anna@corp.example/a", "chloe@corp.example")]))
        async with linked(ports, pki, "lyon") as lyon:
            envelopes = await lyon.until_envelopes(21)
            assert [envelope.sequence for envelope in envelopes] == list(range(1, 22))
            await lyon.acknowledge_all()
            await paris.until_acknowledged(21)
    async with hub(settings) as ports, administrator(ports, pki) as admin:
        status = await admin.ListSites(messages.ListSitesRequest(name="lyon"))
        assert status.sites[0].spooled_envelopes == 0


async def test_full_spool_answers_resource_constraint(pki: Pki, data: Path) -> None:
    settings = hub_settings(pki, data)
    settings = settings.model_copy(update={"spool": settings.spool.model_copy(update={"envelopes_max": 2})})
    async with hub(settings) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris:
            for n in (1, 2, 3):
                await paris.send(Frame(envelopes=[paris.message(n, "anna@corp.example/a", "chloe@corp.example")]))
                await paris.until_acknowledged(n)
    assert paris.refusals == {3: ("resource-constraint", ("chloe@corp.example",))}


async def test_transient_to_an_absent_site_is_undeliverable_at_once(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris:
            await paris.send(Frame(envelopes=[paris.message(0, "anna@corp.example/a", "chloe@corp.example/c")]))
            while not paris.got.undeliverable:
                await paris.receive()
    (answer,) = paris.got.undeliverable
    assert (answer.recipient, answer.condition) == ("chloe@corp.example/c", "remote-server-timeout")


async def test_home_questions_are_answered(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris:
            await paris.send(Frame(home_questions=["chloe@corp.example", "nobody@corp.example"]))
            while len(paris.got.home_answers) < 2:
                await paris.receive()
    answers = {a.account: (a.site, a.client_host, a.client_port) for a in paris.got.home_answers}
    assert answers == {
        "chloe@corp.example": ("lyon", "lyon.corp.example", 5322),
        "nobody@corp.example": ("", "", 0),
    }


async def test_presence_goes_where_it_is_watched_and_ends_with_the_home(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data, presence_grace_seconds=0.2)) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris:
            await paris.send(Frame(interest=InterestChange((("chloe@corp.example", 0),), is_full=True)))
            async with linked(ports, pki, "lyon") as lyon:
                while lyon.got.interest is None or not lyon.got.interest.added:
                    await lyon.receive()
                resource = AvailableResource("phone", b"<presence/>")
                await lyon.send(Frame(presence=[AccountPresence("chloe@corp.example", 50, (resource,))]))
                while not paris.got.presence:
                    await paris.receive()
                assert list(paris.got.presence[-1].resources) == [resource]
            while len(paris.got.presence) < 2:
                await paris.receive()
    assert list(paris.got.presence[-1].resources) == []
    assert paris.got.presence[-1].version > 50


async def test_accounts_reach_their_home_alone_and_within_a_second(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with administrator(ports, pki) as admin, linked(ports, pki, "lyon") as lyon:
            known = await admin.ListSites(messages.ListSitesRequest(name="lyon"))
            await lyon.until_accounts(known.sites[0].accounts_version)
            assert lyon.accounts == {"chloe": False, "david": False}
            begun = time.monotonic()
            record = await admin.SetDisabled(messages.SetDisabledRequest(local="david", disabled=True))
            await lyon.until_accounts(record.version)
            await admin.AwaitHeld(messages.SiteVersion(site="lyon", version=record.version), timeout=5)
            assert time.monotonic() - begun < 1.0
            assert lyon.accounts["david"] is True


async def test_large_replica_comes_in_parts(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data, accounts_per_part=100)) as ports, administrator(ports, pki) as admin:
        await admin.AddSite(LYON)
        request = messages.GenerateAccountsRequest(site="lyon", prefix="load", count=1050, password="demo")
        answer = await admin.GenerateAccounts(request)
        assert answer.created == 1050
        async with linked(ports, pki, "lyon") as lyon:
            await lyon.until_accounts(answer.versions[0].version)
            assert len(lyon.accounts) == 1050


@pytest.mark.parametrize("offset", [0, 1, 2, -10, 10])
async def test_known_replica_gets_the_difference_and_any_other_a_snapshot(pki: Pki, data: Path, offset: int) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with administrator(ports, pki) as admin:
            found = await admin.ListSites(messages.ListSitesRequest(name="lyon"))
            newest = found.sites[0].accounts_version
            async with linked(ports, pki, "lyon", accounts_version=newest - offset) as lyon:
                await admin.SetDisabled(messages.SetDisabledRequest(local="david", disabled=True))
                await lyon.until_accounts(newest + 1)
    is_known = 0 <= offset <= 2
    assert lyon.snapshots == (0 if is_known else 1)
    assert set(lyon.accounts) == ({"david"} if offset < 2 and is_known else {"chloe", "david"})


@pytest.mark.parametrize(
    ("name", "claims", "code"),
    [
        ("paris", "lyon", grpc.StatusCode.PERMISSION_DENIED),
        ("nowhere", "nowhere", grpc.StatusCode.PERMISSION_DENIED),
    ],
)
async def test_a_site_is_who_its_certificate_says_and_is_known(
    pki: Pki, data: Path, name: str, claims: str, code: grpc.StatusCode
) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with dialled(ports, pki, name) as site:
            hello = Hello(site=claims, epoch=7, acknowledged=0, accounts_version=0, window_envelopes=1)
            await site.send(Frame(hello=hello))
            assert await site.ended() is code


async def test_a_certificate_of_another_authority_is_refused(pki: Pki, data: Path, tmp_path: Path) -> None:
    foreign = Pki.create(tmp_path / "foreign")
    (foreign.folder / "ca.pem").write_bytes((pki.folder / "ca.pem").read_bytes())  # trusts the hub, is not trusted
    async with hub(hub_settings(pki, data)) as ports, dialled(ports, foreign, "paris") as site:
        assert await site.ended() is grpc.StatusCode.UNAVAILABLE


async def test_an_administrators_certificate_opens_no_link(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports, dialled(ports, pki, "op", role="admin") as site:
        assert await site.ended() is grpc.StatusCode.PERMISSION_DENIED


async def test_what_a_site_says_of_its_software_moves_no_cursor(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports, administrator(ports, pki) as admin:
        await settle(ports, pki)
        async with linked(ports, pki, "paris"):
            found = await admin.ListSites(messages.ListSitesRequest(name="paris"))
    assert [site.software for site in found.sites] == ["test?[31m"]


LARGE = (AvailableResource("phone", b"x" * 3_000_000),)
LETTER = Envelope(
    origin="lyon",
    epoch=7,
    sequence=1,
    sender="chloe@corp.example/phone",
    recipients=("anna@corp.example",),
    kind="message",
)
HOSTILE = [
    Frame(presence=[AccountPresence("chloe@corp.example", 2**64 - 1)]),
    Frame(presence=[AccountPresence("chloe@corp.example", 2, LARGE)]),
    Frame(envelopes=[replace(LETTER, id="i" * 3_000_000)]),
    Frame(envelopes=[replace(LETTER, sequence=2**63)]),
    Frame(interest=InterestChange((("anna@corp.example", 2**64 - 1),))),
]


@pytest.mark.parametrize("frame", HOSTILE, ids=["version", "presence", "envelope", "sequence", "interest"])
async def test_what_would_break_the_links_of_others_ends_the_one_that_it_came_on(
    pki: Pki, data: Path, frame: Frame
) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as paris, linked(ports, pki, "lyon") as lyon:
            await paris.send(Frame(interest=InterestChange((("chloe@corp.example", 0),), is_full=True)))
            while lyon.got.interest is None or not lyon.got.interest.added:
                await lyon.receive()
            await lyon.send(frame)
            assert await lyon.ended() is grpc.StatusCode.INVALID_ARGUMENT
            await paris.send(Frame(home_questions=["anna@corp.example"]))
            while not paris.got.home_answers:
                await paris.receive()
        assert (paris.got.presence, paris.got.envelopes) == ([], [])


async def test_the_hub_says_when_its_certificates_expire(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        shown = await figures(ports.operations)
    expiry = [value for name, value in shown.items() if name.startswith("process_certificate_expiry_timestamp")]
    assert len(expiry) == 2
    assert min(expiry) > 0


async def test_newer_link_of_a_site_replaces_the_older(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        async with linked(ports, pki, "paris") as older, linked(ports, pki, "paris") as newer:
            assert await older.ended() is grpc.StatusCode.ABORTED
            await newer.send(Frame(home_questions=["anna@corp.example"]))
            while not newer.got.home_answers:
                await newer.receive()


async def test_draining_hub_tells_its_sites(pki: Pki, data: Path) -> None:
    async with hub(hub_settings(pki, data)) as ports:
        await settle(ports, pki)
        context = linked(ports, pki, "paris")
        paris = await context.__aenter__()
        while len(paris.accounts) < 2:
            await paris.receive()
    while paris.got.drain_ms is None:
        await paris.receive()
    assert paris.got.drain_ms == 500
    await context.__aexit__(None, None, None)
