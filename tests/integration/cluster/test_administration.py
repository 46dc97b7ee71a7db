"""What an administrator does at the hub holds at the home site within a second while it is linked."""

import asyncio
from collections.abc import Callable

import pytest

from cascade.v1 import administration_pb2 as messages
from chappe.client.errors import LoginRefused
from tests.support.cluster import Cluster
from tests.support.persons import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

EFFECTIVE_SECONDS_MAX = 1.0

Note = Callable[[str, object], None]


async def test_new_password_ends_sessions(company: Cluster, record_property: Note) -> None:
    await company.add_people({"lyon": ["lea"]})
    loop = asyncio.get_running_loop()
    async with Person(company.account("lea", company["lyon"])) as lea:
        asked = loop.time()
        await company.admin.SetPassword(messages.SetPasswordRequest(local="lea", password="new secret"))
        await lea.until(lambda: lea.disconnections or lea.ended)
        seconds = loop.time() - asked
        await lea.until(lambda: lea.ended)  # her client tries the old password again, once
    record_property("seconds", round(seconds, 3))
    assert seconds < EFFECTIVE_SECONDS_MAX
    with pytest.raises(LoginRefused):
        async with Person(company.account("lea", company["lyon"])):
            pass
    async with Person(company.account("lea", company["lyon"], password="new secret")) as lea:
        assert lea.connections


async def test_disabled_account(company: Cluster, record_property: Note) -> None:
    await company.add_people({"lyon": ["max"], "paris": ["nora"]})
    loop = asyncio.get_running_loop()
    async with (
        Person(company.account("max", company["lyon"])) as gone,
        Person(company.account("nora", company["paris"])) as nora,
    ):
        asked = loop.time()
        await company.admin.SetDisabled(messages.SetDisabledRequest(local="max", disabled=True))
        await gone.until(lambda: gone.disconnections or gone.ended)
        seconds = loop.time() - asked
        record_property("seconds", round(seconds, 3))
        assert seconds < EFFECTIVE_SECONDS_MAX
        await gone.until(lambda: gone.ended)
        with pytest.raises(LoginRefused):
            async with Person(company.account("max", company["lyon"])):
                pass
        await company.admin.SetDisabled(messages.SetDisabledRequest(local="max", disabled=False))
        await company.admin.AwaitHeld(await version_of(company, "lyon"))
        async with Person(company.account("max", company["lyon"])) as back:
            nora.say("max@corp.example", "welcome back")
            await back.hears("welcome back")


async def version_of(company: Cluster, site: str) -> messages.SiteVersion:
    answer = await company.admin.ListSites(messages.ListSitesRequest(name=site))
    return messages.SiteVersion(site=site, version=answer.sites[0].accounts_version)


async def test_new_account_logs_in_at_once(company: Cluster) -> None:
    await company.add_people({"paris": ["olga"]})
    async with Person(company.account("olga", company["paris"])) as olga:
        assert olga.connections
